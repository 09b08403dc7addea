// Unit tests of tests/harness/failure_report.h.

#include "tests/runner/failure_report.h"

#include <signal.h>

#include <chrono>

#include "gtest/gtest.h"
#include "tests/runner/child.h"

namespace tests {
namespace {

using std::chrono::seconds;

ChildResult Exited(int code, bool ran_to_end) {
  ChildResult result;
  result.end = ChildResult::End::kExited;
  result.code = code;
  result.ran_to_end = ran_to_end;
  return result;
}

TEST(FailureReport, OnlyAProperEndIsAPass) {
  EXPECT_FALSE(HasFailed(Exited(0, /*ran_to_end=*/true)));
  EXPECT_TRUE(HasFailed(Exited(0, /*ran_to_end=*/false)));
  EXPECT_TRUE(HasFailed(Exited(66, /*ran_to_end=*/true)));
  EXPECT_TRUE(HasFailed(Exited(kExitTestFailed, /*ran_to_end=*/true)));
  EXPECT_TRUE(HasFailed(ChildResult()));
}

TEST(FailureReport, SaysHowTheTestEnded) {
  const auto report = [](const ChildResult& result) {
    return ReportText(result, ErrorExcerpt(), seconds(150));
  };
  ChildResult failed = Exited(kExitTestFailed, /*ran_to_end=*/true);
  failed.messages = {"a.cc:1: one", "a.cc:2: two"};
  EXPECT_EQ(report(failed), "    a.cc:1: one\n    a.cc:2: two\n");

  failed.code = 66;  // a race besides
  EXPECT_EQ(report(failed),
            "    a.cc:1: one\n    a.cc:2: two\n"
            "    exit status 66: a report of ThreadSanitizer\n");

  EXPECT_EQ(report(Exited(0, /*ran_to_end=*/false)),
            "    exit status 0: before the test's end\n");
  EXPECT_EQ(report(Exited(kExitHung, /*ran_to_end=*/false)),
            "    test hung: ended after 150 s; stacks of all threads follow\n");

  ChildResult crashed;
  crashed.end = ChildResult::End::kSignalled;
  crashed.code = SIGSEGV;
  EXPECT_EQ(report(crashed), "    crashed: signal 11 (Segmentation fault)\n");
}

TEST(FailureReport, ShowsStandardErrorButNoDebugLog) {
  ErrorExcerpt error;
  error.Add("I20261122 13:00:20.808336 25212 election.cc:7] S1 T4 C TERM");
  error.Add("W20261122 13:00:20.808336 25212 network.cc:7] rare");
  error.Add("F20261122 13:00:20.808336 25212 log.cc:7] Check failed");
  error.Add("WARNING: ThreadSanitizer: data race");
  error.Add("In short");
  EXPECT_EQ(error.Text(60),
            "        F20261122 13:00:20.808336 25212 log.cc:7] Check failed\n"
            "        WARNING: ThreadSanitizer: data race\n"
            "        In short\n");
  EXPECT_EQ(error.Text(1),
            "        F20261122 13:00:20.808336 25212 log.cc:7] Check failed\n"
            "        (2 more lines in the log)\n");
}

}  // namespace
}  // namespace tests
