// The network's tap: messages held, dropped, duplicated and released, and what
// the observer sees of them.

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "gtest/gtest.h"
#include "labrpc/tap.h"
#include "tests/unit/labrpc/network_fixture.h"

namespace tests {
namespace {

using labrpc::Packet;
using labrpc::Ruling;
using Results = std::vector<std::optional<std::string>>;

// A tap with a fixed ruling, which records the calls that it decided about.
class Ruler {
 public:
  labrpc::Tap Tap() {
    return [this](const Packet& packet) {
      base::MutexLock lock(&mu_);
      const bool is_request = packet.kind == Packet::Kind::kRequest;
      (is_request ? requests_ : replies_).push_back(packet.call);
      asked_.SignalAll();
      if (at_once_) at_once_(packet.call);
      return is_request ? for_requests_ : for_replies_;
    };
  }
  void Rule(Ruling for_requests, Ruling for_replies) {
    base::MutexLock lock(&mu_);
    for_requests_ = for_requests;
    for_replies_ = for_replies;
  }
  void DoAtOnce(std::function<void(uint64_t)> action) {
    base::MutexLock lock(&mu_);
    at_once_ = std::move(action);
  }
  // Wait for `count` decisions in all; return the call of the last one.
  uint64_t AwaitRequests(size_t count) { return Await(&requests_, count); }
  uint64_t AwaitReplies(size_t count) { return Await(&replies_, count); }
  size_t Requests() {
    base::MutexLock lock(&mu_);
    return requests_.size();
  }
  size_t Replies() {
    base::MutexLock lock(&mu_);
    return replies_.size();
  }

 private:
  uint64_t Await(const std::vector<uint64_t>* calls, size_t count) {
    base::MutexLock lock(&mu_);
    while (calls->size() < count) asked_.Wait(&mu_);
    return calls->back();
  }

  base::Mutex mu_;
  base::CondVar asked_;
  Ruling for_requests_ ABSL_GUARDED_BY(mu_) = Ruling::kPass;
  Ruling for_replies_ ABSL_GUARDED_BY(mu_) = Ruling::kPass;
  std::function<void(uint64_t)> at_once_ ABSL_GUARDED_BY(mu_);
  std::vector<uint64_t> requests_;
  std::vector<uint64_t> replies_;
};

class NetworkTap : public NetworkTest {
 protected:
  NetworkTap() { network_->SetTap(ruler_.Tap()); }

  // Releases a reply that is held; it is so a moment after the tap was asked.
  void ReleaseSoon(uint64_t call) {
    while (!network_->Release(call)) std::this_thread::yield();
  }

