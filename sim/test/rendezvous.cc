// Conformance of what threads meet at: waits on atomics, latches, barriers and
// semaphores.

#include <atomic>
#include <barrier>
#include <functional>
#include <latch>
#include <semaphore>
#include <thread>
#include <vector>

#include "sim/test/check.h"
#include "sim/test/primitives.h"

namespace sim::test {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr int kThreads = 4;

std::vector<std::jthread> Start(int count, const std::function<void()>& body) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body);
  return threads;
}

template <typename Value>
void WaitForOne() {
  std::atomic<Value> value{0};
  Stopwatch since;
  std::jthread thread([&] {
    std::this_thread::sleep_for(kTick);
    value = 1;
    value.notify_one();
  });
  while (value == 0) value.wait(0);
  Require(value == 1);
  value.wait(0);  // does not block: the value is another one
  thread.join();
  since.RequireTook(kTick);
}

// Integers of a futex's size wait at their own address, others at a proxy.
void AtomicWait() {
  WaitForOne<int>();
  WaitForOne<char>();
  WaitForOne<int64_t>();
}

void AtomicNotifyAll() {
  std::atomic<bool> is_open{false};
  std::vector<std::jthread> threads = Start(kThreads, [&] {
    is_open.wait(false);
    Require(is_open);
  });
  is_open = true;
  is_open.notify_all();
}

// Two threads hand an atomic number back and forth.
void AtomicTurns() {
  std::atomic<int> turn{0};
  const auto play = [&turn](int me) {
    for (int i = 0; i < 10; ++i) {
      int now = turn;
      while (now % 2 != me) {
        turn.wait(now);
        now = turn;
      }
      ++turn;
      turn.notify_all();
    }
  };
  std::jthread other(play, 1);
  play(0);
  other.join();
  Require(turn == 20);
}

void AtomicFlag() {
  std::atomic_flag flag;
  std::jthread thread([&] {
    flag.test_and_set();
    flag.notify_one();
  });
  flag.wait(false);
  Require(flag.test());
}

void Latch() {
  std::latch latch(kThreads);
  std::atomic<int> before{0};
  std::vector<std::jthread> threads = Start(kThreads, [&] {
    ++before;
    std::this_thread::yield();
    latch.arrive_and_wait();
    Require(before == kThreads);
  });
  latch.wait();
  Require(before == kThreads);
  Require(latch.try_wait());
}

void LatchCountDown() {
  std::latch latch(3);
  latch.count_down(2);
  Require(!latch.try_wait());
  Stopwatch since;
  std::jthread thread([&] {
    std::this_thread::sleep_for(kTick);
    latch.count_down();
  });
  latch.wait();
  since.RequireTook(kTick);
}

// No thread is a phase ahead, and the completion runs once in each.
void Barrier() {
  constexpr int kPhases = 5;
  int phase = 0;
  std::barrier barrier(kThreads, [&phase]() noexcept { ++phase; });
  std::vector<std::jthread> threads = Start(kThreads, [&] {
    for (int i = 0; i < kPhases; ++i) {
      Require(phase == i);
      std::this_thread::yield();
      barrier.arrive_and_wait();
    }
  });
  threads.clear();
  Require(phase == kPhases);
}

// One drops out after its first phase; the others continue without it.
void BarrierDrop() {
  std::barrier barrier(kThreads);
  std::jthread leaves([&] { barrier.arrive_and_drop(); });
  std::vector<std::jthread> threads = Start(kThreads - 1, [&] {
    for (int i = 0; i < 3; ++i) barrier.arrive_and_wait();
  });
}

// Never more inside than the semaphore says.
void CountingSemaphore() {
  std::counting_semaphore<3> semaphore(3);
  std::atomic<int> inside{0};
  std::vector<std::jthread> threads = Start(6, [&] {
    for (int i = 0; i < 3; ++i) {
      semaphore.acquire();
      Require(++inside <= 3);
      std::this_thread::yield();
      --inside;
      semaphore.release();
    }
  });
  threads.clear();
  for (int i = 0; i < 3; ++i) Require(semaphore.try_acquire());
  Require(!semaphore.try_acquire());
  threads = Start(3, [&] { semaphore.acquire(); });
  semaphore.release(3);
}

void BinarySemaphore() {
  std::binary_semaphore ping(0);
  std::binary_semaphore pong(0);
  int rallies = 0;
  std::jthread other([&] {
    for (int i = 0; i < 10; ++i) {
      ping.acquire();
      ++rallies;
      pong.release();
    }
  });
  for (int i = 0; i < 10; ++i) {
    ping.release();
    pong.acquire();
    Require(rallies == i + 1);
  }
}

// libstdc++ sleeps for half as long as it has waited already, again and again,
// and notices a timeout only then.
void SemaphoreTimeouts() {
  std::binary_semaphore semaphore(0);
  Stopwatch relative;
  Require(!semaphore.try_acquire_for(kTick));
  relative.RequireTook(kTick, kTick / 2);
  Stopwatch steady;
  Require(!semaphore.try_acquire_until(steady_clock::now() + kTick));
  steady.RequireTook(kTick, kTick / 2);
  Stopwatch system;
  Require(!semaphore.try_acquire_until(system_clock::now() + kTick));
  system.RequireTook(kTick, kTick / 2);
}

void SemaphoreInTime() {
  std::counting_semaphore<> semaphore(0);
  Stopwatch since;
  std::jthread thread([&] {
    std::this_thread::sleep_for(kTick);
    semaphore.release();
  });
  Require(semaphore.try_acquire_for(std::chrono::minutes(10)));
  since.RequireTook(kTick, kTick / 2);
}

}  // namespace

std::vector<Primitive> Rendezvous() {
  return {{"atomic: wait", AtomicWait},
          {"atomic: notify_all", AtomicNotifyAll},
          {"atomic: turns", AtomicTurns},
          {"atomic_flag", AtomicFlag},
          {"latch", Latch},
          {"latch: count_down", LatchCountDown},
          {"barrier", Barrier},
          {"barrier: arrive_and_drop", BarrierDrop},
          {"counting_semaphore", CountingSemaphore},
          {"binary_semaphore", BinarySemaphore},
          {"semaphore: timeouts", SemaphoreTimeouts},
          {"semaphore: in time", SemaphoreInTime}};
}

}  // namespace sim::test
