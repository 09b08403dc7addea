// Conformance of the condition variables.

#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "sim/test/check.h"
#include "sim/test/primitives.h"

namespace sim::test {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;
using UniqueLock = std::unique_lock<std::mutex>;

// Two threads take turns, each woken by the other.
template <typename Condition>
void TakeTurns() {
  std::mutex mu;
  Condition turn_changed;
  int turn = 0;
  const auto play = [&](int me) {
    for (int i = 0; i < 10; ++i) {
      UniqueLock lock(mu);
      turn_changed.wait(lock, [&] { return turn % 2 == me; });
      ++turn;
      turn_changed.notify_one();
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  Require(turn == 20);
}

// One notification for each token and waiter: all get one.
void NotifyOne() {
  constexpr int kWaiters = 5;
  std::mutex mu;
  std::condition_variable token_came;
  int tokens = 0;
  std::vector<std::thread> waiters;
  for (int i = 0; i < kWaiters; ++i) {
    waiters.emplace_back([&] {
      UniqueLock lock(mu);
      token_came.wait(lock, [&] { return tokens > 0; });
      --tokens;
    });
  }
  for (int i = 0; i < kWaiters; ++i) {
    const std::lock_guard<std::mutex> lock(mu);
    ++tokens;
    token_came.notify_one();
  }
  for (std::thread& waiter : waiters) waiter.join();
  Require(tokens == 0);
}

void NotifyAll() {
  std::mutex mu;
  std::condition_variable all_in;
  std::condition_variable gate_opened;
  int in = 0;
  bool is_open = false;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 5; ++i) {
    waiters.emplace_back([&] {
      UniqueLock lock(mu);
      if (++in == 5) all_in.notify_one();
      while (!is_open) gate_opened.wait(lock);
    });
  }
  {
    UniqueLock lock(mu);
    while (in < 5) all_in.wait(lock);
    is_open = true;
  }
  gate_opened.notify_all();
  for (std::thread& waiter : waiters) waiter.join();
}

// The mutex is free during the wait, and held again when it ends.
void WaitReleasesMutex() {
  std::mutex mu;
  std::condition_variable changed;
  bool is_done = false;
  UniqueLock lock(mu);
  std::thread other([&] {
    const std::lock_guard<std::mutex> other_lock(mu);
    is_done = true;
    changed.notify_one();
  });
  while (!is_done) changed.wait(lock);
  Require(lock.owns_lock());
  std::thread([&mu] { Require(!mu.try_lock()); }).join();
  lock.unlock();
  other.join();
}

// No thread notifies, so every wait times out; early returns, which the
// standard allows, are waited through.
template <typename Condition>
void Timeouts() {
  std::mutex mu;
  Condition never;
  UniqueLock lock(mu);
  const auto no = [] { return false; };

  Stopwatch relative;
  Require(!never.wait_for(lock, kTick, no));
  relative.RequireTook(kTick);

  Stopwatch steady;
  Require(!never.wait_until(lock, steady_clock::now() + kTick, no));
  steady.RequireTook(kTick);

  Stopwatch system;
  Require(!never.wait_until(lock, system_clock::now() + kTick, no));
  system.RequireTook(kTick);

  Stopwatch past;
  Require(never.wait_until(lock, steady_clock::now() - kTick) ==
          std::cv_status::timeout);
  past.RequireTook(0 * kTick);
  Require(lock.owns_lock());
}

// A notification ends a wait long before its time limit.
template <typename Condition>
void WokenInTime() {
  std::mutex mu;
  Condition changed;
  bool is_done = false;
  Stopwatch since;
  std::thread other([&] {
    std::this_thread::sleep_for(kTick);
    const std::lock_guard<std::mutex> lock(mu);
    is_done = true;
    changed.notify_all();
  });
  {
    UniqueLock lock(mu);
    Require(changed.wait_for(lock, std::chrono::minutes(10),
                             [&] { return is_done; }));
  }
  other.join();
  since.RequireTook(kTick);
}

void TakeTurnsPlain() { TakeTurns<std::condition_variable>(); }
void TakeTurnsAny() { TakeTurns<std::condition_variable_any>(); }
void TimeoutsPlain() { Timeouts<std::condition_variable>(); }
void TimeoutsAny() { Timeouts<std::condition_variable_any>(); }
void WokenInTimePlain() { WokenInTime<std::condition_variable>(); }
void WokenInTimeAny() { WokenInTime<std::condition_variable_any>(); }

void AnyWithSharedLock() {
  std::shared_mutex mu;
  std::condition_variable_any changed;
  bool is_done = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::shared_lock<std::shared_mutex> lock(mu);
      changed.wait(lock, [&] { return is_done; });
    });
  }
  {
    const std::lock_guard<std::shared_mutex> lock(mu);
    is_done = true;
  }
  changed.notify_all();
  for (std::thread& reader : readers) reader.join();
}

void AnyWithStopToken() {
  std::mutex mu;
  std::condition_variable_any never;
  bool was_stopped = false;
  std::jthread waiter([&](const std::stop_token& stop) {
    UniqueLock lock(mu);
    Require(!never.wait(lock, stop, [] { return false; }));
    Require(stop.stop_requested());
    was_stopped = true;
  });
  std::this_thread::sleep_for(kTick);
  waiter.request_stop();
  waiter.join();
  Require(was_stopped);
}

void AnyWithStopTokenTimesOut() {
  std::mutex mu;
  std::condition_variable_any never;
  std::stop_source source;
  UniqueLock lock(mu);
  Stopwatch since;
  Require(
      !never.wait_for(lock, source.get_token(), kTick, [] { return false; }));
  since.RequireTook(kTick);
}

// The notification comes only when the thread's own destructors have run.
void NotifyAtThreadExit() {
  std::mutex mu;
  std::condition_variable ended;
  bool is_done = false;
  std::thread thread([&] {
    UniqueLock lock(mu);
    is_done = true;
    std::notify_all_at_thread_exit(ended, std::move(lock));
  });
  {
    UniqueLock lock(mu);
    ended.wait(lock, [&] { return is_done; });
  }
  thread.join();
}

}  // namespace

std::vector<Primitive> Conditions() {
  return {
      {"condition_variable: wait", TakeTurnsPlain},
      {"condition_variable: notify_one", NotifyOne},
      {"condition_variable: notify_all", NotifyAll},
      {"condition_variable: the mutex", WaitReleasesMutex},
      {"condition_variable: timeouts", TimeoutsPlain},
      {"condition_variable: woken in time", WokenInTimePlain},
      {"condition_variable_any: wait", TakeTurnsAny},
      {"condition_variable_any: timeouts", TimeoutsAny},
      {"condition_variable_any: woken in time", WokenInTimeAny},
      {"condition_variable_any: shared_lock", AnyWithSharedLock},
      {"condition_variable_any: stop_token", AnyWithStopToken},
      {"condition_variable_any: stop_token, timeout", AnyWithStopTokenTimesOut},
      {"notify_all_at_thread_exit", NotifyAtThreadExit}};
}

}  // namespace sim::test
