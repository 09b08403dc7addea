// Unit tests of rpc/drop_counter.h.

#include "rpc/drop_counter.h"

#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace rpc {
namespace {

TEST(DropCounter, CountsAllAndLogsTheFirst) {
  DropCounter counter;
  EXPECT_EQ(counter.count(), 0u);
  testing::internal::CaptureStderr();
  for (const char* const what : {"the first", "the second", "the third"}) {
    counter.Add(what);
  }
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("the first: dropped; further ones are only counted"),
            std::string::npos)
      << log;
  EXPECT_EQ(log.find("the second"), std::string::npos) << log;
  EXPECT_EQ(log.find("the third"), std::string::npos) << log;
  EXPECT_EQ(counter.count(), 3u);
}

TEST(DropCounter, CountsFromManyThreads) {
  DropCounter counter;
  counter.Add("before");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&counter] {
      for (int j = 0; j < 1000; ++j) counter.Add("another");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.count(), 4001u);
}

}  // namespace
}  // namespace rpc
