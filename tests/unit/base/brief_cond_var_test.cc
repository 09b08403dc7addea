// Unit tests of base/brief_cond_var.h: no signal is lost, whether a thread
// looks for it or sleeps, and a thread to which nothing happens sleeps.

#include "base/brief_cond_var.h"

#include <chrono>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace base {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Two threads that give each other the turn.
class Game {
 public:
  // Waits for the turn of `side` and gives it to the other one; signals under
  // the lock or after it. Returns how often Wait() returned.
  int Play(int side, bool signals_under_lock) {
    int returns = 0;
    {
      MutexLock lock(&mu_);
      while (turn_ != side) {
        changed_[side].Wait(&mu_);
        mu_.AssertHeld();
        ++returns;
      }
      turn_ = 1 - side;
      if (signals_under_lock) changed_[1 - side].Signal();
    }
    Mutex::AssertNoneHeld("this");
    if (!signals_under_lock) changed_[1 - side].Signal();
    return returns;
  }

  // Long enough to have each look for the signal, not sleep.
  void PlayRounds(bool signals_under_lock) {
    std::thread other([&] {
      for (int i = 0; i < kRounds; ++i) Play(1, signals_under_lock);
    });
    for (int i = 0; i < kRounds; ++i) Play(0, signals_under_lock);
    other.join();
  }

 private:
  static constexpr int kRounds = 2'000;

  Mutex mu_;
  BriefCondVar changed_[2];
  int turn_ ABSL_GUARDED_BY(mu_) = 0;
};

TEST(BriefCondVar, NoSignalIsLost) {
  for (const bool signals_under_lock : {true, false}) {
    Game game;
    game.PlayRounds(signals_under_lock);
  }
}

// After that a thread looks once more, and then sleeps.
TEST(BriefCondVar, SilenceIsNotLookedAt) {
  Game game;
  game.PlayRounds(/*signals_under_lock=*/false);
  std::thread late([&game] {
    std::this_thread::sleep_for(milliseconds(100));
    game.Play(0, /*signals_under_lock=*/false);
  });
  EXPECT_LE(game.Play(1, /*signals_under_lock=*/false), 10);
  late.join();
}

TEST(BriefCondVar, SignalAllWakesAllWhateverTheyDo) {
  Mutex mu;
  BriefCondVar changed;
  int round = 0;
  int arrived = 0;
  constexpr int kWaiters = 3;
  constexpr int kRounds = 200;
  std::vector<std::thread> waiters;
  for (int i = 0; i < kWaiters; ++i) {
    waiters.emplace_back([&] {
      for (int seen = 0; seen < kRounds; ++seen) {
        MutexLock lock(&mu);
        ++arrived;
        changed.SignalAll();
        while (round == seen) changed.Wait(&mu);
      }
    });
  }
  for (int next = 1; next <= kRounds; ++next) {
    MutexLock lock(&mu);
    while (arrived < kWaiters * next) changed.Wait(&mu);
    round = next;
    changed.SignalAll();
  }
  for (std::thread& waiter : waiters) waiter.join();
}

TEST(BriefCondVar, WaitUntilGivesUpAtItsDeadline) {
  Mutex mu;
  BriefCondVar never;
  const auto deadline = steady_clock::now() + milliseconds(10);
  MutexLock lock(&mu);
  while (never.WaitUntil(&mu, deadline)) {
  }
  EXPECT_GE(steady_clock::now(), deadline);
  mu.AssertHeld();
}

}  // namespace
}  // namespace base
