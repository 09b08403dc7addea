// Conformance of threads, of what each has of its own, and of what crosses
// from one to another.

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sim/test/check.h"
#include "sim/test/primitives.h"

namespace sim::test {
namespace {

void CreateAndJoin() {
  int done = 0;
  std::thread thread([&done](int a, std::unique_ptr<int> b) { done = a + *b; },
                     1, std::make_unique<int>(2));
  Require(thread.joinable());
  thread.join();
  Require(!thread.joinable());
  Require(done == 3);
}

// A join waits for a thread that takes its time, and for one that has ended.
void JoinEarlyAndLate() {
  Stopwatch since;
  std::thread slow([] { std::this_thread::sleep_for(kTick); });
  slow.join();
  since.RequireTook(kTick);
  std::thread fast([] {});
  std::this_thread::sleep_for(kTick);
  fast.join();
}

void MoveAndSwap() {
  int value = 0;
  std::thread first([&] { value = 1; });
  std::thread second = std::move(first);
  Require(!first.joinable());
  first.swap(second);
  Require(first.joinable() && !second.joinable());
  first.join();
  Require(value == 1);
}

void Detach() {
  std::mutex mu;
  std::condition_variable ended;
  int running = 3;
  for (int i = 0; i < 3; ++i) {
    std::thread([&] {
      std::this_thread::yield();
      // Under the lock: when it is free no thread uses the variables any more.
      const std::lock_guard<std::mutex> lock(mu);
      --running;
      ended.notify_one();
    }).detach();
  }
  std::unique_lock<std::mutex> lock(mu);
  ended.wait(lock, [&] { return running == 0; });
}

void Identity() {
  std::mutex mu;
  std::set<std::thread::id> ids = {std::this_thread::get_id()};
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back([&] {
      const std::thread::id mine = std::this_thread::get_id();
      std::this_thread::yield();
      Require(mine == std::this_thread::get_id());
      const std::lock_guard<std::mutex> lock(mu);
      ids.insert(mine);
    });
  }
  // None is joined yet, so no two may be the same.
  for (const std::thread& thread : threads) {
    Require(thread.get_id() != std::this_thread::get_id());
    Require(std::count_if(threads.begin(), threads.end(),
                          [&](const std::thread& other) {
                            return other.get_id() == thread.get_id();
                          }) == 1);
  }
  for (std::thread& thread : threads) thread.join();
  Require(ids.size() == 6);
  Require(std::thread().get_id() == std::thread::id());
  Require(std::thread::hardware_concurrency() > 0);
}

// Each starts the next and joins it.
int Depth(int levels) {
  if (levels == 0) return 0;
  int below = 0;
  std::thread([&] { below = Depth(levels - 1); }).join();
  return below + 1;
}

void Nested() { Require(Depth(10) == 10); }

// Many, all alive at the same time, and again.
void Many() {
  for (int round = 0; round < 2; ++round) {
    constexpr int kThreads = 100;
    std::mutex mu;
    std::condition_variable all_started;
    int started = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        std::unique_lock<std::mutex> lock(mu);
        if (++started == kThreads) all_started.notify_all();
        all_started.wait(lock, [&] { return started == kThreads; });
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

void YieldingSpinner() {
  std::mutex mu;
  bool is_done = false;
  std::thread other([&] {
    std::this_thread::sleep_for(kTick);
    const std::lock_guard<std::mutex> lock(mu);
    is_done = true;
  });
  for (bool seen = false; !seen;) {
    std::this_thread::yield();
    const std::lock_guard<std::mutex> lock(mu);
    seen = is_done;
  }
  other.join();
}

void Jthread() {
  bool ended = false;
  {
    const std::jthread thread([&ended](const std::stop_token& stop) {
      while (!stop.stop_requested()) std::this_thread::sleep_for(kTick);
      ended = true;
    });
    std::this_thread::sleep_for(kTick);
  }
  Require(ended);
}

void StopCallback() {
  std::jthread thread([](const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::yield();
  });
  int calls = 0;
  const std::stop_callback counts(thread.get_stop_token(), [&] { ++calls; });
  Require(thread.request_stop());
  Require(!thread.request_stop());
  thread.join();
  Require(calls == 1);
}

// Each thread starts with 0 and keeps its own.
void Errno() {
  errno = 17;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      Require(errno == 0);
      errno = 100 + i;
      for (int j = 0; j < 3; ++j) {
        std::this_thread::yield();
        Require(errno == 100 + i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Require(errno == 17);
}

// Threads are switched while each has exceptions of its own in flight.
void ExceptionsStayApart() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      const std::string mine = std::to_string(i);
      try {
        throw std::runtime_error(mine);
      } catch (const std::runtime_error& error) {
        Require(std::uncaught_exceptions() == 0);
        std::this_thread::yield();
        Require(error.what() == mine);
        try {
          std::this_thread::yield();
          throw;
        } catch (const std::exception& again) {
          std::this_thread::yield();
          Require(again.what() == mine);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void ExceptionCrosses() {
  std::exception_ptr caught;
  std::thread([&] {
    try {
      throw std::out_of_range("over there");
    } catch (...) {
      caught = std::current_exception();
    }
  }).join();
  try {
    std::rethrow_exception(caught);
  } catch (const std::out_of_range& error) {
    Require(error.what() == std::string("over there"));
    return;
  }
  Require(false);
}

}  // namespace

std::vector<Primitive> Threads() {
  return {{"thread: create and join", CreateAndJoin},
          {"thread: join early and late", JoinEarlyAndLate},
          {"thread: move and swap", MoveAndSwap},
          {"thread: detach", Detach},
          {"thread: get_id", Identity},
          {"thread: nested", Nested},
          {"thread: many", Many},
          {"thread: yield", YieldingSpinner},
          {"jthread", Jthread},
          {"stop_callback", StopCallback},
          {"errno", Errno},
          {"exceptions in many threads", ExceptionsStayApart},
          {"exception_ptr", ExceptionCrosses}};
}

}  // namespace sim::test
