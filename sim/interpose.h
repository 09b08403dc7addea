// What the functions that replace the C library's have in common. They stand in
// interpose_*.cc, each a few lines: outside of a simulation the real function,
// otherwise a scheduling point and what it does in virtual time.
//
// Why this works: a symbol that the program itself defines comes before any
// library's, also for calls from libraries. (The C library's own calls stay
// inside it: what blocks there, as C11's mtx_lock() and flockfile() may, blocks
// the whole run.)
//
// Thread safety: as the functions that they replace.

#ifndef SIM_INTERPOSE_H_
#define SIM_INTERPOSE_H_

#include <errno.h>
#include <time.h>

#include <cstdint>

#include "sim/logging_code.h"
#include "sim/real.h"
#include "sim/sched.h"

namespace sim {

// True if logging code has called the function in which this stands; and a
// scheduling point for that function, if not. All else happens then too: a
// library may have called logging code's callback, and that the function with
// its last instruction.
[[gnu::always_inline]] inline bool IsLogging() {
  return IsLoggingCode(__builtin_return_address(0));
}
[[gnu::always_inline]] inline void PointHere(Op op, const void* object) {
  if (!IsLogging()) scheduler.Point(op, object);
}

inline constexpr uint64_t kSecond = 1'000'000'000;

// What the clocks show when a simulation begins.
inline constexpr uint64_t kMonotonicBegin = 1'000 * kSecond;
inline constexpr uint64_t kRealtimeBegin = 1'704'067'200 * kSecond;  // 2024

inline bool IsRealtime(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ||
         clock == CLOCK_TAI;
}

// False if the C library refuses it with EINVAL. A point in time may be before
// 1970: that is past.
inline bool IsValid(const timespec& time) {
  return 0 <= time.tv_nsec && time.tv_nsec < static_cast<long>(kSecond);
}

// The clocks that the C library's waits know; EINVAL for others.
inline bool IsWaitClock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}
inline bool IsValid(const timespec& time, clockid_t clock) {
  return IsWaitClock(clock) && IsValid(time);
}

// The kernel's own calls refuse negative times too.
inline bool IsValidForKernel(const timespec& time) {
  return IsValid(time) && time.tv_sec >= 0;
}

// A length of time in nanoseconds; a negative one is zero, and what does not
// fit is as long as fits.
inline Time ToTime(const timespec& length) {
  constexpr time_t kMost = 9'000'000'000;
  if (length.tv_sec < 0) return 0;
  if (length.tv_sec > kMost) return static_cast<uint64_t>(kMost) * kSecond;
  return static_cast<uint64_t>(length.tv_sec) * kSecond +
         static_cast<uint64_t>(length.tv_nsec);
}

// The virtual time at which `clock` shows `at`; now, if that is past.
inline Time ToDeadline(const timespec& at, clockid_t clock) {
  const uint64_t begin = IsRealtime(clock) ? kRealtimeBegin : kMonotonicBegin;
  const uint64_t shown = ToTime(at);
  const Time deadline = shown > begin ? shown - begin : 0;
  return deadline > scheduler.now() ? deadline : scheduler.now();
}

// The virtual time `length` from now.
inline Time After(Time length) {
  const Time limit = kNever - 1 - scheduler.now();
  return scheduler.now() + (length < limit ? length : limit);
}

// Makes the current thread wait until `attempt` returns something else than
// `busy`, and returns that; or ETIMEDOUT.
template <typename Attempt>
int Acquire(Wait why, const void* object, Time deadline, int busy,
            Attempt attempt) {
  for (;;) {
    const int result = attempt();
    if (result != busy) return result;
    if (!scheduler.Block(why, object, deadline)) {
      const int last = attempt();
      return last == busy ? ETIMEDOUT : last;
    }
  }
}

// Takes a mutex. Returns 0, ETIMEDOUT, or the real function's error.
int LockMutex(pthread_mutex_t* mutex, Time deadline);
// Gives it back, and lets one of those that wait for it try again.
int UnlockMutex(pthread_mutex_t* mutex);

}  // namespace sim

#endif  // SIM_INTERPOSE_H_
