// Mutex, MutexLock and CondVar: the std primitives with clang's thread-safety
// annotations, an owner check, a hook that runs at every release, and a check
// that a thread which is about to wait for long holds none of them.
//
// Why not absl::Mutex: distributions build Abseil without ThreadSanitizer,
// which then cannot see its locks and reports races that are not there. Why
// not std::mutex itself: libstdc++'s carries no annotations, so clang could not
// check which thread holds it.
//
// Thread safety: that is what this file is for.
// Invariants: holder_ names the thread that holds the mutex, or none. The
// mutexes that a thread holds are a list, the one taken last in front.

#ifndef BASE_MUTEX_H_
#define BASE_MUTEX_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
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

  // Blocks until the calling thread holds this mutex; `file` and `line` are the
  // call's.
  // REQUIRES: the calling thread does not hold it already.
  void Lock(const char* file = __builtin_FILE(), int line = __builtin_LINE())
      ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    mu_.lock();
    Acquired({file, line});
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

  // Dies, in every build, if the calling thread holds any mutex of this class:
  // `call`, which it is about to make, may wait for long, and all that want the
  // lock would wait with it.
  static void AssertNoneHeld(std::string_view call) {
    CHECK(newest_held == nullptr)
        << call
        << " is called while this thread holds the lock that it took at "
        << newest_held->taken_at_.Name()
        << "; the call may take seconds, and all that "
        << "need the lock wait";
  }

  // Dies, in every build, unless the calling thread holds this mutex.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {
    CHECK(holder_.load(std::memory_order_relaxed) == std::this_thread::get_id())
        << "this thread does not hold the mutex it needs here";
  }

 private:
  friend class CondVar;
  friend class BriefCondVar;

  // The line that took it.
  struct Place {
    const char* file = "";
    int line = 0;

    std::string Name() const {  // "server.cc:132"
      const std::string_view path = file;
      return std::string(path.substr(path.rfind('/') + 1)) + ":" +
             std::to_string(line);
    }
  };

  void Acquired(Place place) {
    taken_at_ = place;
    holder_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    next_held_ = std::exchange(newest_held, this);
  }
  // Returns where it was taken: after a wait it is held from there again.
  Place Releasing() {
    if (check_) check_();
    holder_.store(std::thread::id(), std::memory_order_relaxed);
    Mutex** held = &newest_held;
    while (*held != this) {  // nearly always the newest, in front
      CHECK(*held != nullptr) << "this thread does not hold what it unlocks";
      held = &(*held)->next_held_;
    }
    *held = next_held_;
    return taken_at_;
  }

  static constinit inline thread_local Mutex* newest_held = nullptr;

  std::mutex mu_;
  std::atomic<std::thread::id> holder_{};
  std::function<void()> check_;
  // While it is held: where it was taken, and the one taken before.
  Place taken_at_;
  Mutex* next_held_ = nullptr;
};

// Holds a Mutex from its construction to the end of its scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mu, const char* file = __builtin_FILE(),
                     int line = __builtin_LINE())
      ABSL_EXCLUSIVE_LOCK_FUNCTION(mu)
      : mu_(mu) {
    mu_->Lock(file, line);
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
    const Mutex::Place place = mu->Releasing();
    cv_.wait(lock);
    mu->Acquired(place);
    lock.release();
  }

  // As Wait, but gives up at `deadline`; returns false if it passed.
  bool WaitUntil(Mutex* mu, std::chrono::steady_clock::time_point deadline)
      REQUIRES(mu) {
    std::unique_lock<std::mutex> lock(mu->mu_, std::adopt_lock);
    const Mutex::Place place = mu->Releasing();
    const std::cv_status status = cv_.wait_until(lock, deadline);
    mu->Acquired(place);
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
