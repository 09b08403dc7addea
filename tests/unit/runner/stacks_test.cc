// Unit tests of tests/runner/stacks.h and watchdog.h within one process.

#include "tests/runner/stacks.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "gtest/gtest.h"
#include "tests/runner/child.h"
#include "tests/runner/watchdog.h"

namespace runner {

struct Gate {
  base::Mutex mu;
  base::CondVar changed;
  bool reached ABSL_GUARDED_BY(mu) = false;
  bool open ABSL_GUARDED_BY(mu) = false;
};

// Outside of the unnamed namespace and never inlined: the test looks for its
// name.
[[gnu::noinline]] void WaitAtTheGate(Gate* gate) {
  base::MutexLock lock(&gate->mu);
  gate->reached = true;
  gate->changed.SignalAll();
  while (!gate->open) gate->changed.Wait(&gate->mu);
}

namespace {

std::string PrintedStacks() {
  std::FILE* const file = std::tmpfile();
  PrintAllStacks(fileno(file));
  std::string text;
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
    text.push_back(static_cast<char>(c));
  }
  std::fclose(file);
  return text;
}

TEST(Stacks, NameTheFunctionAnotherThreadWaitsIn) {
  Gate gate;
  std::thread waiter([&gate] { WaitAtTheGate(&gate); });
  {
    base::MutexLock lock(&gate.mu);
    while (!gate.reached) gate.changed.Wait(&gate.mu);
  }
  // Twice: the second time must not find the first one's stacks.
  for (int i = 0; i < 2; ++i) {
    const std::string text = PrintedStacks();
    EXPECT_NE(text.find("runner::WaitAtTheGate()"), std::string::npos) << text;
  }
  {
    base::MutexLock lock(&gate.mu);
    gate.open = true;
    gate.changed.SignalAll();
  }
  waiter.join();
}

TEST(Watchdog, LeavesATestAloneThatEndsInTime) {
  const Watchdog watchdog(std::chrono::hours(1));
}

TEST(WatchdogDeathTest, EndsTheProcessWithItsStacks) {
  EXPECT_EXIT(
      {
        const Watchdog watchdog(std::chrono::milliseconds(100));
        Gate gate;
        WaitAtTheGate(&gate);
      },
      testing::ExitedWithCode(kExitHung), "thread 1 .main.:");
}

}  // namespace
}  // namespace runner
