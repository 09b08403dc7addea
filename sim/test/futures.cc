// Conformance of futures and of what fulfils them.

#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sim/test/check.h"
#include "sim/test/primitives.h"

namespace sim::test {
namespace {

using std::future_status;
using std::chrono::steady_clock;
using std::chrono::system_clock;

void Promise() {
  std::promise<int> promise;
  std::future<int> future = promise.get_future();
  std::thread thread([&] {
    std::this_thread::sleep_for(kTick);
    promise.set_value(5);
  });
  Require(future.get() == 5);
  Require(!future.valid());
  thread.join();
}

void Timeouts() {
  std::promise<void> promise;
  const std::future<void> future = promise.get_future();
  Stopwatch relative;
  Require(future.wait_for(kTick) == future_status::timeout);
  relative.RequireTook(kTick);
  Stopwatch steady;
  Require(future.wait_until(steady_clock::now() + kTick) ==
          future_status::timeout);
  steady.RequireTook(kTick);
  Stopwatch system;
  Require(future.wait_until(system_clock::now() + kTick) ==
          future_status::timeout);
  system.RequireTook(kTick);
  promise.set_value();
  Require(future.wait_for(0 * kTick) == future_status::ready);
}

// The value ends a wait long before its time limit.
void ReadyInTime() {
  std::promise<void> promise;
  const std::future<void> future = promise.get_future();
  Stopwatch since;
  std::thread thread([&] {
    std::this_thread::sleep_for(kTick);
    promise.set_value();
  });
  Require(future.wait_for(std::chrono::minutes(10)) == future_status::ready);
  thread.join();
  since.RequireTook(kTick);
}

void Exceptions() {
  std::promise<int> promise;
  std::future<int> future = promise.get_future();
  std::thread thread([&] {
    promise.set_exception(
        std::make_exception_ptr(std::runtime_error("no value")));
  });
  std::string caught;
  try {
    future.get();
  } catch (const std::runtime_error& error) {
    caught = error.what();
  }
  thread.join();
  Require(caught == "no value");
}

void BrokenPromise() {
  std::future<int> future;
  std::thread([&] {
    std::promise<int> promise;
    future = promise.get_future();
  }).join();
  try {
    future.get();
  } catch (const std::future_error& error) {
    Require(error.code() == std::future_errc::broken_promise);
    return;
  }
  Require(false);
}

void SharedFuture() {
  std::promise<int> promise;
  const std::shared_future<int> future = promise.get_future().share();
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back([future] { Require(future.get() == 5); });
  }
  promise.set_value(5);
  for (std::thread& thread : threads) thread.join();
}

// The value is there only when the thread's own variables are gone.
void AtThreadExit() {
  static bool is_gone = false;
  struct Says {
    ~Says() { is_gone = true; }
    int use = 0;
  };
  std::promise<void> promise;
  std::future<void> future = promise.get_future();
  std::thread thread([&promise] {
    thread_local Says says;
    ++says.use;
    promise.set_value_at_thread_exit();
    std::this_thread::yield();
  });
  future.get();
  thread.join();
  Require(is_gone);
}

void Async() {
  const auto square = [](int x) {
    std::this_thread::yield();
    return x * x;
  };
  std::vector<std::future<int>> futures;
  for (int i = 0; i < 5; ++i) {
    futures.push_back(std::async(std::launch::async, square, i));
  }
  for (int i = 0; i < 5; ++i) {
    Require(futures[static_cast<size_t>(i)].get() == i * i);
  }
}

// The last future of an async call waits in its destructor.
void AsyncDestructor() {
  bool ended = false;
  {
    const std::future<void> future = std::async(std::launch::async, [&ended] {
      std::this_thread::sleep_for(kTick);
      ended = true;
    });
  }
  Require(ended);
}

void AsyncThrows() {
  std::future<int> future = std::async(std::launch::async, []() -> int {
    throw std::runtime_error("in async");
  });
  std::string caught;
  try {
    future.get();
  } catch (const std::runtime_error& error) {
    caught = error.what();
  }
  Require(caught == "in async");
}

void Deferred() {
  const std::thread::id caller = std::this_thread::get_id();
  std::future<bool> future = std::async(std::launch::deferred, [caller] {
    return std::this_thread::get_id() == caller;
  });
  Require(future.wait_for(kTick) == future_status::deferred);
  Require(future.get());
}

void PackagedTask() {
  std::packaged_task<int(int)> task([](int x) { return x + 1; });
  std::future<int> future = task.get_future();
  std::thread thread(std::move(task), 4);
  Require(future.get() == 5);
  thread.join();
}

}  // namespace

std::vector<Primitive> Futures() {
  return {{"promise", Promise},
          {"future: timeouts", Timeouts},
          {"future: ready in time", ReadyInTime},
          {"promise: exceptions", Exceptions},
          {"promise: broken", BrokenPromise},
          {"shared_future", SharedFuture},
          {"promise: at thread exit", AtThreadExit},
          {"async", Async},
          {"async: destructor", AsyncDestructor},
          {"async: throws", AsyncThrows},
          {"async: deferred", Deferred},
          {"packaged_task", PackagedTask}};
}

}  // namespace sim::test
