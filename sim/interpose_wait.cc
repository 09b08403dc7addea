// Condition variables, semaphores, and what is built on the kernel's futexes
// (futures, atomic waits, latches, barriers): all simulated.

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "sim/interpose.h"
#include "sim/raw.h"

namespace sim {
namespace {

int WaitForSignal(pthread_cond_t* condition, pthread_mutex_t* mutex,
                  Time deadline) {
  scheduler.Point(Op::kWait, condition);
  // No scheduling point from here to Block(): a signal would be lost.
  UnlockMutex(mutex);
  const bool signaled = scheduler.Block(Wait::kCondition, condition, deadline);
  LockMutex(mutex, kNever);
  return signaled ? 0 : ETIMEDOUT;
}

// As sem_wait() and its kin: -1 with errno, if it fails.
int WaitForPost(sem_t* semaphore, Time deadline) {
  scheduler.Point(Op::kSemaphoreWait, semaphore);
  const int error = Acquire(
      Wait::kSemaphore, semaphore, deadline, EAGAIN,
      [semaphore] { return Real().sem_trywait(semaphore) == 0 ? 0 : errno; });
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int TimedWaitForPost(sem_t* semaphore, clockid_t clock, const timespec& until) {
  if (IsValid(until, clock)) {
    return WaitForPost(semaphore, ToDeadline(until, clock));
  }
  errno = EINVAL;
  return -1;
}

// The arguments of futex(2), as far as they are needed.
struct FutexCall {
  int* word;
  int operation;
  int value;
  const timespec* timeout;
  uint32_t bits;  // of the operations that have a choice of waiters
};

Time FutexDeadline(const FutexCall& call) {
  if (call.timeout == nullptr) return kNever;
  // The plain wait's is a length of time, the other one's a point in it.
  if ((call.operation & FUTEX_CMD_MASK) == FUTEX_WAIT) {
    return After(ToTime(*call.timeout));
  }
  const bool is_realtime = (call.operation & FUTEX_CLOCK_REALTIME) != 0;
  return ToDeadline(*call.timeout,
                    is_realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC);
}

long FutexWait(const FutexCall& call) {
  if (call.timeout != nullptr && !IsValidForKernel(*call.timeout)) {
    errno = EINVAL;
    return -1;
  }
  scheduler.Point(Op::kFutexWait, call.word);
  if (__atomic_load_n(call.word, __ATOMIC_SEQ_CST) != call.value) {
    errno = EAGAIN;
    return -1;
  }
  if (scheduler.Block(Wait::kFutex, call.word, FutexDeadline(call))) return 0;
  errno = ETIMEDOUT;
  return -1;
}

long Futex(const FutexCall& call) {
  const int command = call.operation & FUTEX_CMD_MASK;
  const bool has_bits =
      command == FUTEX_WAIT_BITSET || command == FUTEX_WAKE_BITSET;
  if (has_bits && call.bits != FUTEX_BITSET_MATCH_ANY) {
    scheduler.GiveUp(kExitUnsupported,
                     "a futex operation on some of the waiters");
  }
  switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
      return FutexWait(call);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: {
      const int woken = scheduler.Wake(call.word, call.value);
      scheduler.Point(Op::kFutexWake, call.word);
      return woken;
    }
    default:
      scheduler.GiveUp(kExitUnsupported,
                       "a futex operation other than wait and wake");
  }
}

}  // namespace
}  // namespace sim

using sim::kNever;
using sim::OnSimulatedThread;
using sim::Op;
using sim::PointHere;
using sim::Real;
using sim::scheduler;
using sim::ToDeadline;

extern "C" {

// ------------------------------------------------------ condition variables

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  if (!OnSimulatedThread()) return Real().pthread_cond_wait(condition, mutex);
  return sim::WaitForSignal(condition, mutex, kNever);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
  if (!OnSimulatedThread()) {
    return Real().pthread_cond_timedwait(condition, mutex, until);
  }
  if (!sim::IsValid(*until)) return EINVAL;
  // The clock that pthread_condattr_setclock() chose.
  const bool is_monotonic = (condition->__data.__wrefs & 2) != 0;
  const clockid_t clock = is_monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME;
  return sim::WaitForSignal(condition, mutex, ToDeadline(*until, clock));
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           clockid_t clock, const timespec* until) {
  if (!OnSimulatedThread()) {
    return Real().pthread_cond_clockwait(condition, mutex, clock, until);
  }
  if (!sim::IsValid(*until, clock)) return EINVAL;
  return sim::WaitForSignal(condition, mutex, ToDeadline(*until, clock));
}

int pthread_cond_signal(pthread_cond_t* condition) {
  if (!OnSimulatedThread()) return Real().pthread_cond_signal(condition);
  scheduler.Wake(condition, 1);
  PointHere(Op::kSignal, condition);
  return 0;
}

int pthread_cond_broadcast(pthread_cond_t* condition) {
  if (!OnSimulatedThread()) return Real().pthread_cond_broadcast(condition);
  scheduler.Wake(condition, sim::Scheduler::kMaxThreads);
  PointHere(Op::kBroadcast, condition);
  return 0;
}

int pthread_barrier_wait(pthread_barrier_t* barrier) {
  if (!OnSimulatedThread()) return Real().pthread_barrier_wait(barrier);
  scheduler.GiveUp(sim::kExitUnsupported,
                   "pthread_barrier_wait() (std::barrier is simulated)");
}

// --------------------------------------------------------------- semaphores

int sem_wait(sem_t* semaphore) {
  if (!OnSimulatedThread()) return Real().sem_wait(semaphore);
  return sim::WaitForPost(semaphore, kNever);
}

int sem_trywait(sem_t* semaphore) noexcept {
  if (OnSimulatedThread()) PointHere(Op::kSemaphoreWait, semaphore);
  return Real().sem_trywait(semaphore);
}

int sem_timedwait(sem_t* semaphore, const timespec* until) {
  if (!OnSimulatedThread()) return Real().sem_timedwait(semaphore, until);
  return sim::TimedWaitForPost(semaphore, CLOCK_REALTIME, *until);
}

int sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* until) {
  if (!OnSimulatedThread())
    return Real().sem_clockwait(semaphore, clock, until);
  return sim::TimedWaitForPost(semaphore, clock, *until);
}

int sem_post(sem_t* semaphore) noexcept {
  const int result = Real().sem_post(semaphore);
  if (OnSimulatedThread()) {
    scheduler.Wake(semaphore, 1);
    PointHere(Op::kSemaphorePost, semaphore);
  }
  return result;
}

// ------------------------------------------------------------- system calls

// The C++ library's futexes come through here; so do the thread ids that logs
// show, which must not differ from run to run.
long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  if (sim::OnSimulatedThread()) {
    if (number == SYS_futex) {
      return sim::Futex({reinterpret_cast<int*>(a[0]), static_cast<int>(a[1]),
                         static_cast<int>(a[2]),
                         reinterpret_cast<const timespec*>(a[3]),
                         static_cast<uint32_t>(a[5])});
    }
    if (number == SYS_gettid) return gettid();
    if (number == SYS_sched_yield) return sched_yield();
    if (number == SYS_getrandom) {
      return getrandom(reinterpret_cast<void*>(a[0]), static_cast<size_t>(a[1]),
                       static_cast<unsigned>(a[2]));
    }
  }
  const long result =
      sim::RawSyscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (result >= 0 || result < -4095) return result;
  errno = static_cast<int>(-result);
  return -1;
}

}  // extern "C"
