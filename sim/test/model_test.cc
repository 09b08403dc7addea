// Properties of the simulated machine, over many seeds and harsh schedules.
//
// Each holds for any correct scheduler; none depends on how this one chooses.

#include <array>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "sim/test/check.h"
#include "sim/test/forked.h"

namespace sim::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr int kSeeds = 100;
constexpr seconds kIdleTime(60);

// Options that leave nothing to the seed but the order.
Options Calm(uint64_t seed) {
  Options options;
  options.seed = seed;
  options.stall = 0;
  options.slack = nanoseconds(0);
  return options;
}

void ForSeeds(const std::function<void()>& body) {
  for (int i = 1; i <= SeedCount(kSeeds); ++i) {
    const auto seed = static_cast<uint64_t>(i);
    const Outcome outcome = ForkRun(Harsh(seed), body);
    EXPECT_TRUE(outcome.passed()) << "seed " << seed << ": " << outcome;
    if (!outcome.passed()) return;
  }
}

TEST(SimModel, MutualExclusion) {
  ForSeeds([] {
    std::array<std::mutex, 2> mutexes;
    std::array<int, 2> inside = {};
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < 6; ++i) {
      threads.emplace_back([&, i] {
        for (size_t j = 0; j < 20; ++j) {
          const size_t which = (i + j) % 2;
          const std::lock_guard<std::mutex> lock(mutexes[which]);
          Require(++inside[which] == 1);
          if (j % 3 == 0) std::this_thread::sleep_for(microseconds(100 * j));
          if (j % 3 == 1) std::this_thread::yield();
          Require(--inside[which] == 0);
        }
      });
    }
  });
}

// A waiter that has given up the lock gets the next signal: a lost one is a
// deadlock here, as no thread looks again.
TEST(SimModel, NoSignalIsLost) {
  ForSeeds([] {
    std::mutex mu;
    std::condition_variable signal;
    bool is_waiting = false;
    for (int i = 0; i < 20; ++i) {
      const std::jthread waiter([&] {
        std::unique_lock<std::mutex> lock(mu);
        is_waiting = true;
        signal.wait(lock);
      });
      for (bool is_sent = false; !is_sent;) {
        std::this_thread::yield();
        const std::lock_guard<std::mutex> lock(mu);
        if (!is_waiting) continue;
        signal.notify_one();
        is_waiting = false;
        is_sent = true;
      }
    }
  });
}

// The same for a broadcast, which all waiting threads get.
TEST(SimModel, BroadcastReachesAll) {
  ForSeeds([] {
    constexpr int kWaiters = 5;
    std::mutex mu;
    std::condition_variable signal;
    int waiting = 0;
    std::vector<std::jthread> waiters;
    for (int i = 0; i < kWaiters; ++i) {
      waiters.emplace_back([&] {
        std::unique_lock<std::mutex> lock(mu);
        ++waiting;
        signal.wait(lock);
      });
    }
    for (bool is_sent = false; !is_sent;) {
      std::this_thread::yield();
      const std::lock_guard<std::mutex> lock(mu);
      if (waiting < kWaiters) continue;
      signal.notify_all();
      is_sent = true;
    }
  });
}

TEST(SimModel, NoSleepIsShort) {
  ForSeeds([] {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([] {
        std::mt19937 random(std::random_device{}());
        for (int j = 0; j < 10; ++j) {
          const microseconds time(random() % 20000);
          const auto steady = steady_clock::now();
          const auto system = system_clock::now();
          std::this_thread::sleep_for(time);
          Require(steady_clock::now() - steady >= time);
          Require(system_clock::now() - system >= time);
        }
      });
    }
  });
}

// Three threads that only yield do not keep a fourth from its work.
TEST(SimModel, YieldingSpinnersStarveNoThread) {
  ForSeeds([] {
    std::mutex mu;
    bool is_done = false;
    std::vector<std::jthread> spinners;
    for (int i = 0; i < 3; ++i) {
      spinners.emplace_back([&] {
        for (bool seen = false; !seen;) {
          std::this_thread::yield();
          const std::lock_guard<std::mutex> lock(mu);
          seen = is_done;
        }
      });
    }
    for (int i = 0; i < 50; ++i) {
      if (i % 10 == 0) std::this_thread::sleep_for(milliseconds(1));
      const std::lock_guard<std::mutex> lock(mu);
      is_done = i == 49;
    }
  });
}

// Of threads that never block or yield each comes to run, again and again.
TEST(SimModel, EveryRunnableThreadRuns) {
  ForSeeds([] {
    constexpr int kShare = 20;
    std::mutex mu;
    std::array<int, 4> turns = {};
    const auto all_had_theirs = [&turns] {
      for (const int count : turns) {
        if (count < kShare) return false;
      }
      return true;
    };
    std::vector<std::jthread> threads;
    for (int& mine : turns) {
      threads.emplace_back([&] {
        for (bool is_done = false; !is_done;) {
          const std::lock_guard<std::mutex> lock(mu);
          ++mine;
          is_done = all_had_theirs();
        }
      });
    }
    threads.clear();
    Require(Now().time < seconds(10));
  });
}

