// Unit tests of base/mutex.h. Run under ThreadSanitizer they also show that it
// understands our locks.

#include "base/mutex.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace base {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Counter {
  Mutex mu;
  CondVar changed;
  int value ABSL_GUARDED_BY(mu) = 0;
};

TEST(Mutex, LetsOneThreadInAtATime) {
  Counter counter;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&counter] {
      for (int j = 0; j < 1000; ++j) {
        MutexLock lock(&counter.mu);
        ++counter.value;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  MutexLock lock(&counter.mu);
  EXPECT_EQ(counter.value, 4000);
}

TEST(Mutex, AssertHeldAcceptsTheHolder) {
  Mutex mu;
  MutexLock lock(&mu);
  mu.AssertHeld();
}

TEST(Mutex, ChecksAtEveryRelease) {
  Counter counter;
  CondVar never;
  int checks = 0;
  counter.mu.CheckOnRelease([&] {
    counter.mu.AssertHeld();  // what it verifies may be read
    ++checks;
  });
  {
    MutexLock lock(&counter.mu);
    EXPECT_EQ(checks, 0);
  }
  EXPECT_EQ(checks, 1);

  MutexLock lock(&counter.mu);
  never.WaitUntil(&counter.mu, steady_clock::now());
  EXPECT_EQ(checks, 2) << "waiting lets others in, so it is a release";
}

TEST(CondVar, WakesTheWaiterWhichThenHoldsTheMutex) {
  Counter counter;
  std::thread setter([&counter] {
    MutexLock lock(&counter.mu);
    counter.value = 1;
    counter.changed.Signal();
  });
  {
    MutexLock lock(&counter.mu);
    while (counter.value == 0) counter.changed.Wait(&counter.mu);
    counter.mu.AssertHeld();
    EXPECT_EQ(counter.value, 1);
  }
  setter.join();
}

TEST(CondVar, SignalAllWakesEveryWaiter) {
  Counter counter;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.emplace_back([&counter] {
      MutexLock lock(&counter.mu);
      while (counter.value == 0) counter.changed.Wait(&counter.mu);
    });
  }
  {
    MutexLock lock(&counter.mu);
    counter.value = 1;
  }
  counter.changed.SignalAll();
  for (std::thread& waiter : waiters) waiter.join();
}

TEST(CondVar, WaitUntilGivesUpAtItsDeadlineAndNotBefore) {
  Counter counter;
  const auto deadline = steady_clock::now() + milliseconds(30);
  MutexLock lock(&counter.mu);
  // Wakeups without a signal are allowed, and are no timeout.
  while (counter.changed.WaitUntil(&counter.mu, deadline)) {
  }
  EXPECT_GE(steady_clock::now(), deadline);
  counter.mu.AssertHeld();
}

TEST(CondVar, WaitIsAReleaseThatIsCheckedToo) {
  Counter counter;
  std::vector<std::thread::id> checked;
  counter.mu.CheckOnRelease(
      [&] { checked.push_back(std::this_thread::get_id()); });
  std::thread setter;
  {
    MutexLock lock(&counter.mu);
    setter = std::thread([&counter] {
      MutexLock setter_lock(&counter.mu);
      counter.value = 1;
      counter.changed.Signal();
    });
    while (counter.value == 0) counter.changed.Wait(&counter.mu);
    ASSERT_GE(checked.size(), 2u);
    EXPECT_EQ(checked.front(), std::this_thread::get_id());
    EXPECT_NE(checked.back(), std::this_thread::get_id());
  }
  setter.join();
}

TEST(CondVar, WaitUntilTellsASignalFromTheDeadline) {
  Counter counter;
  std::thread setter;
  MutexLock lock(&counter.mu);
  setter = std::thread([&counter] {
    MutexLock setter_lock(&counter.mu);
    counter.value = 1;
    counter.changed.Signal();
  });
  const auto deadline = steady_clock::now() + std::chrono::hours(1);
  while (counter.value == 0) {
    EXPECT_TRUE(counter.changed.WaitUntil(&counter.mu, deadline));
  }
  counter.mu.AssertHeld();
  setter.join();
}

// Whatever was waited for, no other thread has the mutex afterwards.
TEST(CondVar, AfterAWaitOthersAreKeptOut) {
  for (const bool has_deadline : {false, true}) {
    Counter counter;
    std::atomic<bool> has_begun = false;
    std::atomic<bool> was_inside = false;
    std::thread setter;
    std::thread other;
    {
      MutexLock lock(&counter.mu);
      setter = std::thread([&counter] {
        MutexLock setter_lock(&counter.mu);
        counter.value = 1;
        counter.changed.Signal();
      });
      while (counter.value == 0) {
        if (has_deadline) {
          counter.changed.WaitUntil(
              &counter.mu, steady_clock::now() + std::chrono::hours(1));
        } else {
          counter.changed.Wait(&counter.mu);
        }
      }
      other = std::thread([&] {
        has_begun = true;
        MutexLock other_lock(&counter.mu);
        was_inside = true;
      });
      while (!has_begun) std::this_thread::yield();
      // One that does not wait is through by now.
      std::this_thread::sleep_for(milliseconds(5));
      EXPECT_FALSE(was_inside);
    }
    setter.join();
    other.join();
    EXPECT_TRUE(was_inside);
  }
}

