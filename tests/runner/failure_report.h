// What a run prints under a test that failed: its failed checks, how its
// process ended if not by itself, and what it wrote to standard error.
//
// Who calls it: the runner, one report per test. Thread safety: compatible.

#ifndef TESTS_RUNNER_FAILURE_REPORT_H_
#define TESTS_RUNNER_FAILURE_REPORT_H_

#include <chrono>
#include <string>
#include <vector>

#include "tests/runner/child_process.h"

namespace tests {

// The part of one test's standard error that is worth showing: not the lines
// of the debug log, and of the others the first, where a report's cause stands.
class ErrorExcerpt {
 public:
  // Takes one line, without its line feed.
  void Add(const std::string& line);

  // What there is to show of it, at most `limit` lines; then how many more the
  // log has. Indented; empty if there was nothing.
  std::string Text(size_t limit) const;

 private:
  std::vector<std::string> lines_;
  size_t dropped_ = 0;  // were too many to keep
};

// True if the test failed: in a check, or by not coming to a proper end.
bool HasFailed(const ChildResult& result);

// All that there is to say about a test that failed (or skipped itself), as
// indented lines. `limit` is the time after which the test counts as hung.
std::string ReportText(const ChildResult& result, const ErrorExcerpt& error,
                       std::chrono::seconds limit);

}  // namespace tests

#endif  // TESTS_RUNNER_FAILURE_REPORT_H_
