// Tests of the runner as a whole: the program runs itself on the test programs
// of tests/programs/test_programs.cc, and what it prints is compared line by
// line.
//
// Times and addresses differ from run to run: durations read (T), and lines
// that a library or sanitizer wrote are not compared but searched.

#include "tests/runner/runner.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/runner/build_kind.h"
#include "tests/unit/runner/program_run.h"

namespace runner {
namespace {

TEST(Runner, PassingTest) {
  const Outcome run = RunTestPrograms("Pass$");
  EXPECT_EQ(run.output,
            "=== RUN   TestUnitTestProgramPass\n"
            "a line\n"
            "--- PASS: TestUnitTestProgramPass (T)\n");
  EXPECT_EQ(run.end, "PASS\n1 passed, 0 failed\n");
  EXPECT_EQ(run.status, 0);
}

TEST(Runner, PassingTestWithoutV) {
  const Outcome run = RunTestPrograms("Pass$", "--verbose=0");
  EXPECT_EQ(run.output, "a line\n");
  EXPECT_EQ(run.end, "PASS\n1 passed, 0 failed\n");
}

TEST(Runner, FailureComesBeforeItsVerdict) {
  const Outcome run = RunTestPrograms("Fails$");
  EXPECT_EQ(run.output,
            absl::StrCat("=== RUN   TestUnitTestProgramFails\n"
                         "before\n"
                         "after\n"
                         "    config.go:330: expected one leader, got none\n"
                         "--- FAIL: TestUnitTestProgramFails (T)\n",
                         Repeat("TestUnitTestProgramFails")));
  EXPECT_EQ(run.end, "FAIL\n0 passed, 1 failed\n");
  EXPECT_EQ(run.status, 1);
}

TEST(Runner, FailureComesAfterItsVerdictWithoutV) {
  const Outcome run = RunTestPrograms("Fails$", "--verbose=0");
  EXPECT_EQ(run.output,
            "before\n"
            "after\n"
            "--- FAIL: TestUnitTestProgramFails (T)\n"
            "    config.go:330: expected one leader, got none\n");
  EXPECT_EQ(run.status, 1);
}

// Not from here but for a driver, which knows the targets that it serves.
TEST(Runner, RepeatCommandNamesTheTargetThatWasGiven) {
  const Outcome run =
      RunTestPrograms("Fails$", "--target='sim SEEDS=1 PROFILE=fair'");
  EXPECT_TRUE(Has(run.output,
                  "    repeat: make sim SEEDS=1 PROFILE=fair "
                  "RUN='^TestUnitTestProgramFails$' SEED=7\n"))
      << run.output;
}

TEST(Runner, SlowDisksAreToldAndRepeated) {
  const Outcome run = RunProgram(
      "--test_programs --parallel=1 --seed=7 --run='Fails$' --disk=slow");
  EXPECT_TRUE(run.all.starts_with("seed 7, DISK=slow, log ")) << run.all;
  EXPECT_TRUE(Has(run.all, absl::StrCat(MakeTarget(kBuildKind),
                                        " DISK=slow RUN='^TestUnit")))
      << run.all;
}

TEST(Runner, FailureInTwoLines) {
  EXPECT_EQ(RunTestPrograms("FailsInTwoLines").output,
            absl::StrCat("=== RUN   TestUnitTestProgramFailsInTwoLines\n"
                         "    config.go:12: one\n"
                         "        two\n"
                         "--- FAIL: TestUnitTestProgramFailsInTwoLines (T)\n",
                         Repeat("TestUnitTestProgramFailsInTwoLines")));
}

TEST(Runner, FailureInHelperThread) {
  EXPECT_EQ(
      RunTestPrograms("FailsInHelper").output,
      absl::StrCat("=== RUN   TestUnitTestProgramFailsInHelperThread\n"
                   "    helper.cc:7: from another thread\n"
                   "--- FAIL: TestUnitTestProgramFailsInHelperThread (T)\n",
                   Repeat("TestUnitTestProgramFailsInHelperThread")));
}

TEST(Runner, ExceptionFailsTheTest) {
  const Outcome run = RunTestPrograms("Throws");
  EXPECT_TRUE(Has(run.output,
                  "    C++ exception with description "
                  "\"out of paper\" thrown in the test body."))
      << run.output;
  EXPECT_EQ(run.status, 1);
}

TEST(Runner, SkippedTestCountsAsNeither) {
  const Outcome run = RunTestPrograms("Skips");
  EXPECT_TRUE(
      Has(run.output, ": not today\n--- SKIP: TestUnitTestProgramSkips"))
      << run.output;
  EXPECT_EQ(run.end, "PASS\n0 passed, 0 failed\n");
}

TEST(Runner, TheRunGoesOnAfterACrash) {
  const Outcome run = RunTestPrograms("Crashes|PrintsSeed");
  // Sanitizers turn the signal into a report and an exit status.
  const std::string what = kBuildKind == BuildKind::kPlain
                               ? "crashed: signal 11 (Segmentation fault)\n"
                           : kBuildKind == BuildKind::kRace
                               ? "exit status 66: a report of Thread"
                               : "exit status 1: a report of Address";
  EXPECT_TRUE(Has(run.output, "    " + what)) << run.output;
  EXPECT_TRUE(Has(run.output, "TestBody")) << run.output;
  EXPECT_TRUE(
      Has(run.output, "--- FAIL: TestUnitTestProgramCrashes (T)\n" +
                          Repeat("TestUnitTestProgramCrashes") +
                          "=== RUN   TestUnitTestProgramPrintsSeed\n"
                          "drawn from 7\n"
                          "--- PASS: TestUnitTestProgramPrintsSeed (T)\n"))
      << run.output;
  EXPECT_EQ(run.end, "FAIL\n1 passed, 1 failed\n");
  EXPECT_EQ(run.status, 1);
}

TEST(Runner, FailedCheckShowsItsMessage) {
  const Outcome run = RunTestPrograms("FailsCheck");
  EXPECT_TRUE(Has(run.output, "    crashed: signal 6 (Aborted)\n"))
      << run.output;
  EXPECT_TRUE(
      Has(run.output, "Check failed: 1 + 1 == 3 (2 vs. 3) sums are off\n"))
      << run.output;
  EXPECT_EQ(run.status, 1);
}

TEST(Runner, TestThatExitsHasNotPassed) {
  EXPECT_EQ(RunTestPrograms("ExitsEarly").output,
            absl::StrCat("=== RUN   TestUnitTestProgramExitsEarly\n"
                         "    exit status 0: before the test's end\n"
                         "--- FAIL: TestUnitTestProgramExitsEarly (T)\n",
                         Repeat("TestUnitTestProgramExitsEarly")));
  EXPECT_TRUE(Has(RunTestPrograms("ExitsWithStatus").output,
                  "    exit status 5: before the test's end\n"));
}

TEST(Runner, TestThatFailsHasNotPassedHoweverItsProcessEnds) {
  const Outcome run = RunTestPrograms("FailsAndExitsWell");
  EXPECT_TRUE(Has(run.output, "    log.cc:1: one is missing\n")) << run.output;
  EXPECT_TRUE(Has(run.output, "--- FAIL: "));
  EXPECT_EQ(run.status, 1);
}

TEST(Runner, RaceFailsTheTestUnderThreadSanitizer) {
  const Outcome run = RunTestPrograms("Races");
  if constexpr (kBuildKind == BuildKind::kRace) {
    EXPECT_EQ(run.status, 1);
    EXPECT_TRUE(Has(run.output, "    exit status 66: a report of Thread"));
    EXPECT_TRUE(Has(run.output, "WARNING: ThreadSanitizer: data race"));
  } else {
    EXPECT_EQ(run.status, 0);
  }
}

TEST(Runner, UseOfFreedMemoryFailsTheTestUnderAddressSanitizer) {
  if constexpr (kBuildKind == BuildKind::kAsan) {
    const Outcome run = RunTestPrograms("ReadsFreedMemory");
    EXPECT_EQ(run.status, 1);
    EXPECT_TRUE(Has(run.output, "    exit status 1: a report of Address"));
    EXPECT_TRUE(Has(run.output, "heap-use-after-free"));
  }
}

TEST(Runner, PartialLineIsCompleted) {
  EXPECT_EQ(RunTestPrograms("PartialLine").output,
            "=== RUN   TestUnitTestProgramPartialLine\n"
            "first\n"
            "no line feed\n"
            "--- PASS: TestUnitTestProgramPartialLine (T)\n");
}

// A megabyte at its beginning, and the last 64 KiB: it has printed three.
TEST(Runner, OfMegabytesWithoutLineFeedTheMiddleIsCutOut) {
  const Outcome run = RunTestPrograms("LongOutput");
  const auto shown = std::count(run.output.begin(), run.output.end(), 'x');
  EXPECT_GE(shown, 15 << 16);
  EXPECT_LE(shown, 17 << 16);
  int64_t cut = 0;
  EXPECT_TRUE(
      absl::SimpleAtoi(RestOfLine(run.output, "\n(").substr(0, 7), &cut));
  // It counts the ends of lines too.
  EXPECT_GE(shown + cut, 3 << 20);
  EXPECT_LT(shown + cut, (3 << 20) + 100);
  EXPECT_TRUE(Has(run.output, "--- PASS")) << run.end;
  EXPECT_EQ(run.log, run.all);
}

TEST(Runner, TestMayCloseItsOutput) {
  const Outcome run = RunTestPrograms("ClosesOutput");
  EXPECT_TRUE(Has(run.output, "last words\n--- PASS")) << run.output;
}

TEST(Runner, LongErrorOutputIsCutButWholeInTheLog) {
  const Outcome run = RunTestPrograms("LogsMuch");
  EXPECT_TRUE(Has(run.output, "    log.cc:1: see the log\n"));
  EXPECT_TRUE(Has(run.output,
                  "        complaint 59\n"
                  "        (40 more lines in the log)\n"
                  "--- FAIL"))
      << run.output;
  EXPECT_FALSE(Has(run.output, "a debug line"));
  EXPECT_TRUE(Has(run.log, "\ncomplaint 99\n"));
  EXPECT_TRUE(Has(run.log, "] a debug line\n"));
}

TEST(Runner, LogHasACopyOfWhatIsPrinted) {
  const Outcome run = RunTestPrograms("Pass$");
  EXPECT_EQ(run.log, run.all);
}

TEST(Runner, HungTestIsEndedWithItsStacks) {
  const Outcome run =
      RunTestPrograms("Hangs|PrintsSeed", "--watchdog_seconds=1");
  EXPECT_TRUE(Has(run.output,
                  "    test hung: ended after 1 s; stacks of all threads "
                  "follow\n"
                  "        thread 1 (main):\n"))
      << run.output;
  EXPECT_TRUE(Has(run.output, "        thread 2:\n")) << run.output;
  const size_t first = run.output.find("WaitForever");
  EXPECT_NE(first, std::string::npos) << run.output;
  EXPECT_NE(run.output.find("WaitForever", first + 1), std::string::npos)
      << "one in each thread: " << run.output;
  EXPECT_EQ(run.end, "FAIL\n1 passed, 1 failed\n");
}

TEST(Runner, TestThatCannotEvenBeWatchedIsKilled) {
  const Outcome run = RunTestPrograms(
      "Stops", "--watchdog_seconds=1 --grace_seconds=0 --verbose=0");
  EXPECT_EQ(run.output,
            "stopping\n"
            "--- FAIL: TestUnitTestProgramStops (T)\n"
            "    test hung: killed after 1 s; its watchdog did not answer "
            "either\n");
}

// The test program prints its process id; its parent is the runner.
pid_t ParentOf(pid_t process) {
  const std::string status =
      FileContent(absl::StrCat("/proc/", process, "/status"));
  int parent = 0;
  EXPECT_TRUE(absl::SimpleAtoi(RestOfLine(status, "PPid:\t"), &parent));
  return parent;
}

// Sends `signal` to a runner as soon as its test runs. Sets *child.
Outcome RunAndSignal(int signal, pid_t* child) {
  return RunTestPrograms("SleepsLong|PrintsSeed", "",
                         [signal, child](const std::string& line) {
                           if (line.rfind("pid ", 0) != 0) return;
                           *child = std::stoi(line.substr(4));
                           kill(ParentOf(*child), signal);
                         });
}

TEST(Runner, InterruptEndsTheTestAndTellsTheTruth) {
  for (const int signal : {SIGINT, SIGTERM}) {
    pid_t child = 0;
    const Outcome run = RunAndSignal(signal, &child);
    EXPECT_EQ(run.status, kExitInterrupted);
    EXPECT_TRUE(Has(run.output,
                    "interrupted in TestUnitTestProgramSleepsLong, 1 tests not "
                    "run\n"))
        << run.output;
    EXPECT_EQ(run.end, "0 passed, 0 failed\n");
    EXPECT_EQ(kill(child, 0), -1) << "an orphan";
  }
}

// The pipe ends only when the last process that writes to it does: that
// RunProgram() returns long before the sleep is over shows that none is left.
TEST(Runner, KilledRunnerLeavesNoOrphan) {
  pid_t child = 0;
  const Outcome run = RunProgram("--test_programs --run=SleepsLong",
                                 [&child](const std::string& line) {
                                   if (line.rfind("pid ", 0) != 0) return;
                                   child = std::stoi(line.substr(4));
                                   kill(ParentOf(child), SIGKILL);
                                 });
  EXPECT_EQ(run.status, -1);
  // It may take the kernel a moment; the test program would sleep for 100 s.
  const auto patience =
      std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (kill(child, 0) == 0 && std::chrono::steady_clock::now() < patience) {
    // An orphan's new parent may be one that never asks after it.
    if (Has(FileContent(absl::StrCat("/proc/", child, "/status")), "Z (zombie"))
      break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_LT(std::chrono::steady_clock::now(), patience);
}

struct Refusal {
  const char* args;
  const char* line;
};

TEST(Runner, RefusesWhatItDoesNotUnderstand) {
  const Refusal refusals[] = {
      {"--run=NoSuchTest",
       "no test matches \"NoSuchTest\"; --list shows the "
       "names"},
      {"--run='('",
       "\"(\" is not a regular expression; to choose tests give "
       "one over their names, as in 2A or '(Backup|Count)2B$'"},
      {"--seed=x",
       "bad seed \"x\": give a whole number from 0 to 2^64-1; "
       "--help shows the options"},
      {"--seed=-1",
       "bad seed \"-1\": give a whole number from 0 to 2^64-1; "
       "--help shows the options"},
      {"--seed=18446744073709551616",
       "bad seed \"18446744073709551616\": give a whole number from 0 to "
       "2^64-1; --help shows the options"},
      {"--verbose=2",
       "bad verbosity \"2\": give 0 or 1; --help shows the "
       "options"},
      {"--parallel=0",
       "bad number of tests side by side \"0\": give 1 to 1024; --help shows "
       "the options"},
      {"--parallel=many",
       "bad number of tests side by side \"many\": give 1 to 1024; --help "
       "shows "
       "the options"},
      {"--disk=full",
       "bad disk \"full\": give slow, or leave it out; --help shows the "
       "options"},
      {"--frobnicate", "unknown option --frobnicate; --help shows the options"},
      {"--run",
       "option --run needs a value, as in --run=...; --help shows "
       "the options"},
      {"--json --events=x",
       "--events adds events to the text, --json replaces it: give one"},
      {"--lab=kv", "no test matches \"\" --lab=kv; --list shows the names"},
      {"2A",
       "unexpected argument \"2A\": to choose tests write --run=REGEX; "
       "--help shows the options"},
  };
  for (const Refusal& refusal : refusals) {
    const Outcome run = RunProgram(refusal.args);
    EXPECT_EQ(run.all, absl::StrCat("raft_tests: ", refusal.line, "\n"));
    EXPECT_EQ(run.status, kExitNothingRun) << refusal.args;
  }
}

TEST(Runner, EmptyOptionsMeanTheDefaults) {
  const Outcome run =
      RunProgram("--test_programs --run=Pass$ --seed= --verbose=");
  EXPECT_TRUE(Has(run.all, "=== RUN   TestUnitTestProgramPass\n")) << run.all;
  EXPECT_EQ(run.status, 0);
}

TEST(Runner, ListsNamesInRunningOrder) {
  const Outcome run = RunProgram("--test_programs --list --run='Pass$|Fails$'");
  EXPECT_EQ(run.all, "TestUnitTestProgramPass\nTestUnitTestProgramFails\n");
  EXPECT_EQ(run.status, 0);
}

TEST(Runner, ListsAsJson) {
  const Outcome run = RunProgram("--test_programs --list --json --run=Pass$");
  EXPECT_EQ(run.all,
            "{\"Test\":\"TestUnitTestProgramPass\","
            "\"Suite\":\"DISABLED_TestProgram\",\"Lab\":\"\",\"Part\":\"\","
            "\"Origin\":\"unit\"}\n");
}

TEST(Runner, HelpNamesTheOptions) {
  const Outcome run = RunProgram("--help");
  for (const char* option :
       {"--run=", "--seed=", "--parallel=", "--verbose=", "--list"}) {
    EXPECT_TRUE(Has(run.all, option)) << option;
  }
  EXPECT_FALSE(Has(run.all, "--target")) << "it is the Makefile's";
  EXPECT_EQ(run.status, 0);
}

TEST(Runner, GoogleTestOptionsRunInOneProcess) {
  const Outcome run = RunProgram("--gtest_filter=Rope.IsEmptyAtFirst --seed=7");
  EXPECT_TRUE(Has(run.all, "seed 7\n")) << run.all;
  EXPECT_TRUE(Has(run.all, "[  PASSED  ] 1 test.")) << run.all;
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(RunProgram("--gtest_nonsense=1").status, kExitNothingRun);
}

}  // namespace
}  // namespace runner
