// Raft with its threads, on the simulated network: life and death of instances,
// and a service built on them. The course's scenarios are in the lab suite.

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "examples/counter/counter.h"
#include "gtest/gtest.h"
#include "labrpc/network.h"
#include "persister/simulated_disk.h"
#include "raft/raft.h"

namespace raft {
namespace {

using std::chrono::milliseconds;

// `n` servers' worth of ends and registrations on one network, all connected.
class Wiring {
 public:
  explicit Wiring(size_t n) : n_(n) { network.LongDelays(true); }

  std::vector<std::shared_ptr<rpc::ClientEnd>> EndsOf(size_t server) {
    std::vector<std::shared_ptr<rpc::ClientEnd>> ends;
    for (size_t to = 0; to < n_; ++to) {
      const std::string name = absl::StrCat(server, "->", to);
      ends.push_back(network.MakeEnd(name));
      network.Connect(name, absl::StrCat(to));
      network.Enable(name, true);
    }
    return ends;
  }

  void Serve(size_t server, std::vector<rpc::Service> services) {
    auto host = std::make_shared<labrpc::Server>();
    for (rpc::Service& service : services) {
      host->AddService(std::move(service));
    }
    network.AddServer(absl::StrCat(server), std::move(host));
  }

  labrpc::Network network;

 private:
  const size_t n_;
};

// Waits for `condition`; the runner's limit for hung tests is the only one.
template <typename Condition>
void AwaitTrue(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(milliseconds(5));
}

struct Instance {
  Instance(Wiring* wiring, size_t me, size_t capacity)
      : channel(std::make_shared<ApplyChannel>(capacity)),
        raft(Make(wiring->EndsOf(me), static_cast<ServerId>(me), disk,
                  channel)) {
    wiring->Serve(me, raft->Services());
  }
  std::shared_ptr<persister::SimulatedDisk> disk =
      std::make_shared<persister::SimulatedDisk>();
  std::shared_ptr<ApplyChannel> channel;
  std::shared_ptr<Raft> raft;
};

TEST(LiveRaft, AClusterOfOneCommits) {
  Wiring wiring(1);
  Instance only(&wiring, 0, /*capacity=*/16);
  AwaitTrue([&] { return only.raft->GetState().is_leader; });
  EXPECT_EQ(only.raft->Start("a").index, 1u);
  EXPECT_EQ(only.raft->Start("b").index, 2u);
  EXPECT_EQ(only.channel->Receive()->command, "a");
  EXPECT_EQ(only.channel->Receive()->index, 2u);
  only.raft->Kill();
}

// Nobody takes the message, and the delivery blocks; Kill() must end it.
TEST(LiveRaft, KillEndsABlockedDelivery) {
  Wiring wiring(1);
  Instance only(&wiring, 0, /*capacity=*/0);
  AwaitTrue([&] { return only.raft->GetState().is_leader; });
  only.raft->Start("a");
  std::this_thread::sleep_for(milliseconds(20));
  only.raft->Kill();
  EXPECT_FALSE(only.channel->Receive().has_value());
}

// An end that takes calls and never answers; Kill() would hang if it waited.
class SilentEnd : public rpc::ClientEnd {
 public:
  void Close() override {}

 protected:
  std::optional<std::string> CallBytes(std::string_view, std::string) override {
    return std::nullopt;
  }
  void CallBytesAsync(std::string_view, std::string, DoneBytes) override {}
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
    Wiring wiring(3);
    std::vector<std::unique_ptr<Instance>> servers;
    for (size_t i = 0; i < 3; ++i) {
      servers.push_back(std::make_unique<Instance>(&wiring, i, 0));
    }
    std::vector<std::thread> killers;
    for (int k = 0; k < 6; ++k) {
      killers.emplace_back(
          [&servers, k] { servers[static_cast<size_t>(k % 3)]->raft->Kill(); });
    }
    for (std::thread& killer : killers) killer.join();
    for (const auto& server : servers) {
      server->raft->Kill();
      EXPECT_FALSE(server->raft->Start("late").is_leader);
      EXPECT_FALSE(server->raft->GetState().is_leader);
    }
  }
}

// Start() from several threads while the instances go away beneath them.
TEST(LiveRaft, StartAndKillUnderLoad) {
  Wiring wiring(3);
  std::vector<std::unique_ptr<Instance>> servers;
  std::vector<std::thread> threads;
  std::atomic<bool> stop = false;
  std::atomic<int> delivered = 0;
  for (size_t i = 0; i < 3; ++i) {
    servers.push_back(std::make_unique<Instance>(&wiring, i, 64));
    threads.emplace_back([&delivered, channel = servers[i]->channel] {
      Index last = 0;
      while (auto message = channel->Receive()) {
        EXPECT_EQ(message->index, last + 1);
        last = message->index;
        ++delivered;
      }
    });
  }
  for (size_t i = 0; i < 3; ++i) {
    threads.emplace_back([&servers, &stop, i] {
      while (!stop) {
        const StartResult started = servers[i]->raft->Start("command");
        if (!started.is_leader || started.index % 64 == 0) {
          std::this_thread::sleep_for(milliseconds(1));
        }
      }
    });
  }
  AwaitTrue([&] { return delivered >= 3000; });
  for (const auto& server : servers) server->raft->Kill();
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

// The README's example.
TEST(Example, ACounterIsTheSameOnEveryServer) {
  Wiring wiring(3);
  std::vector<std::unique_ptr<Counter>> counters;
  for (size_t i = 0; i < 3; ++i) {
    counters.push_back(std::make_unique<Counter>(
        wiring.EndsOf(i), static_cast<ServerId>(i),
        std::make_shared<persister::SimulatedDisk>()));
    wiring.Serve(i, counters[i]->Services());
  }
  // Whoever leads takes the command; if it is deposed at that moment the
  // command may be lost, but not on one server alone.
  for (int64_t n = 1; n <= 10; ++n) {
    AwaitTrue([&] {
      for (const auto& counter : counters) {
        if (counter->Add(n)) return true;
      }
      return false;
    });
  }
  AwaitTrue([&] {
    return counters[0]->value() > 0 &&
           counters[0]->value() == counters[1]->value() &&
           counters[1]->value() == counters[2]->value();
  });
  EXPECT_LE(counters[0]->value(), 55);
}

}  // namespace
}  // namespace raft
