// Conformance of what happens exactly once: call_once, local statics, and the
// constructors and destructors of thread-local variables.
//
// The statics are initialized once in a process, so these need a process of
// their own.

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sim/test/check.h"
#include "sim/test/primitives.h"

namespace sim::test {
namespace {

constexpr int kThreads = 5;

template <typename Body>
void OnManyThreads(int count, const Body& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body);
  for (std::thread& thread : threads) thread.join();
}

void CallOnce() {
  std::once_flag flag;
  int calls = 0;
  OnManyThreads(kThreads, [&] {
    std::call_once(flag, [&] {
      std::this_thread::sleep_for(kTick);
      ++calls;
    });
    Require(calls == 1);
  });
}

// A call that throws does not count; one of the waiting threads calls again.
void CallOnceThrows() {
  std::once_flag flag;
  std::mutex mu;
  int calls = 0;
  int thrown = 0;
  OnManyThreads(kThreads, [&] {
    try {
      std::call_once(flag, [&] {
        std::this_thread::yield();
        if (++calls < 3) throw std::runtime_error("not yet");
      });
      Require(calls == 3);
    } catch (const std::runtime_error&) {
      const std::lock_guard<std::mutex> lock(mu);
      ++thrown;
    }
  });
  Require(calls == 3 && thrown == 2);
}

int made = 0;

struct Slow {
  Slow() {
    std::this_thread::sleep_for(kTick);
    value = ++made;
  }
  int value = 0;
};

const Slow& TheSlow() {
  static const Slow the_slow;
  return the_slow;
}

void LocalStatic() {
  OnManyThreads(kThreads, [] { Require(TheSlow().value == 1); });
  Require(made == 1);
}

int attempts = 0;

int ThrowsAtFirst() {
  std::this_thread::yield();
  if (++attempts == 1) throw std::runtime_error("the first time");
  std::this_thread::yield();
  return attempts;
}

int TheSecond() {
  static const int the_second = ThrowsAtFirst();
  return the_second;
}

void LocalStaticThrows() {
  std::mutex mu;
  int thrown = 0;
  OnManyThreads(kThreads, [&] {
    try {
      Require(TheSecond() == 2);
    } catch (const std::runtime_error&) {
      const std::lock_guard<std::mutex> lock(mu);
      ++thrown;
    }
  });
  Require(attempts == 2 && thrown == 1);
}

// The initializer of one static uses another one, and starts a thread.
const std::string& Inner() {
  static const std::string inner = [] {
    std::string text;
    std::thread([&text] { text = "inner"; }).join();
    return text;
  }();
  return inner;
}

const std::string& Outer() {
  static const std::string outer = "outer " + Inner();
  return outer;
}

void NestedStatics() {
  OnManyThreads(kThreads, [] {
    Require(Inner() == "inner");
    Require(Outer() == "outer inner");
  });
}

// ---------------------------------------------------------------- thread_local

// Counts its instances; guarded by a mutex, so the destructor may be preempted.
struct Life {
  Life() {
    const std::lock_guard<std::mutex> lock(mu);
    ++born;
  }
  ~Life() {
    const std::lock_guard<std::mutex> lock(mu);
    ++died;
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  std::string text = "new";
  static inline std::mutex mu;
  static inline int born = 0;
  static inline int died = 0;
};

thread_local Life life;
thread_local int plain_number = 7;
thread_local int zero_number;

void UseThreadLocals(int number) {
  Require(life.text == "new");
  Require(plain_number == 7 && zero_number == 0);
  life.text = "used by " + std::to_string(number);
  plain_number = zero_number = number;
  std::this_thread::yield();
  Require(life.text == "used by " + std::to_string(number));
  Require(plain_number == number && zero_number == number);
}

// Fresh in each thread, also in those that use another's resources again; and
// the destructor has run when join() returns.
void ThreadLocal() {
  Life::born = Life::died = 0;
  int next = 1;
  for (int round = 0; round < 5; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 10; ++i) threads.emplace_back(UseThreadLocals, next++);
    for (std::thread& thread : threads) thread.join();
    Require(Life::born == next - 1);
    Require(Life::died == next - 1);
  }
}

// One that a thread does not use is not made there.
void ThreadLocalUnused() {
  Life::born = Life::died = 0;
  OnManyThreads(kThreads, [] { Require(zero_number == 0); });
  Require(Life::born == 0 && Life::died == 0);
}

thread_local std::string* order = nullptr;

struct Letter {
  explicit Letter(char c) : letter(c) {}
  ~Letter() {
    std::this_thread::yield();
    order->push_back(letter);
  }
  Letter(const Letter&) = delete;
  Letter& operator=(const Letter&) = delete;
  const char letter;
};

// Made by a destructor, when the thread ends already.
void MakeLate() { thread_local const Letter late('L'); }

struct MakesAnother {
  ~MakesAnother() { MakeLate(); }
};

// Destructors run in reverse order; one may make a further variable.
void ThreadLocalOrder() {
  OnManyThreads(kThreads, [] {});
  std::vector<std::string> orders(kThreads);
  std::vector<std::thread> threads;
  for (std::string& mine : orders) {
    threads.emplace_back([&mine] {
      order = &mine;
      thread_local const Letter a('a');
      thread_local const MakesAnother makes_another;
      thread_local const Letter b('b');
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& mine : orders) Require(mine == "bLa");
}

// More destructors than fit into any small table.
struct Chained {
  explicit Chained(int* count) : deaths(count) {}
  ~Chained() { ++*deaths; }
  Chained(const Chained&) = delete;
  Chained& operator=(const Chained&) = delete;
  int* const deaths;
};

template <int kDepth>
void MakeChain(int* deaths) {
  thread_local const Chained link(deaths);
  if constexpr (kDepth > 1) MakeChain<kDepth - 1>(deaths);
}

void ThreadLocalChain() {
  constexpr int kLinks = 100;
  std::vector<int> deaths(kThreads, 0);
  std::vector<std::thread> threads;
  for (int& count : deaths) threads.emplace_back(MakeChain<kLinks>, &count);
  for (std::thread& thread : threads) thread.join();
  for (const int count : deaths) Require(count == kLinks);
}

// The end of a detached thread runs them too.
void ThreadLocalDetached() {
  struct Says {
    ~Says() {
      const std::lock_guard<std::mutex> lock(*mu);
      *is_gone = true;
      gone->notify_all();
    }
    std::mutex* mu = nullptr;
    std::condition_variable* gone = nullptr;
    bool* is_gone = nullptr;
  };
  // Static: the destructor's last use of them is after what it says.
  static std::mutex mu;
  static std::condition_variable gone;
  static bool is_gone;
  is_gone = false;
  std::thread([] {
    thread_local Says says;
    says.mu = &mu;
    says.gone = &gone;
    says.is_gone = &is_gone;
  }).detach();
  std::unique_lock<std::mutex> lock(mu);
  gone.wait(lock, [] { return is_gone; });
}

}  // namespace

std::vector<Primitive> Once() {
  return {{"call_once", CallOnce},
          {"call_once: throws", CallOnceThrows},
          {"local static", LocalStatic},
          {"local static: throws", LocalStaticThrows},
          {"local static: nested", NestedStatics},
          {"thread_local", ThreadLocal},
          {"thread_local: unused", ThreadLocalUnused},
          {"thread_local: order", ThreadLocalOrder},
          {"thread_local: many in a thread", ThreadLocalChain},
          {"thread_local: detached", ThreadLocalDetached}};
}

}  // namespace sim::test
