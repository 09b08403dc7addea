// Unit tests of base/spin_lock.h.

#include "base/spin_lock.h"

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

}  // namespace
}  // namespace base
