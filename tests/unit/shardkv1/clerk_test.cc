// Unit tests of shardkv1/clerk.h: what a Clerk makes of answers while shards
// move.

#include "shardkv1/clerk.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "shardkv1/config.h"
#include "shardkv1/controller.h"
#include "shardkv1/messages.h"
#include "tests/unit/shardkv1/world.h"

namespace shardkv1 {
namespace {

using Fate = World::Fate;

constexpr Gid kOther = 2;
const char kKey[] = "k0";

class ShardKV1Clerk : public testing::Test {
 protected:
  ShardKV1Clerk() {
    EXPECT_TRUE(
        controller_.InitConfig(FirstConfig(World::ServersOf(kFirstGroup)))
            .ok());
  }

  Clerk MakeClerk(const World::Decide& decide = nullptr) {
    return {world_.StoreOf(nullptr), world_.EndsOf(decide)};
  }

  // All shards move to the other group, and the first one leaves.
  void MoveAll() {
    const Config config = *controller_.Query();
    const Config next = *Leave(
        *Join(config, {{kOther, World::ServersOf(kOther)}}), {kFirstGroup});
    Config both = next;
    both.num = config.num + 1;
    EXPECT_TRUE(controller_.ChangeConfigTo(both).ok());
  }

  // The data are gone.
  void AllLeaveAndOneJoins() {
    EXPECT_TRUE(
        controller_.ChangeConfigTo(*Leave(*controller_.Query(), {kFirstGroup}))
            .ok());
    EXPECT_TRUE(controller_
                    .ChangeConfigTo(*Join(*controller_.Query(),
                                          {{kOther, World::ServersOf(kOther)}}))
                    .ok());
  }

  World world_{{kFirstGroup, kOther}};
  Controller controller_{world_.StoreOf(nullptr), world_.EndsOf(nullptr)};
};

TEST_F(ShardKV1Clerk, FollowsAShardWithItsVersions) {
  Clerk clerk = MakeClerk();
  EXPECT_EQ(clerk.Get(kKey).err, Err::kNoKey);
  EXPECT_EQ(clerk.Put(kKey, "a", 0).err, Err::kOk);
  MoveAll();
  const Reply reply = clerk.Get(kKey);
  EXPECT_EQ(reply.value, "a");
  EXPECT_EQ(reply.version, 1U);
  EXPECT_EQ(clerk.Put(kKey, "b", 0).err, Err::kVersion);
  EXPECT_EQ(clerk.Put(kKey, "b", 1).err, Err::kOk);
}

// The reply is lost at the first group, and when the Clerk asks again the shard
// is at the other one.
TEST_F(ShardKV1Clerk, MaybeOutlivesTheGroup) {
  int puts = 0;
  Clerk clerk = MakeClerk([&](std::string_view method) {
    if (method != kPut.name) return Fate::kArrives;
    ++puts;
    if (puts == 2) MoveAll();
    return puts == 1 ? Fate::kReplyIsLost : Fate::kArrives;
  });
  EXPECT_EQ(clerk.Put(kKey, "a", 0).err, Err::kMaybe);
  EXPECT_EQ(puts, 3);
  EXPECT_EQ(clerk.Get(kKey).value, "a");
}

// It is executed, its reply is lost, and the shard has no group for a while:
// that the key is not there does not mean that it was not executed.
TEST_F(ShardKV1Clerk, MaybeOutlivesTheData) {
  int puts = 0;
  Clerk clerk = MakeClerk([&](std::string_view method) {
    if (method != kPut.name) return Fate::kArrives;
    ++puts;
    if (puts == 3) AllLeaveAndOneJoins();
    return puts == 2 ? Fate::kReplyIsLost : Fate::kArrives;
  });
  EXPECT_EQ(clerk.Put(kKey, "a", 0).err, Err::kOk);
  EXPECT_EQ(clerk.Put(kKey, "b", 1).err, Err::kMaybe);
  EXPECT_EQ(clerk.Get(kKey).err, Err::kNoKey);
  EXPECT_EQ(clerk.Put(kKey, "c", 1).err, Err::kNoKey);
}

TEST_F(ShardKV1Clerk, AnotherVersionIsCertainWhereNoneWasLost) {
  Clerk clerk = MakeClerk();
  EXPECT_EQ(clerk.Put(kKey, "a", 0).err, Err::kOk);
  MoveAll();
  EXPECT_EQ(clerk.Put(kKey, "b", 0).err, Err::kVersion);
}

TEST_F(ShardKV1Clerk, ReadsTheConfigurationWhenAGroupIsSilent) {
  Clerk clerk = MakeClerk();
  EXPECT_EQ(clerk.Put(kKey, "a", 0).err, Err::kOk);
  MoveAll();
  world_.Remove(kFirstGroup);
  EXPECT_EQ(clerk.Get(kKey).value, "a");
}

TEST_F(ShardKV1Clerk, CloseEndsACall) {
  world_.Remove(kFirstGroup);
  Clerk* open = nullptr;
  int calls = 0;
  Clerk clerk = MakeClerk([&](std::string_view /*method*/) {
    if (++calls == 3) open->Close();
    return Fate::kArrives;
  });
  open = &clerk;
  EXPECT_EQ(clerk.Get(kKey).err, Err::kClosed);
  EXPECT_EQ(clerk.Put(kKey, "a", 0).err, Err::kClosed);
}

}  // namespace
}  // namespace shardkv1
