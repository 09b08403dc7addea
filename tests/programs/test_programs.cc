// Tests that misbehave, for the runner's own tests to run; and one that idles.
//
// tests/unit/runner/runner_test.cc runs them, with --test_programs --run=...;
// they are in no other list. DISABLED_ keeps them out of GoogleTest's runs too;
// the runner calls them TestUnitTestProgram<Name>.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/logging.h"
#include "base/mutex.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/harness/failure.h"
#include "tests/harness/raft_cluster.h"

using base::MutexLock;

// Not static, so that its name is in the stacks.
void WaitForever(base::Mutex* mu) {
  base::CondVar never;
  MutexLock lock(mu);
  while (true) never.Wait(mu);
}

namespace {

TEST(DISABLED_TestProgram, Pass) { std::cout << "a line\n"; }

TEST(DISABLED_TestProgram, PartialLine) {
  std::fputs("first\nno line feed", stdout);
}

TEST(DISABLED_TestProgram, LongOutput) {
  // More than any pipe holds, and not one line feed.
  const std::string block(1 << 20, 'x');
  for (int i = 0; i < 3; ++i) std::fputs(block.c_str(), stdout);
}

TEST(DISABLED_TestProgram, ClosesOutput) {
  std::cout << "last words" << std::endl;
  close(STDOUT_FILENO);
  close(STDERR_FILENO);
}

TEST(DISABLED_TestProgram, Fails) {
  std::cout << "before\n";
  ADD_FAILURE_AT("some/where/config.go", 330)
      << "expected one leader, got none";
  std::cout << "after\n";
}

TEST(DISABLED_TestProgram, FailsInTwoLines) {
  ADD_FAILURE_AT("config.go", 12) << "one\ntwo";
}

TEST(DISABLED_TestProgram, FailsInHelperThread) {
  std::thread helper(
      [] { ADD_FAILURE_AT("helper.cc", 7) << "from another thread"; });
  helper.join();
}

TEST(DISABLED_TestProgram, IsLate) {
  harness::Fail(harness::Kind::kLiveness, "too late");
}

TEST(DISABLED_TestProgram, IsLateAndWrong) {
  harness::ReportFailure({harness::Kind::kLiveness, "too late"},
                         harness::Place::Here());
  harness::Fail(harness::Kind::kSafety, "and wrong");
}

TEST(DISABLED_TestProgram, BreaksARule) {
  harness::Fail({.message = "oracle: a rule", .by_oracle = true});
}

TEST(DISABLED_TestProgram, ListsItsFiles) {
  std::string open;
  for (int fd = 0; fd < 100; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) open += " " + std::to_string(fd);
  }
  std::cout << "open:" << open << "\n";
}

TEST(DISABLED_TestProgram, Throws) { throw std::runtime_error("out of paper"); }

TEST(DISABLED_TestProgram, Skips) { GTEST_SKIP() << "not today"; }

TEST(DISABLED_TestProgram, Crashes) {
  // A core file is of no use here.
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  raise(SIGSEGV);
}

TEST(DISABLED_TestProgram, FailsCheck) {
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  CHECK_EQ(1 + 1, 3) << "sums are off";
}

TEST(DISABLED_TestProgram, ExitsEarly) { std::exit(0); }

TEST(DISABLED_TestProgram, ExitsWithStatus) { std::exit(5); }

TEST(DISABLED_TestProgram, FailsAndExitsWell) {
  std::atexit([] { _exit(0); });
  ADD_FAILURE_AT("log.cc", 1) << "one is missing";
}

TEST(DISABLED_TestProgram, LogsMuch) {
  for (int i = 0; i < 100; ++i) std::cerr << "complaint " << i << "\n";
  LOG(INFO) << "a debug line";
  ADD_FAILURE_AT("log.cc", 1) << "see the log";
}

TEST(DISABLED_TestProgram, Hangs) {
  base::Mutex mu;
  std::thread helper([&mu] { WaitForever(&mu); });
  WaitForever(&mu);
  helper.join();
}

// The two that follow pass only if both run at the same time: each waits until
// the other has opened the pipe too.
TEST(DISABLED_TestProgram, MeetsAnother) {
  std::cout << "waiting" << std::endl;
  EXPECT_GE(open(std::getenv("MEETING_PLACE"), O_RDONLY), 0);
}

TEST(DISABLED_TestProgram, MeetsTheFirst) {
  std::cout << "coming" << std::endl;
  EXPECT_GE(open(std::getenv("MEETING_PLACE"), O_WRONLY), 0);
}

// Starts a process of another session and without a parent, which holds all
// pipes. It runs `body`.
template <typename Body>
void StartDaemon(Body body) {
  const pid_t parent = fork();
  if (parent == 0) {
    setsid();
    if (fork() == 0) body();
    _exit(0);
  }
  int status = 0;
  waitpid(parent, &status, 0);
}

void SleepForMinutes() {
  for (int i = 0; i < 777; ++i) sleep(1);
}

TEST(DISABLED_TestProgram, LeavesADaemon) { StartDaemon(SleepForMinutes); }
TEST(DISABLED_TestProgram, LeavesADaemonToo) { StartDaemon(SleepForMinutes); }

TEST(DISABLED_TestProgram, NeedsItsDaemon) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  StartDaemon([&ends] {
    usleep(300'000);
    EXPECT_EQ(write(ends[1], "x", 1), 1);
  });
  close(ends[1]);
  char byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), 1);
}

TEST(DISABLED_TestProgram, RepeatsItsFailure) {
  const std::string much(10'000, 'x');
  for (int i = 0; i < 200; ++i) ADD_FAILURE_AT("config.go", 1) << much;
}

TEST(DISABLED_TestProgram, Computes) {
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  while (std::chrono::steady_clock::now() < end) {
  }
}

TEST(DISABLED_TestProgram, Stops) {
  // Stops every thread, the watchdog's too.
  std::cout << "stopping" << std::endl;
  raise(SIGSTOP);
}

TEST(DISABLED_TestProgram, SleepsLong) {
  std::cout << "pid " << getpid() << std::endl;
  std::this_thread::sleep_for(std::chrono::seconds(100));
}

TEST(DISABLED_TestProgram, PrintsSeed) {
  std::cout << "drawn from " << base::RunSeed() << "\n";
}

TEST(DISABLED_TestProgram, Races) {
  int unguarded = 0;
  std::thread helper([&unguarded] { ++unguarded; });
  ++unguarded;
  helper.join();
  EXPECT_GT(unguarded, 0);
}

TEST(DISABLED_TestProgram, ReadsFreedMemory) {
  // Through a volatile pointer, or the compiler sees it and objects.
  int* volatile freed = new int(1);
  delete freed;
  EXPECT_NE(*freed, 1);
}

// What waiting costs: run it simulated, and look at the real time.
TEST(DISABLED_TestProgram, IdleMinute) {
  harness::RaftCluster cluster(/*servers=*/5);
  cluster.Begin("Test program: five servers with nothing to do");
  cluster.CheckOneLeader();
  std::this_thread::sleep_for(std::chrono::minutes(1));
  cluster.End();
}

}  // namespace
