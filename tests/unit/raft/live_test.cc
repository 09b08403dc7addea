// Raft with its threads, on the simulated network: life cycle of instances. The
// course's scenarios are in the lab suite.

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "labrpc/network.h"
#include "persister/simulated_disk.h"
#include "raft/raft.h"
#include "tests/harness/server_group.h"

namespace raft {
namespace {

using std::chrono::milliseconds;

// Waits for `condition`; the runner's limit for hung tests is the only one.
template <typename Condition>
void AwaitTrue(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(milliseconds(5));
}

// A group of Rafts, all connected, whose channels have no reader.
class LiveGroup {
 public:
  LiveGroup(int servers, size_t capacity)
      : group_(&network_,
               {.servers = servers,
                .make_node = [this, capacity](harness::Ends ends, int /*group*/,
                                              ServerId me, const auto& disk) {
                  channels.push_back(std::make_shared<ApplyChannel>(capacity));
                  rafts.push_back(
                      Make(std::move(ends), me, disk, channels.back()));
                  return harness::Node{
                      .services = rafts.back()->Services(),
                      .kill = [raft = rafts.back()] { raft->Kill(); },
                      .rest = nullptr};
                }}) {
    network_.LongDelays(true);
    for (ServerId i = 0; i < servers; ++i) group_.Start(i);
    for (ServerId i = 0; i < servers; ++i) group_.Connect(i);
  }

  std::vector<std::shared_ptr<ApplyChannel>> channels;  // by server
  std::vector<std::shared_ptr<Raft>> rafts;

 private:
  labrpc::Network network_;
  harness::ServerGroup group_;
};

TEST(LiveRaft, AClusterOfOneCommits) {
  LiveGroup group(/*servers=*/1, /*capacity=*/16);
  Raft& only = *group.rafts[0];
  AwaitTrue([&] { return only.GetState().is_leader; });
  EXPECT_EQ(only.Start("a").index, 1u);
  EXPECT_EQ(only.Start("b").index, 2u);
  EXPECT_EQ(group.channels[0]->Receive()->command, "a");
  EXPECT_EQ(group.channels[0]->Receive()->index, 2u);
  only.Kill();
}

// No service takes the message, and the delivery blocks; Kill() must end it.
TEST(LiveRaft, KillEndsABlockedDelivery) {
  LiveGroup group(/*servers=*/1, /*capacity=*/0);
  Raft& only = *group.rafts[0];
  AwaitTrue([&] { return only.GetState().is_leader; });
  only.Start("a");
  std::this_thread::sleep_for(milliseconds(20));
  only.Kill();
  EXPECT_FALSE(group.channels[0]->Receive().has_value());
}

// Some 100 ms of copying on a busy machine, far below the election timeout.
TEST(LiveRaft, TheLargestCommandsCommitOnAllServers) {
  LiveGroup group(/*servers=*/3, /*capacity=*/64);
  const std::string largest(kMaxCommandBytes, 'x');
  std::atomic<int> delivered[3] = {};
  std::vector<std::thread> readers;
  for (size_t i = 0; i < 3; ++i) {
    readers.emplace_back([&, i] {
      while (auto message = group.channels[i]->Receive()) {
        EXPECT_EQ(message->command, largest);
        ++delivered[i];
      }
    });
  }
  for (int count = 1; count <= 4; ++count) {
    auto again = Clock::time_point();  // also if its leader was replaced
    AwaitTrue([&] {
      for (const auto& raft : group.rafts) {
        if (Clock::now() > again && raft->Start(largest).is_leader) {
          again = Clock::now() + std::chrono::seconds(2);
        }
      }
      return delivered[0] >= count && delivered[1] >= count &&
             delivered[2] >= count;
    });
  }
  for (const auto& raft : group.rafts) raft->Kill();
  for (std::thread& reader : readers) reader.join();
}

// An end that takes calls and never answers; Kill() would hang if it waited.
class SilentEnd : public rpc::ClientEnd {
 public:
  void Close() override {}

 protected:
  std::optional<std::string> CallFrame(std::string_view, rpc::Frame) override {
    return std::nullopt;
  }
  void CallFrameAsync(std::string_view, rpc::Frame, DoneBytes) override {}
};

TEST(LiveRaft, KillDoesNotWaitForOutstandingCalls) {
  const auto end = std::make_shared<SilentEnd>();
  const auto raft = Make({end, end, end}, /*me=*/0,
                         std::make_shared<persister::SimulatedDisk>(),
                         std::make_shared<ApplyChannel>(0));
  AwaitTrue([&] { return raft->GetState().term >= 2; });
  raft->Kill();
  EXPECT_FALSE(raft->GetState().is_leader);
}

TEST(LiveRaft, KillMayBeCalledTwiceAndByManyAtOnce) {
  for (int round = 0; round < 20; ++round) {
    LiveGroup group(/*servers=*/3, /*capacity=*/0);
    std::vector<std::thread> killers;
    for (int k = 0; k < 6; ++k) {
      killers.emplace_back(
          [raft = group.rafts[static_cast<size_t>(k % 3)]] { raft->Kill(); });
    }
    for (std::thread& killer : killers) killer.join();
    for (const auto& raft : group.rafts) {
      raft->Kill();
      EXPECT_FALSE(raft->Start("late").is_leader);
      EXPECT_FALSE(raft->GetState().is_leader);
    }
  }
}

// Start() from several threads while the instances go away beneath them.
TEST(LiveRaft, StartAndKillUnderLoad) {
  LiveGroup group(/*servers=*/3, /*capacity=*/64);
  std::vector<std::thread> threads;
  std::atomic<bool> stop = false;
  std::atomic<int> delivered = 0;
  for (const auto& channel : group.channels) {
    threads.emplace_back([&delivered, channel] {
      Index last = 0;
      while (auto message = channel->Receive()) {
        EXPECT_EQ(message->index, last + 1);
        last = message->index;
        ++delivered;
      }
    });
  }
  for (const auto& raft : group.rafts) {
    threads.emplace_back([&stop, raft] {
      while (!stop) {
        const StartResult started = raft->Start("command");
        if (!started.is_leader || started.index % 64 == 0) {
          std::this_thread::sleep_for(milliseconds(1));
        }
      }
    });
  }
  AwaitTrue([&] { return delivered >= 3000; });
  for (const auto& raft : group.rafts) raft->Kill();
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace raft
