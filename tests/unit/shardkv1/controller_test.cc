// Unit tests of shardkv1/controller.h: a controller that dies, or is cut off,
// at any of its calls; another that takes over; and two at the same time.

#include "shardkv1/controller.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "shardkv1/config.h"
#include "shardkv1/config_store.h"
#include "shardkv1/messages.h"
#include "tests/unit/shardkv1/world.h"

namespace shardkv1 {
namespace {

using Fate = World::Fate;

constexpr int kKeys = 60;

std::string Key(int i) { return absl::StrCat("k", i); }

// Three groups; all keys are at the first one.
class ShardKV1Controller : public testing::Test {
 protected:
  ShardKV1Controller() { Restart(); }

  void Restart() {
    world_ = std::make_unique<World>(std::vector<Gid>{1, 2, 3});
    Controller controller = MakeController();
    EXPECT_TRUE(
        controller.InitConfig(FirstConfig(World::ServersOf(kFirstGroup))).ok());
    for (int i = 0; i < kKeys; ++i) {
      EXPECT_EQ(world_->Ask(kFirstGroup, kPut, {Key(i), Key(i), 0}).err,
                Err::kOk);
    }
  }

  Controller MakeController(const World::Decide& decide = nullptr) {
    return {world_->StoreOf(decide), world_->EndsOf(decide)};
  }

  Config Current() {
    Controller controller = MakeController();
    return *controller.Query();
  }

  static Config WithTwo(const Config& config) {
    return *Join(config, {{2, World::ServersOf(2)}});
  }

  // Each shard is served by its owner and by no other group, with its keys, and
  // its data are nowhere else.
  void CheckAtRest(int64_t num) {
    const Config config = Current();
    EXPECT_EQ(config.num, num);
    for (int i = 0; i < kKeys; ++i) {
      const Gid owner = config.shards[static_cast<size_t>(ShardOf(Key(i)))];
      EXPECT_EQ(world_->ServersOfKey(Key(i)), std::vector<Gid>{owner});
      EXPECT_EQ(world_->Ask(owner, kGet, {Key(i)}).value, Key(i));
    }
    for (const Gid gid : world_->Gids()) {
      if (IsMember(config, gid)) continue;
      EXPECT_EQ(world_->Bytes(gid), EmptyBytes());
    }
  }

  static size_t EmptyBytes() { return Group(2).Snapshot().size(); }

