// Unit tests of tests/runner/failure_report.h.

#include "tests/runner/failure_report.h"

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/runner/child.h"

namespace runner {
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
  ChildResult failed = Exited(0, /*ran_to_end=*/true);
  failed.has_failed = true;
  EXPECT_TRUE(HasFailed(failed));
}

// What GoogleTest puts around a message differs with its version.
TEST(FailureReport, ACheckSaysWhatTheTestSaid) {
  for (const char* const text :
       {"Failed\nno leader", "Failed\nno leader\n", "no leader\n"}) {
    const FailedCheck check = ReadResult(testing::TestPartResult(
        testing::TestPartResult::kNonFatalFailure, "/a/b_test.cc", 7, text));
    EXPECT_EQ(check.message, "no leader");
    EXPECT_EQ(check.place, "b_test.cc:7");
  }
}

TEST(FailureReport, SaysHowTheTestEnded) {
  const auto report = [](const ChildResult& result) {
    return EndReport(result, ErrorExcerpt(), seconds(150));
  };
  ChildResult failed = Exited(kExitTestFailed, /*ran_to_end=*/true);
  EXPECT_EQ(report(failed), "");  // the failed checks say it

  failed.code = 66;  // a race besides
  EXPECT_EQ(report(failed),
            "    exit status 66: a report of ThreadSanitizer\n");

  EXPECT_EQ(report(Exited(0, /*ran_to_end=*/true)), "");
  EXPECT_EQ(report(Exited(0, /*ran_to_end=*/false)),
            "    exit status 0: before the test's end\n");
  EXPECT_EQ(report(Exited(kExitHung, /*ran_to_end=*/false)),
            "    test hung: ended after 150 s; stacks of all threads follow\n");

  ChildResult crashed;
  crashed.end = ChildResult::End::kSignalled;
  crashed.code = SIGSEGV;
  EXPECT_EQ(report(crashed), "    crashed: signal 11 (Segmentation fault)\n");
}

Verdict JudgeWith(const ChildResult& result, const std::string& error = "") {
  ErrorExcerpt excerpt;
  excerpt.Add("some line");
  excerpt.Add(error);
  return Judge(result, excerpt, seconds(150));
}

struct EndCase {
  int status;
  const char* error;
  const char* way;
  const char* kind;
  const char* cause;
};

TEST(FailureReport, JudgesByTheExitStatus) {
  const EndCase cases[] = {
      {66, "WARNING: ThreadSanitizer: data race (pid=1)", kSanitizer, kSafety,
       "WARNING: ThreadSanitizer: data race (pid=1)"},
      {kExitHung, "", kHang, kSafety,
       "test hung: ended after 150 s; stacks of all threads follow"},
      {kExitSimDeadlock, "sim: DEADLOCK: every thread waits", kDeadlock,
       kSafety, "sim: DEADLOCK: every thread waits"},
      {kExitSimHung, "sim: HUNG: thread 3", kHang, kSafety,
       "sim: HUNG: thread 3"},
      {kExitSimTimeLimit, "sim: TIME LIMIT: too long", kHang, kSafety,
       "sim: TIME LIMIT: too long"},
      {kExitSimUnsupported, "sim: UNSUPPORTED: fork", kCrash, kHarness,
       "sim: UNSUPPORTED: fork"},
      {127, "", kCrash, kHarness,
       "exit status 127: the program could not be started again"},
      {0, "sim: seed=1", kCrash, kSafety,
       "exit status 0: before the test's end"},
  };
  for (const EndCase& one : cases) {
    const Verdict verdict =
        JudgeWith(Exited(one.status, /*ran_to_end=*/false), one.error);
    EXPECT_EQ(verdict.check.way, one.way) << one.status;
    EXPECT_EQ(verdict.check.kind, one.kind) << one.status;
    EXPECT_EQ(verdict.cause, one.cause);
    EXPECT_EQ(verdict.check.message, one.cause);
    EXPECT_EQ(verdict.check.place, "");
  }
}

