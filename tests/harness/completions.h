// Counts calls that complete, until none has for a while.
//
// Thread safety: safe.

#ifndef TESTS_HARNESS_COMPLETIONS_H_
#define TESTS_HARNESS_COMPLETIONS_H_

#include <chrono>

#include "base/mutex.h"

namespace harness {

class Completions {
 public:
  void Add() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    ++count_;
    added_.SignalAll();
  }

  // Returns how many there have been when none came for that long.
  int AwaitSilence(std::chrono::milliseconds silence) EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    int seen = -1;
    while (seen != count_) {
      seen = count_;
      const auto deadline = std::chrono::steady_clock::now() + silence;
      while (seen == count_ && added_.WaitUntil(&mu_, deadline)) {
      }
    }
    return seen;
  }

 private:
  base::Mutex mu_;
  base::CondVar added_;
  int count_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace harness

#endif  // TESTS_HARNESS_COMPLETIONS_H_
