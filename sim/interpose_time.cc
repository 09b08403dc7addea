// Sleeps and clocks. A sleep may end late, never early.

#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <sys/select.h>
#include <sys/time.h>
#include <unistd.h>

#include "sim/interpose.h"

namespace sim {
namespace {

void SleepUntil(Time deadline) {
  scheduler.Point(Op::kSleep, nullptr);
  scheduler.Block(Wait::kSleep, nullptr, deadline);
}

void SleepFor(Time length) { SleepUntil(After(length)); }

// Those that the kernel sleeps by; the real function refuses others, or counts
// the processor's time.
bool IsSleepClock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ||
         clock == CLOCK_BOOTTIME || clock == CLOCK_TAI;
}

// As functions that return 0, or -1 with errno.
int SleepUnlessInvalid(const timespec& length) {
  if (!IsValidForKernel(length)) {
    errno = EINVAL;
    return -1;
  }
  SleepFor(ToTime(length));
  return 0;
}

// Clocks of the processor's time and others stay real.
bool IsVirtual(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
      return true;
    default:
      return false;
  }
}

uint64_t Show(clockid_t clock, bool is_logging) {
  const Time now = is_logging ? scheduler.now() : scheduler.ReadClock();
  return now + (IsRealtime(clock) ? kRealtimeBegin : kMonotonicBegin);
}

timespec ToTimespec(uint64_t time) {
  return {static_cast<time_t>(time / kSecond),
          static_cast<long>(time % kSecond)};
}

}  // namespace
}  // namespace sim

using sim::After;
using sim::IsLogging;
using sim::OnSimulatedThread;
using sim::Real;
using sim::scheduler;
using sim::SleepFor;

extern "C" {

// ------------------------------------------------------------------- sleeps

int nanosleep(const timespec* length, timespec* rest) {
  if (!OnSimulatedThread()) return Real().nanosleep(length, rest);
  return sim::SleepUnlessInvalid(*length);
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* length,
                    timespec* rest) {
  if (!OnSimulatedThread() || !sim::IsSleepClock(clock)) {
    return Real().clock_nanosleep(clock, flags, length, rest);
  }
  if (!sim::IsValidForKernel(*length)) return EINVAL;
  if ((flags & TIMER_ABSTIME) != 0) {
    sim::SleepUntil(sim::ToDeadline(*length, clock));
  } else {
    SleepFor(sim::ToTime(*length));
  }
  return 0;
}

int usleep(useconds_t microseconds) {
  if (!OnSimulatedThread()) return Real().usleep(microseconds);
  SleepFor(microseconds * uint64_t{1000});
  return 0;
}

unsigned sleep(unsigned seconds) {
  if (!OnSimulatedThread()) return Real().sleep(seconds);
  SleepFor(seconds * sim::kSecond);
  return 0;
}

// A short sleep, so that a thread which yields in a loop lets time pass.
int sched_yield() noexcept {
  if (!OnSimulatedThread()) return Real().sched_yield();
  scheduler.Point(sim::Op::kYield, nullptr);
  scheduler.Block(sim::Wait::kYield, nullptr, After(1000));
  return 0;
}

// Without descriptors these are sleeps.
int poll(pollfd* descriptors, nfds_t count, int milliseconds) {
  if (!OnSimulatedThread() || count != 0 || milliseconds < 0) {
    return Real().poll(descriptors, count, milliseconds);
  }
  SleepFor(static_cast<uint64_t>(milliseconds) * 1'000'000);
  return 0;
}

int select(int count, fd_set* to_read, fd_set* to_write, fd_set* exceptions,
           timeval* timeout) {
  if (!OnSimulatedThread() || count != 0 || timeout == nullptr) {
    return Real().select(count, to_read, to_write, exceptions, timeout);
  }
  constexpr long kMicroseconds = 1'000'000;
  return sim::SleepUnlessInvalid(
      {timeout->tv_sec + timeout->tv_usec / kMicroseconds,
       timeout->tv_usec % kMicroseconds * 1000});
}

int ppoll(pollfd* descriptors, nfds_t count, const timespec* timeout,
          const sigset_t* mask) {
  if (!OnSimulatedThread() || count != 0 || timeout == nullptr) {
    return Real().ppoll(descriptors, count, timeout, mask);
  }
  return sim::SleepUnlessInvalid(*timeout);
}

int pselect(int count, fd_set* to_read, fd_set* to_write, fd_set* exceptions,
            const timespec* timeout, const sigset_t* mask) {
  if (!OnSimulatedThread() || count != 0 || timeout == nullptr) {
    return Real().pselect(count, to_read, to_write, exceptions, timeout, mask);
  }
  return sim::SleepUnlessInvalid(*timeout);
}

// Resolution is a second, as in reality; SIGALRM comes in virtual time.
unsigned alarm(unsigned seconds) noexcept {
  if (!OnSimulatedThread()) return Real().alarm(seconds);
  const sim::Time before = scheduler.alarm();
  scheduler.set_alarm(seconds == 0 ? sim::kNever
                                   : After(seconds * sim::kSecond));
  if (before == sim::kNever) return 0;
  // To the nearest second, but a pending one is not none.
  const sim::Time rest = before - scheduler.now() + sim::kSecond / 2;
  return rest < sim::kSecond ? 1 : static_cast<unsigned>(rest / sim::kSecond);
}

// ------------------------------------------------------------------- clocks

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  if (!OnSimulatedThread() || !sim::IsVirtual(clock)) {
    return Real().clock_gettime(clock, now);
  }
  *now = sim::ToTimespec(sim::Show(clock, IsLogging()));
  return 0;
}

int gettimeofday(timeval* now, void* zone) noexcept {
  if (!OnSimulatedThread()) return Real().gettimeofday(now, zone);
  const timespec time = sim::ToTimespec(sim::Show(CLOCK_REALTIME, IsLogging()));
  *now = {time.tv_sec, time.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* now) noexcept {
  if (!OnSimulatedThread()) return Real().time(now);
  const time_t seconds =
      sim::ToTimespec(sim::Show(CLOCK_REALTIME, IsLogging())).tv_sec;
  if (now != nullptr) *now = seconds;
  return seconds;
}

int timespec_get(timespec* now, int base) noexcept {
  if (!OnSimulatedThread() || base != TIME_UTC) {
    return Real().timespec_get(now, base);
  }
  *now = sim::ToTimespec(sim::Show(CLOCK_REALTIME, IsLogging()));
  return base;
}

}  // extern "C"
