// Conformance of the mutexes and of what locks them.

#include <functional>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "sim/test/check.h"
#include "sim/test/primitives.h"

namespace sim::test {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

// Runs it on a thread of its own, to its end.
void OnAnotherThread(const std::function<void()>& what) {
  std::thread(what).join();
}

// Four threads, of which never two are between lock and unlock.
template <typename Mutex>
void RequireExclusion(Mutex* mu) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 5;
  int inside = 0;
  int total = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kRounds; ++j) {
        const std::lock_guard<Mutex> lock(*mu);
        Require(++inside == 1);
        std::this_thread::yield();
        ++total;
        Require(--inside == 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Require(total == kThreads * kRounds);
}

template <typename Mutex>
void RequireTryLock(Mutex* mu) {
  Require(mu->try_lock());
  OnAnotherThread([mu] { Require(!mu->try_lock()); });
  mu->unlock();
  OnAnotherThread([mu] {
    Require(mu->try_lock());
    mu->unlock();
  });
}

// On another thread, while this one holds it.
template <typename Mutex>
void RequireTimeouts(Mutex* mu) {
  const std::lock_guard<Mutex> lock(*mu);
  OnAnotherThread([mu] {
    Stopwatch relative;
    Require(!mu->try_lock_for(kTick));
    relative.RequireTook(kTick);
    Stopwatch steady;
    Require(!mu->try_lock_until(steady_clock::now() + kTick));
    steady.RequireTook(kTick);
    Stopwatch system;
    Require(!mu->try_lock_until(system_clock::now() + kTick));
    system.RequireTook(kTick);
    Stopwatch past;
    Require(!mu->try_lock_until(steady_clock::now() - kTick));
    past.RequireTook(0 * kTick);
  });
}

// A wait with a time limit ends when the mutex comes free, not before.
template <typename Mutex>
void RequireLockInTime(Mutex* mu) {
  bool is_free = false;
  mu->lock();
  std::thread waiter([&] {
    Require(mu->try_lock_for(std::chrono::minutes(10)));
    Require(is_free);
    mu->unlock();
  });
  Stopwatch since;
  std::this_thread::sleep_for(kTick);
  is_free = true;
  mu->unlock();
  waiter.join();
  since.RequireTook(kTick);
}

template <typename Mutex>
void RequireRecursion(Mutex* mu) {
  mu->lock();
  Require(mu->try_lock());
  mu->unlock();
  OnAnotherThread([mu] { Require(!mu->try_lock()); });
  mu->unlock();
  OnAnotherThread([mu] {
    Require(mu->try_lock());
    mu->unlock();
  });
}

// All readers are in at a time, or the last would wait until the run is given
// up.
template <typename Mutex>
void RequireReadersTogether(Mutex* mu) {
  constexpr int kReaders = 3;
  std::mutex count_mu;
  int inside = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] {
      const std::shared_lock<Mutex> lock(*mu);
      std::unique_lock<std::mutex> count_lock(count_mu);
      ++inside;
      while (inside < kReaders) {
        count_lock.unlock();
        std::this_thread::yield();
        count_lock.lock();
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
}

template <typename Mutex>
void RequireReadersOrWriter(Mutex* mu) {
  mu->lock_shared();
  OnAnotherThread([mu] {
    Require(!mu->try_lock());
    Require(mu->try_lock_shared());
    mu->unlock_shared();
  });
  mu->unlock_shared();
  mu->lock();
  OnAnotherThread([mu] { Require(!mu->try_lock_shared()); });
  mu->unlock();
}

// Writers keep two numbers equal; readers never see them differ.
template <typename Mutex>
void RequireConsistency(Mutex* mu) {
  int a = 0;
  int b = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, is_writer = i % 2 == 0] {
      for (int j = 0; j < 5; ++j) {
        if (is_writer) {
          const std::unique_lock<Mutex> lock(*mu);
          ++a;
          std::this_thread::yield();
          ++b;
        } else {
          const std::shared_lock<Mutex> lock(*mu);
          const int before = a;
          std::this_thread::yield();
          Require(before == b);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Require(a == 10 && b == 10);
}

void Mutex() {
  std::mutex mu;
  RequireExclusion(&mu);
  RequireTryLock(&mu);
}

void TimedMutex() {
  std::timed_mutex mu;
  RequireExclusion(&mu);
  RequireTryLock(&mu);
  RequireTimeouts(&mu);
  RequireLockInTime(&mu);
}

void RecursiveMutex() {
  std::recursive_mutex mu;
  RequireExclusion(&mu);
  RequireRecursion(&mu);
}

void RecursiveTimedMutex() {
  std::recursive_timed_mutex mu;
  RequireExclusion(&mu);
  RequireRecursion(&mu);
  RequireTimeouts(&mu);
  RequireLockInTime(&mu);
}

void SharedMutex() {
  std::shared_mutex mu;
  RequireExclusion(&mu);
  RequireReadersTogether(&mu);
  RequireReadersOrWriter(&mu);
  RequireConsistency(&mu);
}

void SharedTimedMutex() {
  std::shared_timed_mutex mu;
  RequireExclusion(&mu);
  RequireReadersTogether(&mu);
  RequireReadersOrWriter(&mu);
  RequireConsistency(&mu);
  RequireTimeouts(&mu);
  RequireLockInTime(&mu);
  const std::lock_guard<std::shared_timed_mutex> lock(mu);
  OnAnotherThread([&mu] {
    Stopwatch steady;
    Require(!mu.try_lock_shared_for(kTick));
    steady.RequireTook(kTick);
    Stopwatch system;
    Require(!mu.try_lock_shared_until(system_clock::now() + kTick));
    system.RequireTook(kTick);
  });
}

// Two threads name two mutexes in opposite order: std::lock() must not hang.
void ScopedLock() {
  std::mutex a;
  std::mutex b;
  int total = 0;
  std::thread other([&] {
    for (int i = 0; i < 10; ++i) {
      const std::scoped_lock lock(b, a);
      ++total;
    }
  });
  for (int i = 0; i < 10; ++i) {
    const std::scoped_lock lock(a, b);
    ++total;
  }
  other.join();
  Require(total == 20);
}

void UniqueLock() {
  std::mutex mu;
  std::unique_lock<std::mutex> lock(mu, std::defer_lock);
  Require(!lock.owns_lock());
  lock.lock();
  OnAnotherThread([&mu] {
    const std::unique_lock<std::mutex> second(mu, std::try_to_lock);
    Require(!second.owns_lock());
  });
  std::unique_lock<std::mutex> moved = std::move(lock);
  moved.unlock();
  OnAnotherThread([&mu] {
    const std::unique_lock<std::mutex> second(mu, std::try_to_lock);
    Require(second.owns_lock());
  });
}

}  // namespace

std::vector<Primitive> Mutexes() {
  return {{"mutex", Mutex},
          {"timed_mutex", TimedMutex},
          {"recursive_mutex", RecursiveMutex},
          {"recursive_timed_mutex", RecursiveTimedMutex},
          {"shared_mutex", SharedMutex},
          {"shared_timed_mutex", SharedTimedMutex},
          {"scoped_lock", ScopedLock},
          {"unique_lock", UniqueLock}};
}

}  // namespace sim::test
