// Mutex, MutexLock and CondVar: the std primitives with clang's thread-safety
// annotations, an owner check, and a hook that runs at every release.
//
// Why not absl::Mutex: distributions build Abseil without ThreadSanitizer,
// which then cannot see its locks and reports races that are not there. Why
// not std::mutex itself: libstdc++'s carries no annotations, so clang could not
// check which thread holds it.
//
// Thread safety: that is what this file is for.
// Invariants: holder_ names the thread that holds the mutex, or none.

#ifndef BASE_MUTEX_H_
#define BASE_MUTEX_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "base/logging.h"

// For clang's analysis: the caller of the function must hold these mutexes, or
// must hold none of them.
#define REQUIRES(...) ABSL_EXCLUSIVE_LOCKS_REQUIRED(__VA_ARGS__)
#define EXCLUDES(...) ABSL_LOCKS_EXCLUDED(__VA_ARGS__)

namespace base {

class CondVar;

// A non-recursive lock. Prefer MutexLock to calling Lock and Unlock by hand.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  // Blocks until the calling thread holds this mutex.
  // REQUIRES: the calling thread does not hold it already.
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    mu_.lock();
    Acquired();
  }

  // Runs the release check, then lets the next thread in.
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    Releasing();
    mu_.unlock();
  }

  // Runs `check` before every release of this mutex, waits included, to verify
  // what it guards. REQUIRES: the mutex is not yet shared between threads.
  void CheckOnRelease(std::function<void()> check) {
    check_ = std::move(check);
  }

  // Dies, in every build, unless the calling thread holds this mutex.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {
    CHECK(holder_.load(std::memory_order_relaxed) == std::this_thread::get_id())
        << "this thread does not hold the mutex it needs here";
  }

 private:
  friend class CondVar;

  void Acquired() {
    holder_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  void Releasing() {
    if (check_) check_();
    holder_.store(std::thread::id(), std::memory_order_relaxed);
  }

  std::mutex mu_;
  std::atomic<std::thread::id> holder_{};
  std::function<void()> check_;
};

// Holds a Mutex from its construction to the end of its scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mu) ABSL_EXCLUSIVE_LOCK_FUNCTION(mu) : mu_(mu) {
    mu_->Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mu_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mu_;
};

// A condition variable for one event; name it for that event. Wakeups may be
// spurious: wait in a plain `while (!ready) cv.Wait(&mu_);` (clang cannot see
// the lock inside a predicate lambda).
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  // Releases `mu`, waits for a signal, and takes `mu` again.
  void Wait(Mutex* mu) REQUIRES(mu) {
    std::unique_lock<std::mutex> lock(mu->mu_, std::adopt_lock);
    mu->Releasing();
    cv_.wait(lock);
    mu->Acquired();
    lock.release();
  }

  // As Wait, but gives up at `deadline`; returns false if it passed.
  bool WaitUntil(Mutex* mu, std::chrono::steady_clock::time_point deadline)
      REQUIRES(mu) {
    std::unique_lock<std::mutex> lock(mu->mu_, std::adopt_lock);
    mu->Releasing();
    const std::cv_status status = cv_.wait_until(lock, deadline);
    mu->Acquired();
    lock.release();
    return status == std::cv_status::no_timeout;
  }

  // Wakes one waiter, or all of them. Holding the mutex is not required.
  void Signal() { cv_.notify_one(); }
  void SignalAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace base

#endif  // BASE_MUTEX_H_
