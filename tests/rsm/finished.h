// Counts the threads of a test that have finished, for the thread that waits
// for them within a time.
//
// Thread safety: safe.

#ifndef TESTS_RSM_FINISHED_H_
#define TESTS_RSM_FINISHED_H_

#include <chrono>

#include "base/mutex.h"

namespace tests {

class Finished {
 public:
  explicit Finished(int threads) : left_(threads) {}

  // One more has finished.
  void Add() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    if (--left_ == 0) all_.SignalAll();
  }

  // Waits for all of them; false if they have not finished within `limit`.
  bool Await(std::chrono::milliseconds limit) EXCLUDES(mu_) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    base::MutexLock lock(&mu_);
    while (left_ > 0) {
      if (!all_.WaitUntil(&mu_, deadline)) return left_ == 0;
    }
    return true;
  }

 private:
  base::Mutex mu_;
  base::CondVar all_;
  int left_ ABSL_GUARDED_BY(mu_);
};

// Adds to it when the thread's share of the test ends, however it does.
class WhenFinished {
 public:
  explicit WhenFinished(Finished* finished) : finished_(finished) {}
  ~WhenFinished() { finished_->Add(); }
  WhenFinished(const WhenFinished&) = delete;
  WhenFinished& operator=(const WhenFinished&) = delete;

 private:
  Finished* const finished_;
};

}  // namespace tests

#endif  // TESTS_RSM_FINISHED_H_
