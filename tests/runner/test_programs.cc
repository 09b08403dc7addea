// Tests that misbehave, for the runner's own tests to run; and one that idles.
//
// Who runs them: tests/unit/runner/runner_test.cc, with --specimens --run=...,
// or a person; they are in no other list. DISABLED_ keeps them out of
// GoogleTest's runs too; the runner calls them TestUnitSpecimen<Name>.

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

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
#include "tests/harness/raft_cluster.h"

using base::MutexLock;

// Not static, so that its name is in the stacks.
void WaitForNobody(base::Mutex* mu) {
  base::CondVar never;
  MutexLock lock(mu);
  while (true) never.Wait(mu);
}

namespace {

TEST(DISABLED_Specimen, Pass) { std::cout << "a line\n"; }

TEST(DISABLED_Specimen, PartialLine) {
  std::fputs("first\nno line feed", stdout);
}

TEST(DISABLED_Specimen, LongOutput) {
  // More than any pipe holds, and not one line feed.
  const std::string block(1 << 20, 'x');
  for (int i = 0; i < 3; ++i) std::fputs(block.c_str(), stdout);
}

TEST(DISABLED_Specimen, ClosesOutput) {
  std::cout << "last words" << std::endl;
  close(STDOUT_FILENO);
  close(STDERR_FILENO);
}

TEST(DISABLED_Specimen, Fails) {
  std::cout << "before\n";
  ADD_FAILURE_AT("some/where/config.go", 330)
      << "expected one leader, got none";
  std::cout << "after\n";
}

TEST(DISABLED_Specimen, FailsInTwoLines) {
  ADD_FAILURE_AT("config.go", 12) << "one\ntwo";
}

TEST(DISABLED_Specimen, FailsInHelperThread) {
  std::thread helper(
      [] { ADD_FAILURE_AT("helper.cc", 7) << "from another thread"; });
  helper.join();
}

TEST(DISABLED_Specimen, Throws) { throw std::runtime_error("out of paper"); }

TEST(DISABLED_Specimen, Skips) { GTEST_SKIP() << "not today"; }

TEST(DISABLED_Specimen, Crashes) {
  // A core file helps nobody here.
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  raise(SIGSEGV);
}

TEST(DISABLED_Specimen, FailsCheck) {
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  CHECK_EQ(1 + 1, 3) << "sums are off";
}

TEST(DISABLED_Specimen, ExitsEarly) { std::exit(0); }

TEST(DISABLED_Specimen, ExitsWithStatus) { std::exit(5); }

TEST(DISABLED_Specimen, LogsMuch) {
  for (int i = 0; i < 100; ++i) std::cerr << "complaint " << i << "\n";
  LOG(INFO) << "a debug line";
  ADD_FAILURE_AT("log.cc", 1) << "see the log";
}

TEST(DISABLED_Specimen, Hangs) {
  base::Mutex mu;
  std::thread helper([&mu] { WaitForNobody(&mu); });
  WaitForNobody(&mu);
  helper.join();
}

TEST(DISABLED_Specimen, Stops) {
  // Stops every thread, the watchdog's too.
  std::cout << "stopping" << std::endl;
  raise(SIGSTOP);
}

TEST(DISABLED_Specimen, SleepsLong) {
  std::cout << "pid " << getpid() << std::endl;
  std::this_thread::sleep_for(std::chrono::seconds(100));
}

TEST(DISABLED_Specimen, PrintsSeed) {
  std::cout << "drawn from " << base::RunSeed() << "\n";
}

TEST(DISABLED_Specimen, Races) {
  int unguarded = 0;
  std::thread helper([&unguarded] { ++unguarded; });
  ++unguarded;
  helper.join();
  EXPECT_GT(unguarded, 0);
}

TEST(DISABLED_Specimen, ReadsFreedMemory) {
  // Through a volatile pointer, or the compiler sees it and objects.
  int* volatile freed = new int(1);
  delete freed;
  EXPECT_NE(*freed, 1);
}

// What waiting costs: run it simulated, and look at the real time.
TEST(DISABLED_Specimen, IdleMinute) {
  harness::RaftCluster cluster(/*servers=*/5);
  cluster.Begin("Specimen: five servers with nothing to do");
  cluster.CheckOneLeader();
  std::this_thread::sleep_for(std::chrono::minutes(1));
  cluster.End();
}

}  // namespace
