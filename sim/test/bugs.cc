#include "sim/test/bugs.h"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "sim/test/check.h"
#include "sim/test/forked.h"

namespace sim::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// Six threads that lock and sleep; they never meet the ones with the bug.
class Noise {
 public:
  Noise() {
    for (size_t i = 0; i < 6; ++i) threads_.emplace_back([this, i] { Run(i); });
  }

 private:
  void Run(size_t me) {
    for (size_t i = 0; i < 60; ++i) {
      NoteProgress();
      const size_t place = (me + i) % counts_.size();
      {
        const std::lock_guard<std::mutex> lock(mutexes_[place]);
        ++counts_[place];
      }
      if (i % 5 == 0) std::this_thread::sleep_for(microseconds(700 + 100 * me));
    }
  }

  std::array<std::mutex, 4> mutexes_;
  std::array<long, 4> counts_ = {};
  std::vector<std::jthread> threads_;  // last: joined before the rest goes
};

// Both, beside the noise, to their end.
void RunBoth(const std::function<void()>& first,
             const std::function<void()>& second) {
  const Noise noise;
  const std::jthread first_thread(first);
  const std::jthread second_thread(second);
}

void Wait(std::chrono::nanoseconds time) { std::this_thread::sleep_for(time); }

class Voter {
 public:
  explicit Voter(Version version) : version_(version) {}

  void RequestVote(int candidate) {
    std::unique_lock<std::mutex> lock(mu_);
    if (voted_for_ >= 0) return;
    if (version_ == Version::kBuggy) {
      lock.unlock();
      lock.lock();
    }
    voted_for_ = candidate;
    ++granted_;
  }

  int granted() const { return granted_; }

 private:
  const Version version_;
  std::mutex mu_;
  int voted_for_ = -1;
  int granted_ = 0;
};

void TwoRivals(Version version, milliseconds between) {
  Voter voter(version);
  RunBoth(
      [&] {
        Wait(milliseconds(5));
        voter.RequestVote(0);
      },
      [&] {
        Wait(milliseconds(5) + between);
        voter.RequestVote(1);
      });
  Require(voter.granted() == 1);
}

// A stage that only the right step at the right time moves on.
class Stages {
 public:
  void Step(int from, int to) {
    const std::lock_guard<std::recursive_mutex> lock(mu_);
    if (stage_ == from) stage_ = to;
  }

  // Takes the lock for nothing.
  void Visit(int times) {
    for (int i = 0; i < times; ++i) Step(-1, -1);
  }

  std::recursive_mutex mu_;
  int stage_ = 0;
};

}  // namespace

void LostWakeup(Version version) {
  const bool is_right = version == Version::kCorrect;
  std::mutex mu;
  std::condition_variable became_ready;
  std::atomic<bool> is_ready{false};
  RunBoth(
      [&] {
        Wait(milliseconds(3));
        if (is_right) {
          std::unique_lock<std::mutex> lock(mu);
          while (!is_ready) became_ready.wait(lock);
        } else if (!is_ready) {
          std::unique_lock<std::mutex> lock(mu);
          became_ready.wait(lock);
        }
      },
      [&] {
        Wait(milliseconds(3));
        std::unique_lock<std::mutex> lock(mu, std::defer_lock);
        if (is_right) lock.lock();
        is_ready = true;
        became_ready.notify_one();
      });
}

void LockOrder(Version version) {
  std::mutex a;
  std::mutex b;
  std::mutex& first = a;
  std::mutex& second = b;
  const bool is_right = version == Version::kCorrect;
  const auto use_both = [](std::mutex* outer, std::mutex* inner,
                           microseconds pause) {
    for (int i = 0; i < 10; ++i) {
      {
        const std::lock_guard<std::mutex> outer_lock(*outer);
        const std::lock_guard<std::mutex> inner_lock(*inner);
      }
      Wait(pause);
    }
  };
  RunBoth([&] { use_both(&first, &second, microseconds(1000)); },
          [&] {
            use_both(is_right ? &first : &second, is_right ? &second : &first,
                     microseconds(1300));
          });
}

void CheckThenAct(Version version) { TwoRivals(version, milliseconds(0)); }

void CheckThenActLate(Version version) { TwoRivals(version, milliseconds(2)); }

void FiveSteps(Version version) {
  Stages stages;
  bool is_last = false;
  RunBoth(
      [&] {
        Wait(milliseconds(2));
        stages.Visit(40);
        std::unique_lock<std::recursive_mutex> lock(stages.mu_,
                                                    std::defer_lock);
        if (version == Version::kCorrect) lock.lock();
        stages.Step(0, 1);
        stages.Visit(1);
        stages.Step(2, 3);
        stages.Visit(1);
        stages.Step(4, 5);
      },
      [&] {
        Wait(milliseconds(2));
        stages.Visit(40);
        stages.Step(1, 2);
        stages.Visit(1);
        stages.Step(3, 4);
        stages.Visit(1);
        const std::lock_guard<std::recursive_mutex> lock(stages.mu_);
        is_last = stages.stage_ == 5;
      });
  Require(!is_last);
}

}  // namespace sim::test
