// Mutexes, read-write locks, once flags and static variables' guards.
//
// A mutex that is free is taken with the real function, which cannot block
// since only one thread runs; so a sanitizer sees the program's locking, and
// only that. Not with trylock: ThreadSanitizer learns the order of locks from
// those that may block.

#include <pthread.h>

#include "sim/interpose.h"
#include "sim/waits.h"

namespace sim {
namespace {

// The real lock() returns at once: the mutex is free, or it is ours and allows
// or refuses that.
bool CanLock(const pthread_mutex_t* mutex) {
  if (mutex->__data.__lock == 0) return true;
  if (mutex->__data.__owner != self->tid) return false;
  const int kind = mutex->__data.__kind & 3;
  return kind == PTHREAD_MUTEX_RECURSIVE_NP ||
         kind == PTHREAD_MUTEX_ERRORCHECK_NP;
}

// The time of a mutex that is free is not looked at.
int TimedLock(pthread_mutex_t* mutex, clockid_t clock, const timespec& until) {
  if (!IsWaitClock(clock)) return EINVAL;
  if (!IsValid(until) && !CanLock(mutex)) return EINVAL;
  return LockMutex(mutex, ToDeadline(until, clock));
}

int UnlockRwlock(pthread_rwlock_t* lock) {
  const int result = Real().pthread_rwlock_unlock(lock);
  scheduler.Wake(lock, Scheduler::kMaxThreads);
  return result;
}

bool IsMine(const pthread_rwlock_t* lock) {
  return lock->__data.__cur_writer == self->tid;
}

int ReadLock(pthread_rwlock_t* lock, Time deadline) {
  if (IsMine(lock)) return EDEADLK;
  return Acquire(Wait::kRwlock, lock, deadline, EBUSY,
                 [lock] { return Real().pthread_rwlock_tryrdlock(lock); });
}

int TimedReadLock(pthread_rwlock_t* lock, clockid_t clock,
                  const timespec& until) {
  if (!IsValid(until, clock)) return EINVAL;
  return ReadLock(lock, ToDeadline(until, clock));
}

int WriteLock(pthread_rwlock_t* lock, Time deadline) {
  if (IsMine(lock)) return EDEADLK;
  return Acquire(Wait::kRwlock, lock, deadline, EBUSY,
                 [lock] { return Real().pthread_rwlock_trywrlock(lock); });
}

int TimedWriteLock(pthread_rwlock_t* lock, clockid_t clock,
                   const timespec& until) {
  if (!IsValid(until, clock)) return EINVAL;
  return WriteLock(lock, ToDeadline(until, clock));
}

// Ends the wait for a pthread_once() also if its function throws.
class BusyScope {
 public:
  explicit BusyScope(const void* object) : object_(object) {
    BeginBusy(object_);
  }
  ~BusyScope() { EndBusy(object_); }
  BusyScope(const BusyScope&) = delete;
  BusyScope& operator=(const BusyScope&) = delete;

 private:
  const void* const object_;
};

}  // namespace

int LockMutex(pthread_mutex_t* mutex, Time deadline) {
  constexpr int kRobust = 16;  // of glibc's kinds
  if ((mutex->__data.__kind & kRobust) != 0)
    scheduler.GiveUp(kExitUnsupported, "a robust mutex");
  while (!CanLock(mutex)) {
    if (!scheduler.Block(Wait::kMutex, mutex, deadline) && !CanLock(mutex)) {
      return ETIMEDOUT;
    }
  }
  return Real().pthread_mutex_lock(mutex);
}

int UnlockMutex(pthread_mutex_t* mutex) {
  const int result = Real().pthread_mutex_unlock(mutex);
  scheduler.Wake(mutex, 1);
  return result;
}

}  // namespace sim

using sim::OnSimulatedThread;
using sim::Op;
using sim::PointHere;
using sim::Real;
using sim::scheduler;

