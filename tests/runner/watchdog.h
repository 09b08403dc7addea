// Ends a test that hangs: prints the stack of every thread to standard error
// and ends the process with kExitHung.
//
// Thread safety: confined to its owner, the child's main thread, which has one
// for the duration of its test; it runs one thread, joined by the destructor.

#ifndef TESTS_RUNNER_WATCHDOG_H_
#define TESTS_RUNNER_WATCHDOG_H_

#include <chrono>
#include <thread>

#include "base/mutex.h"

namespace runner {

class Watchdog {
 public:
  // Starts to watch; the process ends when `limit` has passed.
  explicit Watchdog(std::chrono::steady_clock::duration limit);

  // Stops watching.
  ~Watchdog();

  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void WatchLoop() EXCLUDES(mu_);

  const std::chrono::steady_clock::time_point deadline_;

  base::Mutex mu_;
  base::CondVar test_ended_;  // wakes WatchLoop()
  bool ended_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace runner

#endif  // TESTS_RUNNER_WATCHDOG_H_
