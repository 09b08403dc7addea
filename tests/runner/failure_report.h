// What is known of a test that failed: its failed checks, how its process ended
// if not properly, and what it wrote to standard error; as a text and as data.
//
// Thread safety: compatible; the runner makes one report per test.

#ifndef TESTS_RUNNER_FAILURE_REPORT_H_
#define TESTS_RUNNER_FAILURE_REPORT_H_

#include <chrono>
#include <string>
#include <vector>

#include "tests/runner/child_process.h"

namespace runner {

// The part of one test's standard error that is worth showing: not the lines
// of the debug log, and of the others the first, which name a report's cause.
class ErrorExcerpt {
 public:
  // Takes one line, without its line feed.
  void Add(const std::string& line);

  // What there is to show of it, at most `limit` lines; then how many more the
  // log has. Indented; empty if there was nothing.
  std::string Text(size_t limit) const;

  // The first failed CHECK, or report of a sanitizer or of the simulator:
  // message and, of a CHECK, place. Empty if there is none.
  FailedCheck Cause() const;

 private:
  std::vector<std::string> lines_;
  size_t dropped_ = 0;  // were too many to keep
};

// True if a signal ended the test, and nothing says why.
bool MayHaveMisusedMemory(const ChildResult& result, const ErrorExcerpt& error);

// True if the test failed: in a check, or by not coming to a proper end.
bool HasFailed(const ChildResult& result);

// Why a test failed. The fields are those of its event (README.md).
struct Verdict {
  FailedCheck check;  // what tells most; the way is of the test
  std::string cause;  // if the process did not end properly
};

// REQUIRES: HasFailed(result). `limit` is the time after which the test counts
// as hung.
Verdict Judge(const ChildResult& result, const ErrorExcerpt& error,
              std::chrono::seconds limit);

// How the process ended and what it wrote to standard error, as indented lines
// that follow those of the failed checks; empty if the test has not failed.
std::string EndReport(const ChildResult& result, const ErrorExcerpt& error,
                      std::chrono::seconds limit);

}  // namespace runner

#endif  // TESTS_RUNNER_FAILURE_REPORT_H_
