#include "tests/runner/watchdog.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "tests/runner/child.h"
#include "tests/runner/stacks.h"

namespace runner {
namespace {

constexpr std::chrono::milliseconds kSample{10};

}  // namespace

using base::MutexLock;

Watchdog::Watchdog(Clock::duration limit, OnLate on_late)
    : deadline_(Clock::now() + limit), on_late_(std::move(on_late)) {
  if (on_late_) on_late_(worst_);
  thread_ = std::thread([this] { WatchLoop(); });
}

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
  while (!ended_ && Clock::now() < deadline_) {
    const Clock::time_point due =
        on_late_ ? std::min(deadline_, Clock::now() + kSample) : deadline_;
    test_ended_.WaitUntil(&mu_, due);
    if (on_late_ && !ended_) NoteLateness(due);
  }
  if (ended_) return;
  PrintAllStacks(STDERR_FILENO);
  // Not exit(): the threads that hang would hang its clean-up too.
  _exit(kExitHung);
}

void Watchdog::NoteLateness(Clock::time_point due) {
  const auto late =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - due);
  if (late <= worst_) return;
  worst_ = late;
  on_late_(late);
}

}  // namespace runner