  std::unique_ptr<World> world_;
};

TEST_F(ShardKV1Controller, GroupsJoinAndLeave) {
  Controller controller = MakeController();
  EXPECT_TRUE(controller.ChangeConfigTo(WithTwo(Current())).ok());
  CheckAtRest(2);
  EXPECT_TRUE(controller.ChangeConfigTo(*Join(Current(), {{3, {"3"}}})).ok());
  CheckAtRest(3);
  EXPECT_TRUE(controller.ChangeConfigTo(*Leave(Current(), {1, 2})).ok());
  CheckAtRest(4);
  EXPECT_TRUE(controller.ChangeConfigTo(WithTwo(Current())).ok());
  CheckAtRest(5);
}

TEST_F(ShardKV1Controller, WithoutGroupsShardsAreEmpty) {
  Controller controller = MakeController();
  EXPECT_TRUE(controller.ChangeConfigTo(*Leave(Current(), {1})).ok());
  EXPECT_TRUE(world_->ServersOfKey(Key(0)).empty());
  EXPECT_TRUE(controller.ChangeConfigTo(WithTwo(Current())).ok());
  EXPECT_EQ(world_->Ask(Gid{2}, kGet, {Key(0)}).err, Err::kNoKey);
}

TEST_F(ShardKV1Controller, TheFirstConfigurationIsMadeOnce) {
  Controller controller = MakeController();
  EXPECT_EQ(controller.InitConfig(FirstConfig({"x"})).code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_F(ShardKV1Controller, AConfigurationThatDoesNotFollowIsNotMade) {
  Controller controller = MakeController();
  const Config first = Current();
  Config next = WithTwo(first);
  for (const int64_t num : {int64_t{0}, int64_t{1}, int64_t{3}}) {
    next.num = num;
    EXPECT_EQ(controller.ChangeConfigTo(next).code(),
              absl::StatusCode::kAborted);
  }
  CheckAtRest(1);
}

// A controller that loses the answers to all of its Puts still knows which were
// its own.
TEST_F(ShardKV1Controller, EveryFirstAnswerIsLost) {
  std::atomic<int> calls = 0;
  Controller controller = MakeController([&calls](std::string_view) {
    return ++calls % 2 == 1 ? Fate::kReplyIsLost : Fate::kArrives;
  });
  EXPECT_TRUE(controller.ChangeConfigTo(WithTwo(Current())).ok());
  CheckAtRest(2);
}

// It dies at its n-th call, whose request or reply is lost, for each n. The
// next controller finishes what was begun, if anything was.
TEST_F(ShardKV1Controller, DiesAtEveryCall) {
  bool dies = true;
  for (int n = 1; dies; ++n) {
    for (const Fate fate : {Fate::kIsLost, Fate::kReplyIsLost}) {
      SCOPED_TRACE(absl::StrCat("call ", n));
      Restart();
      std::atomic<int> calls = 0;
      Controller* dying = nullptr;
      Controller first = MakeController([&](std::string_view) {
        const int call = ++calls;
        if (call < n) return Fate::kArrives;
        dying->Close();
        return call == n ? fate : Fate::kIsLost;
      });
      dying = &first;
      const Config next = WithTwo(Current());
      first.ChangeConfigTo(next).IgnoreError();
      dies = calls >= n;

      Controller second = MakeController();
      EXPECT_TRUE(second.InitController().ok());
      if (Current().num == 1) {
        EXPECT_TRUE(second.ChangeConfigTo(next).ok());
      }
      CheckAtRest(2);
    }
  }
}

// It is cut off at its n-th call, for each n. Another one finishes its change,
// makes a second one by which the new group leaves, and that group is gone for
// good. Then the first one comes back: it ends, and has changed nothing.
TEST_F(ShardKV1Controller, ComesBackAfterEveryCall) {
  bool is_cut_off = true;
  for (int n = 1; is_cut_off; ++n) {
    SCOPED_TRACE(absl::StrCat("call ", n));
    Restart();
    std::atomic<int> calls = 0;
    std::atomic<bool> connected = true;
    Controller first = MakeController([&](std::string_view) {
      if (++calls == n) connected = false;
      return connected ? Fate::kArrives : Fate::kIsLost;
    });
    const Config next = WithTwo(Current());
    std::atomic<bool> has_returned = false;
    std::thread thread([&] {
      first.ChangeConfigTo(next).IgnoreError();
      has_returned = true;
    });
    while (connected && !has_returned) std::this_thread::yield();
    is_cut_off = !connected;

    Controller second = MakeController();
    EXPECT_TRUE(second.InitController().ok());
    if (Current().num == 2) {
      EXPECT_TRUE(second.ChangeConfigTo(*Leave(Current(), {2})).ok());
      world_->Remove(2);
    } else {
      EXPECT_TRUE(second.ChangeConfigTo(*Join(Current(), {{3, {"3"}}})).ok());
    }
    const Config before = Current();
    connected = true;
    calls = n;  // is cut off no more
    thread.join();
    EXPECT_EQ(Current(), before);
    CheckAtRest(before.num);
  }
}

// A server takes a call of the first controller and never answers it: it is a
// leader whose peers are gone. Another controller finishes the change, and the
// first one waits for that group no more; its next change is as any other.
TEST_F(ShardKV1Controller, ACallIsNeverAnswered) {
  for (const std::string_view method :
       {kFreeze.name, kInstall.name, kDelete.name}) {
    SCOPED_TRACE(method);
    Restart();
    std::atomic<bool> answers = false;
    std::atomic<bool> was_called = false;
    Controller first = MakeController([&](std::string_view called) {
      if (answers || called != method) return Fate::kArrives;
      was_called = true;
      return Fate::kWaits;
    });
    Config all_at_two = *Leave(WithTwo(Current()), {1});
    all_at_two.num = 2;
    absl::Status status;
    const auto begin = std::chrono::steady_clock::now();
    std::thread thread([&] { status = first.ChangeConfigTo(all_at_two); });
    while (!was_called) std::this_thread::yield();
    EXPECT_TRUE(MakeController().InitController().ok());
    world_->Remove(1);
    thread.join();
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, World::kLongest / 2);
    CheckAtRest(2);

    answers = true;
    EXPECT_TRUE(first.ChangeConfigTo(*Join(Current(), {{3, {"3"}}})).ok());
    CheckAtRest(3);
  }
}

TEST_F(ShardKV1Controller, CloseEndsACallThatIsNeverAnswered) {
  std::atomic<bool> was_called = false;
  Controller controller = MakeController([&](std::string_view called) {
    if (called != kFreeze.name) return Fate::kArrives;
    was_called = true;
    return Fate::kWaits;
  });
  absl::Status status;
  const auto begin = std::chrono::steady_clock::now();
  std::thread thread(
      [&] { status = controller.ChangeConfigTo(WithTwo(Current())); });
  while (!was_called) std::this_thread::yield();
  controller.Close();
  thread.join();
  EXPECT_FALSE(status.ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, World::kLongest / 2);
}

// Of two that make a change at the same time one wins, and the other one has
// done nothing.
TEST_F(ShardKV1Controller, TwoAtATime) {
  for (int round = 0; round < 20; ++round) {
    Restart();
    const Config first = Current();
    const std::vector<Config> next = {WithTwo(first),
                                      *Join(first, {{3, {"3"}}})};
    std::vector<absl::Status> results(2);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < 2; ++i) {
      threads.emplace_back(
          [&, i] { results[i] = MakeController().ChangeConfigTo(next[i]); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_NE(results[0].ok(), results[1].ok());
    EXPECT_EQ(Current(), results[0].ok() ? next[0] : next[1]);
    CheckAtRest(2);
  }
}

// Two that make the same change do no harm to each other.
TEST_F(ShardKV1Controller, TwoRecoverTheSameChange) {
  for (int round = 0; round < 20; ++round) {
    Restart();
    const Config next = WithTwo(Current());
    ConfigStore store(world_->StoreOf(nullptr));
    EXPECT_TRUE(*store.Put(ConfigStore::kNext, next, 1));
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back(
          [&] { EXPECT_TRUE(MakeController().InitController().ok()); });
    }
    for (std::thread& thread : threads) thread.join();
    CheckAtRest(2);
  }
}

}  // namespace
}  // namespace shardkv1
