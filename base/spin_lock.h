// SpinLock and SpinLockHolder: a lock for a few instructions, a leaf of every
// lock order.
//
// For code that watches a program and must not change what it does: taking it
// never puts a thread to sleep, and it is no scheduling point of the simulator
// (sim/README.md), so that a run with it is the run without it. All other code
// takes base/mutex.h.
//
// Thread safety: that is what this file is for.

#ifndef BASE_SPIN_LOCK_H_
#define BASE_SPIN_LOCK_H_

#include <pthread.h>

#include "absl/base/thread_annotations.h"

namespace base {

// Not recursive. Hold it for no wait, no input or output and no other lock.
class ABSL_LOCKABLE SpinLock {
 public:
  SpinLock() { pthread_spin_init(&lock_, PTHREAD_PROCESS_PRIVATE); }
  ~SpinLock() { pthread_spin_destroy(&lock_); }
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { pthread_spin_lock(&lock_); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { pthread_spin_unlock(&lock_); }

 private:
  pthread_spinlock_t lock_;
};

// Holds a SpinLock from its construction to the end of its scope.
class ABSL_SCOPED_LOCKABLE SpinLockHolder {
 public:
  explicit SpinLockHolder(SpinLock* lock) ABSL_EXCLUSIVE_LOCK_FUNCTION(lock)
      : lock_(lock) {
    lock_->Lock();
  }
  ~SpinLockHolder() ABSL_UNLOCK_FUNCTION() { lock_->Unlock(); }
  SpinLockHolder(const SpinLockHolder&) = delete;
  SpinLockHolder& operator=(const SpinLockHolder&) = delete;

 private:
  SpinLock* const lock_;
};

}  // namespace base

#endif  // BASE_SPIN_LOCK_H_