  Ruler ruler_;
};

TEST_F(NetworkTap, WhatPassesIsAsWithoutATap) {
  EXPECT_EQ(end_->Call(kEcho, "a"), "a!");
  end_->CallAsync(kEcho, "b", outcomes_.Callback());
  EXPECT_EQ(outcomes_.Await(1), Results{"b!"});
  EXPECT_EQ(ruler_.AwaitRequests(2), ruler_.AwaitReplies(2));
  EXPECT_EQ(log_.Requests(Fate::kDelivered), 2);
  EXPECT_EQ(log_.Replies(Fate::kDelivered), 2);
  EXPECT_EQ(network_->GetTotalCount(), 2);
  EXPECT_FALSE(network_->Release(0)) << "nothing is held";
}

TEST_F(NetworkTap, AHeldRequestReachesTheServerWhenItIsReleased) {
  ruler_.Rule(Ruling::kHold, Ruling::kPass);
  end_->CallAsync(kEcho, "a", outcomes_.Callback());
  const uint64_t call = ruler_.AwaitRequests(1);
  EXPECT_EQ(network_->GetCount("server"), 0);
  EXPECT_EQ(log_.Requests(Fate::kDelivered), 0);
  EXPECT_TRUE(network_->Release(call));
  EXPECT_EQ(outcomes_.Await(1), Results{"a!"});
  EXPECT_EQ(network_->GetCount("server"), 1);
  EXPECT_FALSE(network_->Release(call)) << "once";
}

TEST_F(NetworkTap, AHeldReplyReachesTheCallerWhenItIsReleased) {
  ruler_.Rule(Ruling::kPass, Ruling::kHold);
  end_->CallAsync(kEcho, "a", outcomes_.Callback());
  const uint64_t call = ruler_.AwaitReplies(1);
  EXPECT_EQ(outcomes_.Now(), Results{});
  // Its server may be gone by then.
  network_->DeleteServer("server");
  ReleaseSoon(call);
  EXPECT_EQ(outcomes_.Await(1), Results{"a!"});
  EXPECT_EQ(log_.Replies(Fate::kReordered), 1);
}

TEST_F(NetworkTap, ReleasesInAnyOrder) {
  ruler_.Rule(Ruling::kHold, Ruling::kPass);
  std::vector<uint64_t> calls;
  for (const char* const text : {"a", "b", "c"}) {
    end_->CallAsync(kEcho, text, outcomes_.Callback());
    calls.push_back(ruler_.AwaitRequests(calls.size() + 1));
  }
  for (const size_t i : {2u, 0u, 1u}) {
    const size_t before = outcomes_.Now().size();
    EXPECT_TRUE(network_->Release(calls[i]));
    outcomes_.Await(before + 1);
  }
  EXPECT_EQ(outcomes_.Await(3), (Results{"c!", "a!", "b!"}));
}

TEST_F(NetworkTap, AReleaseMayComeBeforeTheTapHasRuled) {
  ruler_.Rule(Ruling::kHold, Ruling::kHold);
  // Not from the tap's own thread: the tap must not call the network.
  ruler_.DoAtOnce([this](uint64_t call) {
    std::thread([this, call] { ReleaseSoon(call); }).join();
  });
  EXPECT_EQ(end_->Call(kEcho, "a"), "a!");
}

TEST_F(NetworkTap, WhatIsDroppedIsLost) {
  ruler_.Rule(Ruling::kDrop, Ruling::kPass);
  EXPECT_EQ(end_->Call(kEcho, "a"), std::nullopt);
  EXPECT_EQ(log_.Requests(Fate::kLost), 1);
  EXPECT_EQ(network_->GetCount("server"), 0);

  ruler_.Rule(Ruling::kPass, Ruling::kDrop);
  end_->CallAsync(kEcho, "a", outcomes_.Callback());
  EXPECT_EQ(outcomes_.Await(1), Results{std::nullopt});
  EXPECT_EQ(log_.Replies(Fate::kLost), 1);
  EXPECT_EQ(network_->GetCount("server"), 1);
}

TEST_F(NetworkTap, ADoubledRequestRunsTwiceAndIsAnsweredOnce) {
  ruler_.Rule(Ruling::kDuplicate, Ruling::kDuplicate);
  end_->CallAsync(kEcho, "a", outcomes_.Callback());
  EXPECT_EQ(outcomes_.Await(1), Results{"a!"});
  while (network_->GetCount("server") < 2) std::this_thread::yield();
  EXPECT_EQ(network_->GetTotalCount(), 1) << "the caller made one call";
  EXPECT_EQ(ruler_.AwaitRequests(1), ruler_.AwaitReplies(1));
  network_->Cleanup();
  EXPECT_EQ(ruler_.Replies(), 1u) << "no caller waits for the second answer";
  EXPECT_EQ(outcomes_.Now().size(), 1u);
  EXPECT_EQ(log_.Requests(Fate::kDelivered), 2);
}

TEST_F(NetworkTap, AReleasedRequestGoesToTheServerOfNow) {
  ruler_.Rule(Ruling::kHold, Ruling::kPass);
  end_->CallAsync(kEcho, "a", outcomes_.Callback());
  const uint64_t call = ruler_.AwaitRequests(1);
  const std::weak_ptr<labrpc::Server> old = server_;
  server_.reset();
  AddServer("server");
  // A held message keeps no server alive.
  while (!old.expired()) std::this_thread::yield();
  EXPECT_TRUE(network_->Release(call));
  EXPECT_EQ(outcomes_.Await(1), Results{"a!"});
  EXPECT_EQ(network_->GetCount("server"), 1);
}

TEST_F(NetworkTap, AReleasedRequestMayFindNobody) {
  ruler_.Rule(Ruling::kHold, Ruling::kPass);
  end_->CallAsync(kEcho, "a", outcomes_.Callback());
  const uint64_t call = ruler_.AwaitRequests(1);
  network_->Enable("end", false);
  EXPECT_TRUE(network_->Release(call));
  EXPECT_EQ(outcomes_.Await(1), Results{std::nullopt});
  EXPECT_EQ(log_.Requests(Fate::kUndeliverable), 1);
}

TEST_F(NetworkTap, IsNotAskedAboutWhatCannotArrive) {
  network_->Enable("end", false);
  EXPECT_EQ(end_->Call(kEcho, "a"), std::nullopt);
  network_->Enable("end", true);
  EXPECT_EQ(end_->Call(kEcho, "b"), "b!");
  EXPECT_EQ(ruler_.AwaitRequests(1), 1u) << "the first call is number 0";
  EXPECT_EQ(ruler_.Requests(), 1u);
}

TEST_F(NetworkTap, IsNotAskedAboutAReplyThatIsRefused) {
  end_->CallAsync(kWait, "a", outcomes_.Callback());
  gate_.AwaitArrivals(1);
  EXPECT_FALSE(network_->Release(0)) << "it is not held";
  network_->Enable("end", false);
  gate_.Open();
  EXPECT_EQ(outcomes_.Await(1), Results{std::nullopt});
  network_->Cleanup();
  EXPECT_EQ(ruler_.Replies(), 0u);
}

TEST_F(NetworkTap, AnEndMayBeClosedWhileTheTapDecides) {
  ruler_.DoAtOnce(
      [this](uint64_t) { std::thread([this] { end_->Close(); }).join(); });
  end_->CallAsync(kEcho, "a", outcomes_.Callback());
  network_->Cleanup();
  EXPECT_EQ(outcomes_.Now(), Results{});
  EXPECT_EQ(network_->GetTotalCount(), 1);
}

// Nothing of others runs under a lock of the network.
TEST(NetworkLocks, NoneIsHeldWhereOthersCodeRuns) {
  const auto check = [](const char* what) {
    base::Mutex::AssertNoneHeld(what);
  };
  labrpc::Network network;
  network.SetObserver([&](const Packet&) { check("the observer"); });
  network.SetTap([&](const Packet&) {
    check("the tap");
    return Ruling::kPass;
  });
  const auto server = std::make_shared<labrpc::Server>();
  rpc::Service service("Test");
  service.Handle(kEcho, [&](const std::string& args) {
    check("a handler");
    return args;
  });
  server->AddService(std::move(service));
  network.AddServer("server", server);
  const auto end = network.MakeEnd("end");
  network.Connect("end", "server");
  Outcomes outcomes;
  size_t calls = 0;
  for (const bool enabled : {true, false}) {
    network.Enable("end", enabled);
    for (const bool reliable : {true, false}) {
      network.Reliable(reliable);
      for (int i = 0; i < 20; ++i, ++calls) {
        end->CallAsync(kEcho, "x",
                       [&, done = outcomes.Callback()](auto outcome) {
                         check("a callback");
                         done(std::move(outcome));
                       });
      }
    }
  }
  outcomes.Await(calls);
  network.Cleanup();
}

// Which call a message belongs to, and when that was made.
TEST(NetworkPackets, AReplyHasTheNumberAndTimeOfItsRequest) {
  base::Mutex mu;
  std::vector<Packet> seen;
  labrpc::Network network;
  network.SetObserver([&](const Packet& packet) {
    base::MutexLock lock(&mu);
    seen.push_back(packet);
  });
  network.SetTap([](const Packet& packet) {
    return packet.kind == Packet::Kind::kRequest && packet.call == 1
               ? Ruling::kDuplicate
               : Ruling::kPass;
  });
  const auto server = std::make_shared<labrpc::Server>();
  rpc::Service service("Test");
  service.Handle(kEcho, [](const std::string& args) { return args; });
  server->AddService(std::move(service));
  network.AddServer("server", server);
  const auto end = network.MakeEnd("end");
  network.Connect("end", "server");
  network.Enable("end", true);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 2; ++i) end->Call(kEcho, "x");
  const auto over = std::chrono::steady_clock::now();
  while (network.GetCount("server") < 3) std::this_thread::yield();
  network.Cleanup();

