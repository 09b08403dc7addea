// The timeline of a call: each row of the outcome table, the counters, and what
// an observer sees.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/rope.h"
#include "gtest/gtest.h"
#include "tests/unit/labrpc/network_fixture.h"

namespace tests {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

class Network : public NetworkTest {
 protected:
  // Starts `count` Wait calls on end_ and waits until all handlers block.
  void StartWaiting(int count) {
    for (int i = 0; i < count; ++i) {
      end_->CallAsync(kWait, "x", outcomes_.Callback());
    }
    gate_.AwaitArrivals(count);
  }
  // Waits until what is counted from now on by tenths of a second is not the
  // same as what the clock counts.
  static void AwaitMiddleOfTenth() {
    const auto passed = Clock::now().time_since_epoch() % milliseconds(100);
    std::this_thread::sleep_for(milliseconds(140) - passed);
  }
  // Lets the handlers go and waits for `count` replies to be judged.
  void AwaitReplies(Fate fate, int count) {
    gate_.Open();
    while (log_.Replies(fate) < count) {
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
  void ExpectUndelivered() {
    const int64_t bytes = network_->GetTotalBytes();
    EXPECT_EQ(end_->Call(kEcho, "hello"), std::nullopt);

    EXPECT_EQ(server_->GetCount(), 0);
    EXPECT_EQ(network_->GetTotalCount(), 1);
    EXPECT_EQ(network_->GetTotalBytes() - bytes, 8 + 5) << "args only";
    EXPECT_EQ(log_.Requests(Fate::kUndeliverable), 1);
  }
};

TEST_F(Network, FlagsStartAsACalmNetwork) {
  EXPECT_TRUE(network_->IsReliable());
  EXPECT_FALSE(network_->IsLongDelays());
  EXPECT_FALSE(network_->IsLongReordering());

  network_->Reliable(false);
  network_->LongDelays(true);
  network_->LongReordering(true);
  EXPECT_FALSE(network_->IsReliable());
  EXPECT_TRUE(network_->IsLongDelays());
  EXPECT_TRUE(network_->IsLongReordering());
}

TEST_F(Network, CountsArgumentsAndReplies) {
  EXPECT_EQ(end_->Call(kEcho, "hello"), "hello!");

  EXPECT_EQ(network_->GetCount("server"), 1);
  EXPECT_EQ(network_->GetTotalCount(), 1);
  EXPECT_EQ(network_->GetTotalBytes(), (8 + 5) + (8 + 6));
}

TEST_F(Network, TheServersCountIsTheObjects) {
  end_->Call(kEcho, "a");
  EXPECT_EQ(network_->GetCount("server"), 1);

  AddServer("server");
  EXPECT_EQ(network_->GetCount("server"), 0);
  network_->DeleteServer("server");
  EXPECT_EQ(network_->GetCount("server"), 0);
  EXPECT_EQ(network_->GetCount("unknown"), 0);
  EXPECT_EQ(server_->GetCount(), 1);
}

TEST_F(Network, DisabledEndIsUndeliverable) {
  network_->Enable("end", false);
  ExpectUndelivered();
}

TEST_F(Network, UnconnectedEndIsUndeliverable) {
  end_ = network_->MakeEnd("loose");
  network_->Enable("loose", true);
  ExpectUndelivered();
}

TEST_F(Network, DeletedServerIsUndeliverable) {
  network_->DeleteServer("server");
  ExpectUndelivered();
}

TEST_F(Network, DeletedEndIsUndeliverable) {
  network_->DeleteEnd("end");
  ExpectUndelivered();
  EXPECT_EQ(log_.lines()[0],
            "request undeliverable end=end server= method=Test.Echo bytes=13");

  // The name is free, and has nothing of the old end.
  end_ = network_->MakeEnd("end");
  EXPECT_EQ(end_->Call(kEcho, "hello"), std::nullopt);
  network_->Connect("end", "server");
  network_->Enable("end", true);
  EXPECT_EQ(end_->Call(kEcho, "hello"), "hello!");
}

// Decided once: what becomes of the end meanwhile does not rescue the call.
TEST_F(Network, EnablingDoesNotRescue) {
  network_->Enable("end", false);
  for (int i = 0; i < 20; ++i) {
    end_->CallAsync(kEcho, "x", outcomes_.Callback());
  }
  network_->Enable("end", true);

  EXPECT_EQ(Successes(outcomes_.Await(20)), 0);
  EXPECT_EQ(server_->GetCount(), 0);
}

// 20 delays of 0..6999 ms: all below 150 ms with probability 47^-20.
TEST_F(Network, LongDelaysHoldUndeliverableCallsForSeconds) {
  network_->Enable("end", false);
  network_->LongDelays(true);
  for (int i = 0; i < 20; ++i) {
    end_->CallAsync(kEcho, "x", outcomes_.Callback());
  }

  std::this_thread::sleep_for(milliseconds(150));
  EXPECT_LT(outcomes_.Now().size(), 20u);
}

// The books of 2,000 unreliable calls: what was lost where, what was counted.
TEST_F(Network, UnreliableLosesRequestsAndReplies) {
  constexpr int kCalls = 2000;
  network_->Reliable(false);
  for (int i = 0; i < kCalls; ++i) {
    end_->CallAsync(kEcho, "hello", outcomes_.Callback());
  }
  const int64_t successes = Successes(outcomes_.Await(kCalls));

  const int lost_requests = log_.Requests(Fate::kLost);
  const int lost_replies = log_.Replies(Fate::kLost);
  EXPECT_NEAR(lost_requests, 200, 80);  // six standard deviations
  EXPECT_NEAR(lost_replies, 180, 80);
  EXPECT_EQ(log_.Requests(Fate::kDelivered), kCalls - lost_requests);
  EXPECT_EQ(log_.Replies(Fate::kDelivered), successes);
  EXPECT_EQ(successes, kCalls - lost_requests - lost_replies);
  EXPECT_EQ(server_->GetCount(), kCalls - lost_requests);
  EXPECT_EQ(network_->GetTotalCount(), kCalls);
  EXPECT_EQ(network_->GetTotalBytes(), kCalls * 13 + successes * 14);
}

// 50 delays of 0..26 ms: all below 10 ms with probability 3e-22.
TEST_F(Network, UnreliableDelaysRequests) {
  network_->Reliable(false);
  const auto start = Clock::now();
  for (int i = 0; i < 50; ++i) {
    end_->CallAsync(kEcho, "x", outcomes_.Callback());
  }
  outcomes_.Await(50);
  EXPECT_GE(Clock::now() - start, milliseconds(10));
}

TEST_F(Network, DeletingTheServerEndsItsCallsAtOnce) {
  StartWaiting(3);

  network_->DeleteServer("server");
  EXPECT_EQ(Successes(outcomes_.Await(3)), 0);

  // The handlers run on; what they say is refused, and not counted.
  AwaitReplies(Fate::kRefused, 3);
  EXPECT_EQ(network_->GetTotalBytes(), 3 * 9);
}

TEST_F(Network, ReplacingTheServerEndsItsCallsAtOnce) {
  StartWaiting(3);

  AddServer("server");
  EXPECT_EQ(Successes(outcomes_.Await(3)), 0);
  EXPECT_EQ(end_->Call(kEcho, "new"), "new!");
}

TEST_F(Network, RegisteringTheSameServerEndsNothing) {
  StartWaiting(3);

  network_->AddServer("server", server_);
  gate_.Open();
  EXPECT_EQ(Successes(outcomes_.Await(3)), 3);
}

TEST_F(Network, DisablingIsNoticedByTheNextPoll) {
  AwaitMiddleOfTenth();
  const auto start = Clock::now();
  StartWaiting(1);

  network_->Enable("end", false);
  network_->DeleteServer("another");  // is none of its business
  EXPECT_EQ(Successes(outcomes_.Await(1)), 0);
  EXPECT_GE(Clock::now() - start, milliseconds(100));
}

TEST_F(Network, DisablingIsNoticedWhenTheHandlerReturns) {
  StartWaiting(1);

  network_->Enable("end", false);
  AwaitReplies(Fate::kRefused, 1);
  EXPECT_EQ(Successes(outcomes_.Await(1)), 0);
}

TEST_F(Network, AnEndSwitchedOffAndOnGoesUnnoticed) {
  StartWaiting(1);

  network_->Enable("end", false);
  network_->Enable("end", true);
  std::this_thread::sleep_for(milliseconds(150));  // a poll has passed
  gate_.Open();
  EXPECT_EQ(Successes(outcomes_.Await(1)), 1);
}

TEST_F(Network, DeletingTheEndEndsItsCalls) {
  StartWaiting(1);

  network_->DeleteEnd("end");
  EXPECT_EQ(Successes(outcomes_.Await(1)), 0);
}

// Step 4 is not repeated: what was admitted runs, and its reply is refused.
TEST_F(Network, AnAdmittedRequestReachesADeletedServer) {
  network_->Reliable(false);
  for (int i = 0; i < 50; ++i) {
    end_->CallAsync(kEcho, "x", outcomes_.Callback());
  }
  network_->DeleteServer("server");

  const int64_t successes = Successes(outcomes_.Await(50));
  EXPECT_EQ(server_->GetCount(), 50 - log_.Requests(Fate::kLost));
  EXPECT_EQ(log_.Replies(Fate::kDelivered), successes);
  EXPECT_GT(log_.Replies(Fate::kRefused), 0);
}

// A death between admission and handler is found by the first poll: the gate of
// these handlers stays closed.
TEST_F(Network, DeathBeforeTheHandlerIsNoticedByAPoll) {
  network_->Reliable(false);
  for (int i = 0; i < 30; ++i) {
    end_->CallAsync(kWait, "x", outcomes_.Callback());
  }
  network_->Enable("end", false);
  EXPECT_EQ(Successes(outcomes_.Await(30)), 0);

  network_->Enable("end", true);
  for (int i = 0; i < 30; ++i) {
    end_->CallAsync(kWait, "x", outcomes_.Callback());
  }
  network_->DeleteServer("server");
  EXPECT_EQ(Successes(outcomes_.Await(60)), 0);
}

// That poll is counted from the handler's begin, not from the end's, nor is it
// at a full tenth of a second of the clock.
TEST_F(Network, TheFirstPollComesWhenTheHandlerHasRun100Ms) {
  constexpr rpc::Method<int, int> kNoted{"Noted.Wait"};
  std::array<std::atomic<bool>, 8> has_begun{};
  rpc::Service noted("Noted");
  noted.Handle(kNoted, [&](int i) {
    has_begun[static_cast<size_t>(i)] = true;
    gate_.Pass();
    return i;
  });
  server_->AddService(std::move(noted));
  network_->Reliable(false);
  AwaitMiddleOfTenth();
  const auto start = Clock::now();
  for (size_t i = 0; i < has_begun.size(); ++i) {
    end_->CallAsync(kNoted, static_cast<int>(i),
                    [&, i, done = outcomes_.Callback()](auto /*outcome*/) {
                      if (has_begun[i]) {  // the request was not lost
                        EXPECT_GE(Clock::now() - start, milliseconds(100));
                      }
                      done(std::nullopt);
                    });
  }
  network_->Enable("end", false);
  outcomes_.Await(has_begun.size());
  gate_.Open();
  network_->Cleanup();  // before what the callbacks refer to goes
}

// The flags of a call are those of its admission.  Were the new ones used, all
// 20 replies would get through with probability (0.9 / 3)^20.
TEST_F(Network, FlagsAreReadOnce) {
  StartWaiting(20);

  network_->Reliable(false);
  network_->LongReordering(true);
  AwaitReplies(Fate::kDelivered, 20);
  EXPECT_EQ(Successes(outcomes_.Await(20)), 20);
}

// A reply that waits out a long delay is not checked again.
TEST_F(Network, AReorderedReplyArrivesWhateverHappens) {
  network_->LongReordering(true);
  const auto start = Clock::now();
  StartWaiting(20);
  gate_.Open();
  while (log_.Replies(Fate::kDelivered) + log_.Replies(Fate::kReordered) < 20) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  const int reordered = log_.Replies(Fate::kReordered);
  EXPECT_GT(reordered, 0);
  EXPECT_LT(reordered, 20);
  EXPECT_EQ(network_->GetTotalBytes(), 20 * 9 + (20 - reordered) * 10)
      << "a reply counts when it is delivered";

  network_->Enable("end", false);
  network_->DeleteServer("server");

  EXPECT_EQ(Successes(outcomes_.Await(20)), 20);
  EXPECT_GE(Clock::now() - start, milliseconds(200));
  EXPECT_EQ(network_->GetTotalBytes(), 20 * 9 + 20 * 10);
}

// The polls were set while the handlers ran, and come when the replies wait.
TEST_F(Network, APollEndsNoReplyUnderWay) {
  network_->LongReordering(true);
  StartWaiting(12);
  network_->Enable("end", false);
  network_->Enable("end", true);
  gate_.Open();
  while (log_.Replies(Fate::kDelivered) + log_.Replies(Fate::kReordered) < 12) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  network_->DeleteServer("server");
  EXPECT_EQ(Successes(outcomes_.Await(12)), 12);
}

// 32 blocked handlers, and 32 blocked callbacks, stall no other call.
TEST_F(Network, BlockedHandlersAndCallbacksStallNobody) {
  StartWaiting(32);
  EXPECT_EQ(end_->Call(kEcho, "through"), "through!");

  Gate slow;
  for (int i = 0; i < 32; ++i) {
    end_->CallAsync(kEcho, "x", [&slow](Outcomes::Outcome) { slow.Pass(); });
  }
  slow.AwaitArrivals(32);
  EXPECT_EQ(end_->Call(kEcho, "through"), "through!");
  slow.Open();
  gate_.Open();
  network_->Cleanup();  // before what the callbacks refer to goes
}

// A handler may call through the network itself, to any depth.
TEST_F(Network, HandlersMayCall) {
  constexpr rpc::Method<int, int> kDescend{"Chain.Descend"};
  rpc::Service chain("Chain");
  chain.Handle(kDescend, [this, kDescend](int depth) {
    if (depth == 0) return 0;
    return end_->Call(kDescend, depth - 1).value_or(-100) + 1;
  });
  server_->AddService(std::move(chain));

  EXPECT_EQ(end_->Call(kDescend, 30), 30);
}

TEST_F(Network, AServerHasManyServicesAndMayReplaceOne) {
  constexpr rpc::Method<int, int> kAdd{"A.b.Add"};
  rpc::Service one("A.b");
  one.Handle(kAdd, [](int x) { return x + 1; });
  server_->AddService(std::move(one));
  EXPECT_EQ(end_->Call(kAdd, 1), 2);
  EXPECT_EQ(end_->Call(kEcho, "x"), "x!");

  rpc::Service two("A.b");
  two.Handle(kAdd, [](int x) { return x + 2; });
  server_->AddService(std::move(two));
  EXPECT_EQ(end_->Call(kAdd, 1), 3);
}

// Never on the caller's stack, whatever the outcome.
TEST_F(Network, CallbacksRunOnTheNetworksThreads) {
  end_->CallAsync(kEcho, "x", outcomes_.Callback());
  outcomes_.Await(1);
  StartWaiting(1);
  network_->DeleteServer("server");
  outcomes_.Await(2);
  end_->CallAsync(kEcho, "x", outcomes_.Callback());
  outcomes_.Await(3);
  network_->LongDelays(true);
  for (int i = 0; i < 8; ++i) {
    end_->CallAsync(kEcho, "x", outcomes_.Callback());
  }
  gate_.Open();
  network_->Cleanup();

  EXPECT_EQ(outcomes_.threads().size(), 11u);
  for (const std::thread::id thread : outcomes_.threads()) {
    EXPECT_NE(thread, std::this_thread::get_id());
  }
}

TEST_F(Network, TheObserverSeesEveryMessageWithItsRoute) {
  end_->Call(kEcho, "hello");
  network_->Enable("end", false);
  end_->Call(kEcho, "again!");

  const std::string route = " end=end server=server method=Test.Echo bytes=";
  EXPECT_EQ(log_.lines(), (std::vector<std::string>{
                              "request delivered" + route + "13",
                              "reply delivered" + route + "14",
                              "request undeliverable" + route + "14",
                          }));
}

struct Large {
  int32_t number = 0;
  base::Rope rope;
  auto Fields() { return std::tie(number, rope); }
};

// An argument's large rope reaches the handler as it is; what the network
// counts and shows are all bytes.
TEST(NetworkFrames, ALargeRopeIsSharedAndShownWhole) {
  constexpr rpc::Method<Large, std::string> kTake{"Test.Take"};
  const base::Rope rope(std::string(base::Rope::kShareFrom, 'x'));
  const std::string all = rpc::Encode(Large{7, rope});
  for (const bool observed : {false, true}) {
    base::Mutex mu;
    std::vector<std::string> seen;
    labrpc::Network network;
    const auto see = [&](const labrpc::Packet& packet) {
      if (packet.kind != labrpc::Packet::Kind::kRequest) return;
      base::MutexLock lock(&mu);
      seen.emplace_back(packet.bytes);
    };
    if (observed) {
      network.SetObserver(see);
      network.SetTap([&](const labrpc::Packet& packet) {
        see(packet);
        return labrpc::Ruling::kPass;
      });
    }
    const auto server = std::make_shared<labrpc::Server>();
    rpc::Service service("Test");
    service.Handle(kTake, [&](const Large& args) {
      EXPECT_EQ(args.rope.PieceAt(0).data(), rope.PieceAt(0).data());
      return std::to_string(args.number);
    });
    server->AddService(std::move(service));
    network.AddServer("server", server);
    const auto end = network.MakeEnd("end");
    network.Connect("end", "server");
    network.Enable("end", true);
    EXPECT_EQ(end->Call(kTake, {7, rope}), "7");
    Outcomes outcomes;
    end->CallAsync(kTake, {8, rope}, outcomes.Callback());
    EXPECT_EQ(outcomes.Await(1)[0], "8");
    EXPECT_EQ(network.GetTotalBytes(),
              static_cast<int64_t>(
                  2 * (all.size() + rpc::Encode(std::string("7")).size())));
    network.Enable("end", false);
    end->Call(kTake, {7, rope});
    network.Cleanup();
    if (!observed) continue;
    base::MutexLock lock(&mu);
    ASSERT_EQ(seen.size(), 5u);  // the last one only the observer sees
    EXPECT_EQ(seen.front(), all);
    EXPECT_EQ(seen[1], all);
    EXPECT_EQ(seen.back(), all);
  }
}

// One seed and owner, one weather: the losses repeat.
TEST(NetworkSeed, DecidesTheLosses) {
  std::vector<std::string> runs;
  for (const uint64_t seed : {1, 1, 2}) {
    base::SetRunSeed(seed);
    labrpc::Network network("weather");
    const auto end = network.MakeEnd("end");
    network.Connect("end", "server");
    network.Enable("end", true);
    auto server = std::make_shared<labrpc::Server>();
    rpc::Service service("Test");
    service.Handle(kEcho, [](const std::string& args) { return args; });
    server->AddService(std::move(service));
    network.AddServer("server", server);
    network.Reliable(false);
    std::string fates;
    for (int i = 0; i < 30; ++i) {
      fates += end->Call(kEcho, "x").has_value() ? '+' : '-';
    }
    runs.push_back(fates);
  }

  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_NE(runs[0], runs[2]);
}

}  // namespace
}  // namespace tests
