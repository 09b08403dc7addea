// Unit tests of base/spin_lock.h.

#include "base/spin_lock.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace base {
namespace {

TEST(SpinLock, LetsOneThreadInAtATime) {
  SpinLock lock;
  int value = 0;
  int inside = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) {
        const SpinLockHolder holder(&lock);
        EXPECT_EQ(++inside, 1);
        ++value;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(value, 2000);
}

TEST(SpinLock, KeepsOthersOutWhileItIsHeld) {
  SpinLock lock;
  std::atomic<bool> has_begun = false;
  std::atomic<bool> was_inside = false;
  lock.Lock();
  std::thread other([&] {
    has_begun = true;
    const SpinLockHolder holder(&lock);
    was_inside = true;
  });
  while (!has_begun) std::this_thread::yield();
  // One that does not wait is through by now.
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(was_inside);
  lock.Unlock();
  other.join();
  EXPECT_TRUE(was_inside);
}

}  // namespace
}  // namespace base
