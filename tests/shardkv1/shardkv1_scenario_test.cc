// Scenario tests of the sharded key/value service of 2025: what the course's
// tests leave out. None of those restarts a group that has a snapshot, and
// their Clerks put one key.
//
// Each test runs on its test's main thread, with a cluster of its own.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "labrpc/network.h"
#include "shardkv1/config.h"
#include "shardkv1/messages.h"
#include "tests/kvraft/pending_call.h"
#include "tests/kvraft/versioned_puts.h"
#include "tests/runner/suite.h"
#include "tests/shardkv1/put_clerks.h"
#include "tests/shardkv1/restarts.h"
#include "tests/shardkv1/shard_test.h"

namespace tests {
namespace {

using harness::Fail;
using harness::Kind;
using labrpc::Packet;
using labrpc::Ruling;
using shardkv1::Gid;
using shardkv1::kFirstGroup;
using std::chrono::milliseconds;
using std::chrono::seconds;

const auto kSuite =
    runner::Suite::OfScenarios("ShardKV1Scenario", "shardkv1", "");

constexpr size_t kSmall = 1000;  // bytes of raft state until a snapshot

TEST(ShardKV1Scenario, JoinLeaveBasicWithSnapshots) {
  ShardTest test("Scenario: basic groups join/leave, with snapshots ...",
                 {.max_raft_state = kSmall});
  RunJoinLeaveBasic(&test);
}

TEST(ShardKV1Scenario, ShutdownWithSnapshots) {
  ShardTest test("Scenario: shutdown, with snapshots ...",
                 {.max_raft_state = kSmall});
  RunShutdown(&test);
}

// Clerks put keys of all shards, one after the other, while four groups join
// and leave.
void PutManyKeys(bool reliable) {
  ShardTest test("Scenario: Clerks of many keys ...",
                 {.reliable = reliable, .max_raft_state = kSmall});
  test.SpreadPuts();
  PutClerks clerks(&test, 6, seconds(6), test.keys());
  const std::vector<Gid> gids = test.NewGids(4);
  test.Join(gids);
  test.Leave(gids);
  clerks.Join();
  test.End();
}

TEST(ShardKV1Scenario, ManyKeysReliable) { PutManyKeys(/*reliable=*/true); }

TEST(ShardKV1Scenario, ManyKeysUnreliable) { PutManyKeys(/*reliable=*/false); }

// Both groups go down when shards are on their way, and come back with
// snapshots.
TEST(ShardKV1Scenario, AllGroupsRestartInMidMove) {
  std::atomic<int> installs = 0;
  std::atomic<bool> dropping = true;
  const auto tap = [&](const Packet& packet) {
    if (packet.kind != Packet::Kind::kRequest ||
        packet.method != shardkv1::kInstall.name || !dropping) {
      return Ruling::kPass;
    }
    // Some shards have come, and others have not.
    return ++installs <= 3 ? Ruling::kPass : Ruling::kDrop;
  };
  ShardTest test("Scenario: groups restart in mid-move ...",
                 {.max_raft_state = kSmall, .tap = tap});
  test.SpreadPuts();
  const Gid gid = test.NewGid();
  PendingCall join(&test.stage(), [&] { test.Join({gid}); });
  while (installs < 20) test.stage().Sleep(milliseconds(5));

  for (const Gid one : {kFirstGroup, gid}) test.cluster().ShutdownGroup(one);
  for (const Gid one : {kFirstGroup, gid}) test.cluster().StartGroup(one);
  dropping = false;
  if (!join.Returns(seconds(20))) Fail(Kind::kLiveness, "Join didn't complete");
  test.CheckAll();
  test.End();
}

// A shard that is larger than a command of Raft may be travels in parts.
TEST(ShardKV1Scenario, LargeShardTravelsInParts) {
  constexpr int kValueBytes = 300'000;
  constexpr size_t kValues = 8;
  ShardTest test("Scenario: a shard of megabytes ...", {});
  const auto client = test.cluster().MakeClient();
  base::Random random = base::Random::ForOwner("test");
  std::vector<std::string> keys;
  std::vector<std::string> values;
  for (int i = 0; keys.size() < kValues; ++i) {
    // The first shard to move.
    if (shardkv1::ShardOf(absl::StrCat("k", i)) != 0) continue;
    keys.push_back(absl::StrCat("k", i));
    values.push_back(random.Name(kValueBytes));
    client->PutVersioned(keys.back(), values.back(), 0);
  }
  const Gid gid = test.NewGid();
  test.Join({gid});
  if (test.Query().shards[0] != gid) Fail(Kind::kSafety, "it has not moved");
  for (size_t i = 0; i < kValues; ++i) {
    CheckGet(client.get(), keys[i], values[i], /*version=*/1);
  }
  test.End();
}

}  // namespace
}  // namespace tests