// They sleep by then; one that comes late all the same finds the value set.
TEST(CondVar, SignalAllWakesAllThatSleep) {
  Counter counter;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.emplace_back([&counter] {
      MutexLock lock(&counter.mu);
      while (counter.value == 0) counter.changed.Wait(&counter.mu);
    });
  }
  std::this_thread::sleep_for(milliseconds(5));
  {
    MutexLock lock(&counter.mu);
    counter.value = 1;
  }
  counter.changed.SignalAll();
  for (std::thread& waiter : waiters) waiter.join();
}

TEST(MutexDeathTest, AssertHeldDiesWithoutTheMutex) {
  Mutex mu;
  EXPECT_DEATH(mu.AssertHeld(), "does not hold the mutex");
}

TEST(MutexDeathTest, AssertHeldDiesIfAnotherThreadHoldsIt) {
  Mutex mu;
  MutexLock lock(&mu);
  EXPECT_DEATH(std::thread([&mu] { mu.AssertHeld(); }).join(),
               "does not hold the mutex");
}

TEST(MutexDeathTest, AssertHeldDiesAfterTheRelease) {
  Mutex mu;
  { MutexLock lock(&mu); }
  EXPECT_DEATH(mu.AssertHeld(), "does not hold the mutex");
}

TEST(Mutex, NoneIsHeldAfterReleasesInAnyOrder) {
  Mutex first;
  Mutex second;
  CondVar never;
  first.Lock();
  second.Lock();
  never.WaitUntil(&second, steady_clock::now());
  first.Unlock();
  second.Unlock();
  Mutex::AssertNoneHeld("a call");
  MutexLock lock(&first);
  std::thread([] { Mutex::AssertNoneHeld("another thread's call"); }).join();
}

TEST(MutexDeathTest, AssertNoneHeldNamesTheCallAndWhereTheLockWasTaken) {
  Mutex mu;
  Mutex other;
  MutexLock lock(&mu);
  EXPECT_DEATH(
      Mutex::AssertNoneHeld("Raft.RequestVote"),
      "Raft.RequestVote is called while this thread holds the lock that "
      "it took at mutex_test.cc:[0-9]+;");
  { MutexLock lock_of_other(&other); }
  EXPECT_DEATH(Mutex::AssertNoneHeld("Raft.RequestVote"), "holds the lock");
}

TEST(MutexDeathTest, ThePlaceIsTheLineThatTookTheLock) {
  Mutex mu;
  const std::string line = std::to_string(__LINE__ + 1);
  mu.Lock();
  EXPECT_DEATH(Mutex::AssertNoneHeld("A call"),
               "took at mutex_test.cc:" + line + ";");
  mu.Unlock();
  const std::string next_line = std::to_string(__LINE__ + 1);
  MutexLock lock(&mu);
  EXPECT_DEATH(Mutex::AssertNoneHeld("A call"),
               "took at mutex_test.cc:" + next_line + ";");
}

// From the line that took it, which is not the last one that did.
TEST(MutexDeathTest, WhatWasWaitedWithIsHeldAgain) {
  Counter counter;
  const std::string line = std::to_string(__LINE__ + 1);
  MutexLock lock(&counter.mu);
  std::thread other([&counter] {
    MutexLock its_lock(&counter.mu);
    counter.value = 1;
    counter.changed.Signal();
  });
  while (counter.value == 0) counter.changed.Wait(&counter.mu);
  EXPECT_DEATH(Mutex::AssertNoneHeld("A call"),
               "took at mutex_test.cc:" + line + ";");
  CondVar never;
  never.WaitUntil(&counter.mu, steady_clock::now());
  EXPECT_DEATH(Mutex::AssertNoneHeld("A call"),
               "took at mutex_test.cc:" + line + ";");
  counter.mu.AssertHeld();
  other.join();  // it needs the lock no more
}

TEST(MutexDeathTest, UnlockDiesWithoutTheMutex) {
  Mutex mu;
  Mutex other;
  MutexLock lock(&other);
  void (Mutex::*const unlock)() = &Mutex::Unlock;  // unseen by clang's analysis
  EXPECT_DEATH((mu.*unlock)(), "does not hold what it unlocks");
}

TEST(MutexDeathTest, FailedCheckDiesAtTheRelease) {
  Mutex mu;
  mu.CheckOnRelease([] { LOG(FATAL) << "invariant broken"; });
  EXPECT_DEATH({ MutexLock lock(&mu); }, "invariant broken");
}

}  // namespace
}  // namespace base
