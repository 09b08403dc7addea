// What a test that has failed closes, so that its threads wait for nothing.
//
// Thread safety: safe. Lock order: mu_ is a leaf; nothing is closed under it.

#ifndef TESTS_HARNESS_CLOSING_H_
#define TESTS_HARNESS_CLOSING_H_

#include <functional>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace harness {

class Closing {
 public:
  // `close` runs once: in CloseAll(), or now if that has been called. It may
  // outlive what it closes.
  void Add(std::function<void()> close) EXCLUDES(mu_) {
    {
      base::MutexLock lock(&mu_);
      if (!closed_) {
        closes_.push_back(std::move(close));
        return;
      }
    }
    close();
  }

  void CloseAll() EXCLUDES(mu_) {
    std::vector<std::function<void()>> closes;
    {
      base::MutexLock lock(&mu_);
      closed_ = true;
      closes.swap(closes_);
    }
    for (const std::function<void()>& close : closes) close();
  }

 private:
  base::Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::function<void()>> closes_ ABSL_GUARDED_BY(mu_);
};

}  // namespace harness

#endif  // TESTS_HARNESS_CLOSING_H_