  base::MutexLock lock(&mu);
  std::map<uint64_t, std::vector<Packet>> calls;
  for (const Packet& packet : seen) calls[packet.call].push_back(packet);
  ASSERT_EQ(calls.size(), 3u);
  for (const auto& [number, packets] : calls) {
    ASSERT_EQ(packets.size(), 2u) << number;
    EXPECT_EQ(packets[0].kind, Packet::Kind::kRequest);
    EXPECT_EQ(packets[1].kind, Packet::Kind::kReply);
    EXPECT_EQ(packets[0].is_duplicate, number == 2) << number;
    EXPECT_EQ(packets[0].sent, packets[1].sent);
    EXPECT_GE(packets[0].sent, begin);
    EXPECT_LE(packets[0].sent, over);
    EXPECT_EQ(packets[1].delay, std::chrono::milliseconds(0));
  }
  EXPECT_LT(calls[0][0].sent, calls[1][0].sent);
}

TEST_F(NetworkTap, CloseDropsWhatIsHeld) {
  ruler_.Rule(Ruling::kHold, Ruling::kPass);
  end_->CallAsync(kEcho, "a", outcomes_.Callback());
  const uint64_t call = ruler_.AwaitRequests(1);
  end_->Close();
  EXPECT_FALSE(network_->Release(call));
  network_->Cleanup();
  EXPECT_EQ(outcomes_.Now(), Results{});
}

TEST_F(NetworkTap, CleanupEndsWhatIsHeld) {
  ruler_.Rule(Ruling::kHold, Ruling::kPass);
  end_->CallAsync(kEcho, "a", outcomes_.Callback());
  const uint64_t call = ruler_.AwaitRequests(1);
  ruler_.Rule(Ruling::kPass, Ruling::kHold);
  end_->CallAsync(kEcho, "b", outcomes_.Callback());
  ruler_.AwaitReplies(1);
  network_->Cleanup();
  EXPECT_EQ(outcomes_.Now(), (Results{std::nullopt, std::nullopt}));
  EXPECT_FALSE(network_->Release(call));
}

}  // namespace
}  // namespace tests
