// A simulated program may fork: the child, with the forking thread only, goes
// on in a simulation of its own past, and may start another program.

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "sim/options.h"
#include "sim/test/check.h"
#include "sim/test/forked.h"

namespace sim::test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kChildStatus = 42;

int StatusOf(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) Require(errno == EINTR);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// For simulated threads: forks, runs `body` in the child, and waits for it.
void InForkedChild(const std::function<void()>& body) {
  const pid_t child = fork();
  Require(child >= 0);
  if (child == 0) {
    body();
    _exit(kChildStatus);
  }
  Require(StatusOf(child) == kChildStatus);
}

// Locks, sleeps in virtual time, starts threads, waits.
void LiveOn() {
  Require(Active());
  std::mutex mu;
  std::condition_variable changed;
  int done = 0;
  const auto before = steady_clock::now();
  std::vector<std::thread> threads;
  for (int i = 1; i <= 4; ++i) {
    threads.emplace_back([&, i] {
      std::this_thread::sleep_for(seconds(100 * i));
      const std::lock_guard<std::mutex> lock(mu);
      ++done;
      changed.notify_one();
    });
  }
  {
    std::unique_lock<std::mutex> lock(mu);
    while (done < 4) changed.wait(lock);
  }
  for (std::thread& thread : threads) thread.join();
  Require(steady_clock::now() - before >= seconds(400));
}

// `body` on each engine, with some seeds.
void CheckEverywhere(const std::function<void()>& body) {
  for (const Engine engine : {Engine::kFiber, Engine::kNative}) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      const Outcome outcome = ForkRun(Harsh(seed, engine), body);
      EXPECT_TRUE(outcome.passed()) << "seed " << seed << ", engine "
                                    << EngineName(engine) << ": " << outcome;
    }
  }
}

TEST(SimFork, ChildOfTheOnlyThread) {
  CheckEverywhere([] {
    InForkedChild(LiveOn);
    LiveOn();
  });
}

// Others are blocked, asleep and able to run; in the child they are gone, and
// what they would do in an hour never happens.
TEST(SimFork, ChildOfOneOfMany) {
  CheckEverywhere([] {
    std::mutex mu;
    std::condition_variable never;
    bool may_end = false;
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
      std::unique_lock<std::mutex> lock(mu);
      while (!may_end) never.wait(lock);
    });
    threads.emplace_back([] { std::this_thread::sleep_for(seconds(3)); });
    threads.emplace_back([&] {
      for (bool seen = false; !seen;) {
        std::this_thread::yield();
        const std::lock_guard<std::mutex> lock(mu);
        seen = may_end;
      }
    });
    std::this_thread::sleep_for(kTick);
    {
      // Held during the fork, so that no other thread has it then.
      const std::lock_guard<std::mutex> lock(mu);
      InForkedChild([&] {
        mu.unlock();
        { const std::lock_guard<std::mutex> again(mu); }
        LiveOn();
      });
      may_end = true;
    }
    never.notify_all();
    for (std::thread& thread : threads) thread.join();
  });
}

TEST(SimFork, OffTheMainThread) {
  CheckEverywhere([] {
    std::thread([] { InForkedChild(LiveOn); }).join();
    LiveOn();
  });
}

TEST(SimFork, ChildForks) {
  CheckEverywhere([] {
    InForkedChild([] {
      LiveOn();
      InForkedChild(LiveOn);
    });
  });
}

TEST(SimFork, ChildStartsAnotherProgram) {
  CheckEverywhere([] {
    std::thread bystander([] { std::this_thread::sleep_for(seconds(1)); });
    const pid_t child = fork();
    Require(child >= 0);
    if (child == 0) {
      execl("/bin/sh", "sh", "-c", "exit 7", nullptr);
      _exit(1);
    }
    Require(StatusOf(child) == 7);
    bystander.join();
  });
}

// A deadlock in the child is the child's end, and the parent learns of it.
TEST(SimFork, ChildDeadlocks) {
  CheckEverywhere([] {
    const pid_t child = fork();
    Require(child >= 0);
    if (child == 0) {
      std::mutex mu;
      std::condition_variable never;
      std::unique_lock<std::mutex> lock(mu);
      for (;;) never.wait(lock);
    }
    Require(StatusOf(child) == kExitDeadlock);
    LiveOn();
  });
}

// That the parent has forked does not show in its own run.
TEST(SimFork, ParentsRunIsTheSame) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Outcome without = ForkRun(Harsh(seed), LiveOn);
    const Outcome with = ForkRun(Harsh(seed), [] {
      InForkedChild([] {});
      LiveOn();
    });
    EXPECT_EQ(with, without) << "seed " << seed;
  }
}

}  // namespace
}  // namespace sim::test