extern "C" {

// ------------------------------------------------------------------ mutexes

int pthread_mutex_lock(pthread_mutex_t* mutex) {
  if (!OnSimulatedThread()) return Real().pthread_mutex_lock(mutex);
  PointHere(Op::kLock, mutex);
  return sim::LockMutex(mutex, sim::kNever);
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) {
  if (OnSimulatedThread()) PointHere(Op::kTryLock, mutex);
  return Real().pthread_mutex_trylock(mutex);
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) {
  if (!OnSimulatedThread()) return Real().pthread_mutex_unlock(mutex);
  const int result = sim::UnlockMutex(mutex);
  PointHere(Op::kUnlock, mutex);
  return result;
}

int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* until) {
  if (!OnSimulatedThread()) return Real().pthread_mutex_timedlock(mutex, until);
  PointHere(Op::kLock, mutex);
  return sim::TimedLock(mutex, CLOCK_REALTIME, *until);
}

int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                            const timespec* until) {
  if (!OnSimulatedThread()) {
    return Real().pthread_mutex_clocklock(mutex, clock, until);
  }
  PointHere(Op::kLock, mutex);
  return sim::TimedLock(mutex, clock, *until);
}

// --------------------------------------------------------- read-write locks

int pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  if (!OnSimulatedThread()) return Real().pthread_rwlock_rdlock(lock);
  PointHere(Op::kReadLock, lock);
  return sim::ReadLock(lock, sim::kNever);
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
  if (!OnSimulatedThread()) return Real().pthread_rwlock_wrlock(lock);
  PointHere(Op::kWriteLock, lock);
  return sim::WriteLock(lock, sim::kNever);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) {
  if (OnSimulatedThread()) PointHere(Op::kReadLock, lock);
  return Real().pthread_rwlock_tryrdlock(lock);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t* lock) {
  if (OnSimulatedThread()) PointHere(Op::kWriteLock, lock);
  return Real().pthread_rwlock_trywrlock(lock);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t* lock, const timespec* until) {
  if (!OnSimulatedThread())
    return Real().pthread_rwlock_timedrdlock(lock, until);
  PointHere(Op::kReadLock, lock);
  return sim::TimedReadLock(lock, CLOCK_REALTIME, *until);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t* lock, const timespec* until) {
  if (!OnSimulatedThread())
    return Real().pthread_rwlock_timedwrlock(lock, until);
  PointHere(Op::kWriteLock, lock);
  return sim::TimedWriteLock(lock, CLOCK_REALTIME, *until);
}

int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock,
                               const timespec* until) {
  if (!OnSimulatedThread()) {
    return Real().pthread_rwlock_clockrdlock(lock, clock, until);
  }
  PointHere(Op::kReadLock, lock);
  return sim::TimedReadLock(lock, clock, *until);
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock,
                               const timespec* until) {
  if (!OnSimulatedThread()) {
    return Real().pthread_rwlock_clockwrlock(lock, clock, until);
  }
  PointHere(Op::kWriteLock, lock);
  return sim::TimedWriteLock(lock, clock, *until);
}

int pthread_rwlock_unlock(pthread_rwlock_t* lock) {
  if (!OnSimulatedThread()) return Real().pthread_rwlock_unlock(lock);
  const int result = sim::UnlockRwlock(lock);
  PointHere(Op::kRwlockUnlock, lock);
  return result;
}

// ------------------------------------------- once flags and static variables

int pthread_once(pthread_once_t* flag, void (*function)()) {
  if (!OnSimulatedThread()) return Real().pthread_once(flag, function);
  while (sim::IsBusy(flag)) {
    scheduler.Block(sim::Wait::kOnce, flag, sim::kNever);
  }
  const sim::BusyScope busy(flag);
  return Real().pthread_once(flag, function);
}

int __cxa_guard_acquire(uint64_t* guard) {
  if (!OnSimulatedThread()) return Real().cxa_guard_acquire(guard);
  while (sim::IsBusy(guard)) {
    scheduler.Block(sim::Wait::kGuard, guard, sim::kNever);
  }
  const int result = Real().cxa_guard_acquire(guard);
  if (result != 0) sim::BeginBusy(guard);
  return result;
}

void __cxa_guard_release(uint64_t* guard) {
  Real().cxa_guard_release(guard);
  if (OnSimulatedThread()) sim::EndBusy(guard);
}

void __cxa_guard_abort(uint64_t* guard) {
  Real().cxa_guard_abort(guard);
  if (OnSimulatedThread()) sim::EndBusy(guard);
}

}  // extern "C"
