// A CondVar for signals that may follow each other within microseconds, such as
// that of a worker's next task. To put a thread to sleep and to wake it takes
// longer than that, so one whose last waits were all brief looks for the signal
// for a while, and yields its processor to any thread that has work, before it
// sleeps. Where waits are long, or there is one processor, it is a CondVar.
//
// Thread safety: as CondVar's; the threads that wait for one use one mutex.
// Always true: a signal that is sent once Wait() has released the mutex ends
// it. Wakeups may be spurious, also of threads that look.

#ifndef BASE_BRIEF_COND_VAR_H_
#define BASE_BRIEF_COND_VAR_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "base/mutex.h"

namespace base {

class BriefCondVar {
 public:
  BriefCondVar() = default;
  BriefCondVar(const BriefCondVar&) = delete;
  BriefCondVar& operator=(const BriefCondVar&) = delete;

  // As those of CondVar.
  void Wait(Mutex* mu) REQUIRES(mu) {
    const Clock::time_point begin = Clock::now();
    if (brief_waits_ >= kBriefWaits && HasSeveralProcessors()) {
      // What the caller waits for may have come while it did not hold `mu`,
      // so it must look again before it sleeps.
      if (!LooksForSignal(mu, begin + kLookingTime)) brief_waits_ = 0;
      return;
    }
    sleepers_.Wait(mu);
    const bool was_brief = Clock::now() - begin < kBriefTime;
    brief_waits_ = was_brief ? std::min(brief_waits_ + 1, kBriefWaits) : 0;
  }
  bool WaitUntil(Mutex* mu, std::chrono::steady_clock::time_point deadline)
      REQUIRES(mu) {
    return sleepers_.WaitUntil(mu, deadline);
  }
  void Signal() {
    signals_.fetch_add(1, std::memory_order_relaxed);
    sleepers_.Signal();
  }
  void SignalAll() {
    signals_.fetch_add(1, std::memory_order_relaxed);
    sleepers_.SignalAll();
  }

 private:
  using Clock = std::chrono::steady_clock;

  // How many waits in a row must have been brief; a burst that is followed by
  // silence, as a leader's heartbeats are, has fewer.
  static constexpr int kBriefWaits = 8;
  static constexpr std::chrono::microseconds kBriefTime{100};
  static constexpr std::chrono::microseconds kLookingTime{50};

  static bool HasSeveralProcessors() {
    static const bool has_several = std::thread::hardware_concurrency() != 1;
    return has_several;
  }

  // Without `mu`; returns false if there was no signal until `deadline`.
  bool LooksForSignal(Mutex* mu, Clock::time_point deadline) REQUIRES(mu) {
    const uint32_t seen = signals_.load(std::memory_order_relaxed);
    const Mutex::Place place = mu->Releasing();
    mu->mu_.unlock();
    bool came = false;
    do {
      std::this_thread::yield();
      came = signals_.load(std::memory_order_relaxed) != seen;
    } while (!came && Clock::now() < deadline);
    mu->mu_.lock();
    mu->Acquired(place);
    return came;
  }

  CondVar sleepers_;
  std::atomic<uint32_t> signals_{0};
  int brief_waits_ = 0;  // in a row; guarded by the mutex of the waiters
};

}  // namespace base

#endif  // BASE_BRIEF_COND_VAR_H_
