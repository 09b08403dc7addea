// Catches the failures of a piece of a test, to test what fails a test.
//
// Thread safety: for a test's main thread; failures of all threads are caught,
// so only those of the piece may be running.

#ifndef TESTS_UNIT_HARNESS_FAILURES_H_
#define TESTS_UNIT_HARNESS_FAILURES_H_

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "tests/harness/failure.h"

namespace harness {

struct Failures {
  std::vector<std::string> messages;
  std::vector<Kind> kinds;  // one for each message
  std::string file;         // of the last one
  int line = 0;             // of the last one
  bool ended = false;       // by the exception that ends a test
};

// Keeps the kinds beside the results: they are known only while GoogleTest
// reports a failure.
class FailureCatcher : public testing::ScopedFakeTestPartResultReporter {
 public:
  FailureCatcher(testing::TestPartResultArray* results,
                 std::vector<Kind>* kinds)
      : ScopedFakeTestPartResultReporter(INTERCEPT_ALL_THREADS, results),
        kinds_(kinds) {}

  void ReportTestPartResult(const testing::TestPartResult& result) override {
    kinds_->push_back(InfoOfCurrentFailure().kind);
    ScopedFakeTestPartResultReporter::ReportTestPartResult(result);
  }

 private:
  std::vector<Kind>* const kinds_;
};

// Runs `piece` and returns what failed in it; the test itself does not fail.
template <typename Piece>
Failures FailuresOf(Piece piece) {
  Failures failures;
  testing::TestPartResultArray results;
  {
    const FailureCatcher catcher(&results, &failures.kinds);
    try {
      piece();
    } catch (const testing::AssertionException&) {
      failures.ended = true;
    }
  }
  for (int i = 0; i < results.size(); ++i) {
    const testing::TestPartResult& result = results.GetTestPartResult(i);
    // GoogleTest puts a line of its own before the message, and newer ones end
    // it with a line break.
    std::string message = result.message();
    if (message.starts_with("Failed\n")) message.erase(0, 7);
    if (message.ends_with('\n')) message.pop_back();
    failures.messages.push_back(std::move(message));
    failures.file = result.file_name() == nullptr ? "" : result.file_name();
    failures.line = result.line_number();
  }
  return failures;
}

}  // namespace harness

#endif  // TESTS_UNIT_HARNESS_FAILURES_H_
