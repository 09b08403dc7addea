// Tests of the runner with several tests side by side, and of the processes
// that a test leaves.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/runner/runner.h"
#include "tests/unit/runner/program_run.h"

namespace runner {
namespace {

// A pipe where two test programs meet.
class ParallelRunner : public testing::Test {
 protected:
  ParallelRunner()
      : pipe_(absl::StrCat(testing::TempDir(), "/meet", getpid())) {
    mkfifo(pipe_.c_str(), 0600);
    setenv("MEETING_PLACE", pipe_.c_str(), /*replace=*/1);
  }
  ~ParallelRunner() override { std::filesystem::remove(pipe_); }

  const std::string pipe_;
};

TEST_F(ParallelRunner, TestsRunSideBySide) {
  const Outcome run = RunTestPrograms("Meets", "--parallel=2");
  EXPECT_EQ(run.output,
            "=== RUN   TestUnitTestProgramMeetsAnother\n"
            "waiting\n"
            "--- PASS: TestUnitTestProgramMeetsAnother (T)\n"
            "=== RUN   TestUnitTestProgramMeetsTheFirst\n"
            "coming\n"
            "--- PASS: TestUnitTestProgramMeetsTheFirst (T)\n");
  EXPECT_EQ(run.end, "PASS\n2 passed, 0 failed\n");
  EXPECT_EQ(run.log, run.all);
}

TEST(Runner, OutputIsInOrderHoweverManyRun) {
  constexpr char kRun[] =
      "Pass$|PartialLine|Fails$|FailsIn|Skips|ExitsEarly|LogsMuch|PrintsSeed|"
      "Computes";
  for (const char* verbose : {"--verbose=0", "--verbose=1"}) {
    const Outcome one = RunTestPrograms(kRun, verbose);
    const Outcome many =
        RunTestPrograms(kRun, absl::StrCat("--parallel=5 ", verbose));
    EXPECT_EQ(many.output, one.output);
    EXPECT_EQ(many.end, one.end);
    EXPECT_EQ(many.status, one.status);
  }
}

// The log keeps the lines of a test together, its debug log among them.
TEST(Runner, LogIsInOrderHoweverManyRun) {
  const Outcome run = RunTestPrograms("LogsMuch|Pass$", "--parallel=2");
  const size_t debug = run.log.find("] a debug line\n");
  EXPECT_GT(debug, run.log.find("=== RUN   TestUnitTestProgramLogsMuch"));
  EXPECT_LT(debug, run.log.find("--- FAIL: TestUnitTestProgramLogsMuch"));
}

TEST(Runner, InterruptEndsAllTests) {
  std::vector<pid_t> children;
  const Outcome run = RunTestPrograms(
      "SleepsLong|PrintsSeed|IdleMinute|Pass", "--parallel=2 --verbose=0",
      [&children](const std::string& line) {
        if (!line.starts_with("pid ")) return;
        children.push_back(std::stoi(line.substr(4)));
        const std::string status =
            FileContent(absl::StrCat("/proc/", children.back(), "/status"));
        kill(std::stoi(RestOfLine(status, "PPid:\t")), SIGINT);
      });
  EXPECT_EQ(run.status, kExitInterrupted);
  EXPECT_TRUE(Has(run.output,
                  "interrupted in TestUnitTestProgramSleepsLong, "
                  "TestUnitTestProgramIdleMinute, 1 tests not run\n"))
      << run.output;
  EXPECT_EQ(run.end, "1 passed, 0 failed\n");
  ASSERT_EQ(children.size(), 1u);
  EXPECT_EQ(kill(children[0], 0), -1) << "an orphan";
}

bool IsRunning(const std::string& cmdline_part, pid_t group_leader) {
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    const std::string cmdline = FileContent(process.path() / "cmdline");
    const std::string environment = FileContent(process.path() / "environ");
    if (Has(cmdline, cmdline_part) &&
        Has(environment, absl::StrCat("STRAY_OF=", group_leader))) {
      return true;
    }
  }
  return false;
}

// It would run for 777 seconds, and hold the pipes open.
TEST(Runner, WhatLeavesItsSessionEndsWithItsTest) {
  setenv("STRAY_OF", absl::StrCat(getpid()).c_str(), /*replace=*/1);
  for (const char* parallel : {"1", "4"}) {
    const Outcome run = RunTestPrograms("LeavesADaemon|Pass$",
                                        absl::StrCat("--parallel=", parallel));
    EXPECT_EQ(run.end, "PASS\n3 passed, 0 failed\n") << run.output;
    EXPECT_FALSE(Has(run.all, "cannot be ended")) << run.all;
    EXPECT_FALSE(IsRunning("LeavesADaemon", getpid()));
  }
}

TEST(Runner, WhatLeavesItsSessionOutlivesOtherTests) {
  for (const char* parallel : {"1", "4"}) {
    const Outcome run = RunTestPrograms("NeedsItsDaemon|Pass$|PrintsSeed",
                                        absl::StrCat("--parallel=", parallel));
    EXPECT_EQ(run.end, "PASS\n3 passed, 0 failed\n") << run.output;
  }
}

TEST(Runner, MoreFailedChecksThanAPersonReadsAreCutOut) {
  const Outcome run = RunTestPrograms("RepeatsItsFailure", "--verbose=0");
  EXPECT_LT(run.output.size(), (1u << 20) + 10'000);
  EXPECT_TRUE(Has(run.output, " more failed checks are cut out)\n"));
  EXPECT_EQ(run.end, "FAIL\n0 passed, 1 failed\n");
}

// Runs the program on a terminal; returns what it wrote there, up to the
// counts.
std::string ShownOnATerminal(const std::string& args) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  EXPECT_EQ(grantpt(terminal), 0);
  EXPECT_EQ(unlockpt(terminal), 0);
  const int other_side = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  RunProgram(absl::StrCat(args, " >", ptsname(terminal)));
  std::string shown;
  std::array<char, 4096> buffer;
  // A terminal passes on what was written in pieces, and when it likes.
  pollfd ready{terminal, POLLIN, 0};
  while (!shown.ends_with(" failed\r\n") && poll(&ready, 1, 10'000) > 0) {
    const ssize_t count = read(terminal, buffer.data(), buffer.size());
    if (count <= 0) break;
    shown.append(buffer.data(), static_cast<size_t>(count));
  }
  close(other_side);
  close(terminal);
  return shown;
}

TEST(Runner, ATerminalShowsWhatRuns) {
  const std::string shown =
      ShownOnATerminal("--test_programs --run='Pass$|Computes' --parallel=1");
  EXPECT_TRUE(Has(shown, "0 of 2 done")) << shown;
  EXPECT_TRUE(Has(shown, "1 of 2 done")) << shown;
  EXPECT_TRUE(Has(shown, "running: TestUnitTestProgramComputes")) << shown;
  // Erased before the text.
  EXPECT_TRUE(Has(shown, "\r\x1b[Ka line\r\n")) << shown;
  EXPECT_TRUE(shown.ends_with("2 passed, 0 failed\r\n")) << shown;
}

}  // namespace
}  // namespace runner
