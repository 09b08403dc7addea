#include "tests/runner/watchdog.h"

#include <unistd.h>

#include "tests/runner/child.h"
#include "tests/runner/stacks.h"

namespace runner {

using base::MutexLock;

Watchdog::Watchdog(std::chrono::steady_clock::duration limit)
    : deadline_(std::chrono::steady_clock::now() + limit),
      thread_([this] { WatchLoop(); }) {}

Watchdog::~Watchdog() {
  {
    MutexLock lock(&mu_);
    ended_ = true;
    test_ended_.Signal();
  }
  thread_.join();
}

void Watchdog::WatchLoop() {
  MutexLock lock(&mu_);
  while (!ended_ && std::chrono::steady_clock::now() < deadline_) {
    test_ended_.WaitUntil(&mu_, deadline_);
  }
  if (ended_) return;
  PrintAllStacks(STDERR_FILENO);
  // Not exit(): the threads that hang would hang its clean-up too.
  _exit(kExitHung);
}

}  // namespace runner
