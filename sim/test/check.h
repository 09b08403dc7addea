// Require(): the check of this folder's simulated code, and the stopwatch for
// what has to take its time.
//
// GoogleTest's own checks are not for it: most of what is tested here runs in
// forked processes, and a check must not be a scheduling point.
//
// Thread safety: safe, from any thread, simulated or not.
// Invariants: the first check that does not hold ends its process.

#ifndef SIM_TEST_CHECK_H_
#define SIM_TEST_CHECK_H_

#include <chrono>

namespace sim::test {

// The exit status of a process in which a check did not hold.
inline constexpr int kExitCheckFailed = 3;

// The unit of the durations in these tests: short for those that really wait,
// long against what a scheduling point costs.
inline constexpr std::chrono::milliseconds kTick{4};

// Ends the process, saying where, unless `holds`.
void Require(bool holds, const char* file = __builtin_FILE(),
             int line = __builtin_LINE());

// How late a thread may be in the simulation that runs: the slack of a timer,
// stalls, and some scheduling points of all threads.
std::chrono::nanoseconds AllowedDelay();

// Measures from its construction on, by the steady clock.
class Stopwatch {
 public:
  std::chrono::nanoseconds Elapsed() const { return Clock::now() - start_; }

  // Requires that `time` has passed and, in a simulation, not much more: there
  // it is known how late a thread can be, and on a real machine it is not.
  // `imprecision` is the measured function's own.
  void RequireTook(std::chrono::nanoseconds time,
                   std::chrono::nanoseconds imprecision = {},
                   const char* file = __builtin_FILE(),
                   int line = __builtin_LINE()) const;

 private:
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start_ = Clock::now();
};

}  // namespace sim::test

#endif  // SIM_TEST_CHECK_H_
