// The signals that the runner waits for: interrupts, and that of a child's end.
//
// Thread safety: for a process with one thread, the runner's; one guard at a
// time.
// Invariant: while a guard exists they are blocked but in Wait(), so that none
// is lost between a look and the wait.

#ifndef TESTS_RUNNER_SIGNALS_H_
#define TESTS_RUNNER_SIGNALS_H_

#include <poll.h>

#include <chrono>
#include <vector>

namespace runner {

// While one exists, SIGINT, SIGTERM and SIGHUP do not end this process.
class SignalGuard {
 public:
  SignalGuard();
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  // True once one of them has come.
  bool interrupted() const;

  // Returns when a file descriptor is ready, a signal comes or has come
  // already, or `patience` is over.
  void Wait(std::vector<pollfd>* fds, std::chrono::nanoseconds patience) const;
};

// In a forked child: signals are as if there were no guard.
void ResetSignals();

}  // namespace runner

#endif  // TESTS_RUNNER_SIGNALS_H_