// Nothing includes the simulator, so its header is read.
TEST(FailureReport, KnowsTheStatusesOfTheSimulator) {
  const std::filesystem::path root =
      std::filesystem::read_symlink("/proc/self/exe")
          .parent_path()
          .parent_path()
          .parent_path();
  std::ifstream in(root / "sim/sim.h");
  const std::string header{std::istreambuf_iterator<char>(in), {}};
  const auto has = [&header](const char* name, int status) {
    return header.find(absl::StrCat("constexpr int ", name, " = ", status,
                                    ";")) != std::string::npos;
  };
  EXPECT_TRUE(has("kExitDeadlock", kExitSimDeadlock));
  EXPECT_TRUE(has("kExitHung", kExitSimHung));
  EXPECT_TRUE(has("kExitTimeLimit", kExitSimTimeLimit));
  EXPECT_TRUE(has("kExitUnsupported", kExitSimUnsupported));
}

TEST(FailureReport, AFailedCheckOfTheProgramHasAPlace) {
  ChildResult crashed;
  crashed.end = ChildResult::End::kSignalled;
  crashed.code = SIGABRT;
  const Verdict verdict = JudgeWith(
      crashed,
      "F20261122 13:00:20.808336 25212 log.cc:7] Check failed: a == b");
  EXPECT_EQ(verdict.check.way, kCrash);
  EXPECT_EQ(verdict.check.message, "Check failed: a == b");
  EXPECT_EQ(verdict.check.place, "log.cc:7");
}

TEST(FailureReport, JudgesByTheFailedChecks) {
  ChildResult failed = Exited(kExitTestFailed, /*ran_to_end=*/true);
  failed.checks = {
      {.kind = kLiveness, .place = "a.cc:1", .message = "one"},
      {.kind = kLiveness, .place = "a.cc:2", .message = "two"},
  };
  Verdict verdict = JudgeWith(failed, "sim: DEADLOCK");  // a test printed it
  EXPECT_EQ(verdict.check.way, kCheck);
  EXPECT_EQ(verdict.check.kind, kLiveness);
  EXPECT_EQ(verdict.check.Text(), "a.cc:1: one");
  EXPECT_EQ(verdict.cause, "");

  failed.checks.push_back({.message = "three"});
  EXPECT_EQ(JudgeWith(failed).check.kind, kSafety);
  EXPECT_EQ(JudgeWith(failed).check.Text(), "a.cc:1: one");

  failed.checks.push_back({.way = kOracle, .message = "four"});
  EXPECT_EQ(JudgeWith(failed).check.way, kOracle);
  EXPECT_EQ(JudgeWith(failed).check.Text(), "four");
}

// An oracle's word on costs does not hide what is wrong.
TEST(FailureReport, TheGravestKindCounts) {
  ChildResult failed = Exited(kExitTestFailed, /*ran_to_end=*/true);
  failed.checks = {{.kind = kEconomy, .way = kOracle, .message = "costs"}};
  EXPECT_EQ(JudgeWith(failed).check.kind, kEconomy);
  EXPECT_EQ(JudgeWith(failed).check.way, kOracle);
  for (const char* kind : {kLiveness, kHarness, kSafety}) {
    failed.checks.insert(failed.checks.begin(),
                         {.kind = kind, .message = kind});
    EXPECT_EQ(JudgeWith(failed).check.kind, kind);
    EXPECT_EQ(JudgeWith(failed).check.Text(), kind);
    EXPECT_EQ(JudgeWith(failed).check.way, kCheck);
  }
}

TEST(FailureReport, ABadEndIsNeverOnlyLate) {
  ChildResult failed = Exited(66, /*ran_to_end=*/true);
  failed.checks = {{.kind = kLiveness, .message = "one"}};
  const Verdict verdict = JudgeWith(failed);
  EXPECT_EQ(verdict.check.kind, kSafety);
  EXPECT_EQ(verdict.check.way, kSanitizer);
  EXPECT_EQ(verdict.check.message, "one");
  EXPECT_EQ(verdict.cause, "exit status 66: a report of ThreadSanitizer");
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
}  // namespace runner
