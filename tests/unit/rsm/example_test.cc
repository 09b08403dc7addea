// The README's example: servers of it on the simulated network.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

#include "examples/counter/counter.h"
#include "gtest/gtest.h"
#include "labrpc/network.h"
#include "tests/harness/server_group.h"

namespace rsm {
namespace {

class Counters {
 public:
  Counters()
      : group_(&network_,
               {.servers = 3,
                .make_node = [this](harness::Ends ends, int /*group*/,
                                    raft::ServerId me, const auto& disk) {
                  auto& counter = counters_[static_cast<size_t>(me)];
                  counter =
                      std::make_unique<Counter>(std::move(ends), me, disk);
                  return harness::Node{.services = counter->Services(),
                                       .kill = [&counter] { counter.reset(); },
                                       .rest = nullptr};
                }}) {
    network_.LongDelays(true);
    StartAll();
  }

  void StartAll() {
    for (raft::ServerId i = 0; i < 3; ++i) group_.Start(i);
    for (raft::ServerId i = 0; i < 3; ++i) group_.Connect(i);
  }

  void CrashAll() {
    for (raft::ServerId i = 0; i < 3; ++i) group_.Crash(i);
  }

  // Returns the total. Asks again until a server has an answer; so `n` may be
  // added twice if a leader is deposed at that moment.
  int64_t Add(int64_t n) {
    while (true) {
      for (const auto& counter : counters_) {
        if (const auto total = counter->Add(n)) return *total;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void AwaitSnapshots() {
    for (raft::ServerId i = 0; i < 3; ++i) {
      while (group_.SnapshotSize(i) == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
  }

 private:
  labrpc::Network network_;
  std::array<std::unique_ptr<Counter>, 3> counters_;
  harness::ServerGroup group_;
};

TEST(Example, ACounterCounts) {
  Counters counters;
  for (int64_t n = 1; n <= 10; ++n) counters.Add(n);
  EXPECT_GE(counters.Add(0), 55);
}

// What stood in the log before the snapshot is not executed again.
TEST(Example, ACounterContinuesFromItsSnapshot) {
  Counters counters;
  for (int n = 1; n <= 1000; ++n) counters.Add(1);
  counters.AwaitSnapshots();
  const int64_t before = counters.Add(0);
  EXPECT_GE(before, 1000);

  counters.CrashAll();
  counters.StartAll();
  EXPECT_EQ(counters.Add(0), before);
}

}  // namespace
}  // namespace rsm