TEST(SimModel, TimeNeverGoesBack) {
  ForSeeds([] {
    nanoseconds latest{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&latest, i] {
        for (int j = 0; j < 20; ++j) {
          // No scheduling point lies between these three.
          const nanoseconds now = Now().time;
          Require(now >= latest);
          latest = now;
          std::this_thread::sleep_for(microseconds(100 * (i + j) % 700));
        }
      });
    }
  });
}

// However long it takes.
TEST(SimModel, ComputationCostsNoTime) {
  const Outcome outcome = ForkRun(Calm(1), [] {
    const std::jthread sleeper(
        [] { std::this_thread::sleep_for(milliseconds(1)); });
    std::this_thread::yield();
    const auto before = steady_clock::now();
    for (volatile int i = 0; i < 100'000'000;) i = i + 1;
    Require(steady_clock::now() - before < microseconds(1));
  });
  EXPECT_TRUE(outcome.passed()) << outcome;
}

// While one thread can run, even for long, the clock does not go to the timer
// of another one.
TEST(SimModel, TimeWaitsForWhoCanRun) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Outcome outcome = ForkRun(Calm(seed), [] {
      std::mutex mu;
      bool woke = false;
      std::jthread sleeper([&] {
        std::this_thread::sleep_for(seconds(60));
        woke = true;
      });
      for (int i = 0; i < 10'000; ++i) {
        const std::lock_guard<std::mutex> lock(mu);
      }
      Require(!woke && Now().time < seconds(1));
      sleeper.join();
      Require(Now().time >= seconds(60) && Now().time < seconds(61));
    });
    EXPECT_TRUE(outcome.passed()) << outcome;
  }
}

// Without slack and stalls a sleep ends when it should, give or take the
// scheduling points of the others.
TEST(SimModel, CalmSleepsAreExact) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome outcome = ForkRun(Calm(seed), [] {
      std::vector<std::jthread> threads;
      for (int i = 1; i <= 5; ++i) {
        threads.emplace_back([i] {
          const auto before = steady_clock::now();
          std::this_thread::sleep_for(seconds(i));
          const auto slept = steady_clock::now() - before;
          Require(slept >= seconds(i));
          Require(slept < seconds(i) + microseconds(100));
        });
      }
    });
    EXPECT_TRUE(outcome.passed()) << outcome;
  }
}

// Slack and stalls, where they are asked for, do come; and stay within bounds.
TEST(SimModel, SlackAndStallsDelay) {
  Options options = Calm(1);
  options.slack = milliseconds(5);
  options.stall = 0.2;
  options.longest_stall = milliseconds(7);
  const Outcome outcome = ForkRun(options, [] {
    nanoseconds longest{0};
    for (int i = 0; i < 200; ++i) {
      const auto before = steady_clock::now();
      std::this_thread::sleep_for(milliseconds(1));
      const nanoseconds late = steady_clock::now() - before - milliseconds(1);
      Require(late >= nanoseconds(0) && late < milliseconds(5 + 2 * 7 + 1));
      if (late > longest) longest = late;
    }
    Require(longest > milliseconds(6));  // more than the slack alone
  });
  EXPECT_TRUE(outcome.passed()) << outcome;
}

// After a stall no thread stalls for the pause that was asked for.
TEST(SimModel, StallsPause) {
  Options options = Calm(1);
  options.stall = 1;
  options.longest_stall = milliseconds(3);
  options.stall_pause = milliseconds(100);
  const Outcome outcome = ForkRun(options, [] {
    std::mutex mu;
    for (int i = 0; i < 1000; ++i) {
      const std::lock_guard<std::mutex> lock(mu);
    }
    // A stall at the first point, then a pause that all others lie in.
    Require(Now().time < milliseconds(4));
  });
  EXPECT_TRUE(outcome.passed()) << outcome;
}

TEST(SimModel, IdleTimeIsCheap) {
  constexpr int kRatio = 20;  // far below what it is, for slow builds
  const auto begin = steady_clock::now();
  const Outcome outcome = ForkRun(Calm(1), [] {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 5; ++i) {
      threads.emplace_back([] {
        const auto end = steady_clock::now() + kIdleTime;
        while (steady_clock::now() < end) {
          std::this_thread::sleep_for(milliseconds(10));
        }
      });
    }
  });
  const auto took = steady_clock::now() - begin;
  EXPECT_TRUE(outcome.passed()) << outcome;
  EXPECT_GE(outcome.result.time, kIdleTime);
  EXPECT_LT(took * kRatio, kIdleTime);
}

}  // namespace
}  // namespace sim::test
