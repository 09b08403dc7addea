// Ends a test that hangs: prints the stack of every thread to standard error
// and ends the process with kExitHung. Until then it tells by how much this
// machine lets threads wait: a test that fails on a busy one may not be wrong.
//
// Thread safety: confined to its owner, the child's main thread, which has one
// for the duration of its test; it runs one thread, joined by the destructor.

#ifndef TESTS_RUNNER_WATCHDOG_H_
#define TESTS_RUNNER_WATCHDOG_H_

#include <chrono>
#include <functional>
#include <thread>

#include "base/mutex.h"

namespace runner {

class Watchdog {
 public:
  // Called on the watchdog's thread.
  using OnLate = std::function<void(std::chrono::milliseconds late)>;

  // Starts to watch; the process ends when `limit` has passed. `on_late`, if
  // given, hears at once, and each time that the thread wakes up later than it
  // ever did. Without, the thread wakes up at the end only: a simulated run
  // must not depend on it.
  explicit Watchdog(std::chrono::steady_clock::duration limit,
                    OnLate on_late = {});

  // Stops watching.
  ~Watchdog();

  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  void WatchLoop() EXCLUDES(mu_);
  void NoteLateness(Clock::time_point due) REQUIRES(mu_);

  const Clock::time_point deadline_;
  const OnLate on_late_;

  base::Mutex mu_;
  base::CondVar test_ended_;  // wakes WatchLoop()
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  std::chrono::milliseconds worst_ ABSL_GUARDED_BY(mu_){0};

  std::thread thread_;
};

}  // namespace runner

#endif  // TESTS_RUNNER_WATCHDOG_H_
