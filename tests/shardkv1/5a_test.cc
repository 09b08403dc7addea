// The Go lab's tests of part 5A of 2025, the sharded key/value service whose
// controller is a part of a client, step by step and with every number of
// theirs; the titles are those that the lab prints.
//
// Groups of three servers. Each test runs on its test's main thread, with a
// cluster of its own; at its end the history of its clients must be
// linearizable.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "shardkv1/config.h"
#include "tests/harness/shardkv1_cluster.h"
#include "tests/kvraft/pace.h"
#include "tests/kvraft/pending_call.h"
#include "tests/runner/suite.h"
#include "tests/shardkv1/put_clerks.h"
#include "tests/shardkv1/restarts.h"
#include "tests/shardkv1/shard_test.h"

namespace tests {
namespace {

using harness::Fail;
using harness::Kind;
using harness::Place;
using harness::ShardKV1Cluster;
using harness::TestThreads;
using shardkv1::Config;
using shardkv1::Gid;
using shardkv1::kFirstGroup;
using std::chrono::seconds;

const auto kSuite = runner::Suite::OfCourse("ShardKV5A", "shardkv1", "5A");

constexpr int kGroups = 8;  // that join in tests of many

// The course's check: these groups and no others, in balance.
void CheckBalance(const Config& config, const std::vector<Gid>& groups,
                  Place place = Place::Here()) {
  const auto fail = [place](const auto&... parts) {
    Fail(Kind::kSafety, absl::StrCat(parts...), place);
  };
  if (config.groups.size() != groups.size()) {
    fail("wanted ", groups.size(), " groups, got ", config.groups.size());
  }
  std::map<Gid, int> shares;
  for (const Gid gid : groups) {
    if (!config.groups.contains(gid)) fail("missing group ", gid);
    shares[gid] = 0;
  }
  for (size_t shard = 0; shard < config.shards.size(); ++shard) {
    const Gid gid = config.shards[shard];
    if (!shares.contains(gid)) fail("shard ", shard, " -> invalid group ", gid);
    ++shares[gid];
  }
  const auto [min, max] = std::minmax_element(
      shares.begin(), shares.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
  if (max->second > min->second + 1) {
    fail("max ", max->second, " too much larger than min ", min->second);
  }
}

// Go lab: TestInitQuery5A.  No group is running.
TEST(ShardKV5A, InitQuery) {
  ShardKV1Cluster cluster({});
  cluster.Begin("Test (5A): Init and Query ...");
  const auto controller = cluster.MakeController();
  const Config first = shardkv1::FirstConfig({"xxx"});
  const absl::Status error = controller->InitConfig(first);
  cluster.stage().CheckError();
  if (!error.ok()) Fail(Kind::kSafety, std::string(error.message()));

  const absl::StatusOr<Config> config = controller->Query();
  cluster.stage().CheckError();
  ASSERT_TRUE(config.ok()) << config.status();
  if (config->num != 1 || config->shards[0] != kFirstGroup) {
    Fail(Kind::kSafety, absl::StrCat("Static wrong ", ToString(*config)));
  }
  CheckBalance(*config, {kFirstGroup});
  cluster.End();
}

// Go lab: TestStaticOneShardGroup5A.  A group goes on without its leader.
TEST(ShardKV5A, StaticOneShardGroup) {
  ShardTest test("Test (5A): one shard group ...", {});
  test.SpreadPuts();
  test.CheckAll();

  harness::ServiceGroup& group = test.cluster().group(kFirstGroup);
  const std::optional<raft::ServerId> leader = group.Leader();
  if (!leader.has_value()) Fail(Kind::kLiveness, "no leader");
  group.machines().Crash(*leader);
  test.CheckAll();
  test.End();
}

// Go lab: TestJoinBasic5A.
TEST(ShardKV5A, JoinBasic) {
  ShardTest test("Test (5A): a group joins...", {});
  test.SpreadPuts();
  const Config before = test.Query();

  const Gid gid = test.NewGid();
  test.Join({gid});
  const Config after = test.Query();
  if (after.num != before.num + 1) {
    Fail(Kind::kSafety, absl::StrCat("TestJoinBasic5A: wrong num ", after.num,
                                     " expected ", before.num + 1));
  }
  if (!IsMember(after, gid)) {
    Fail(Kind::kSafety,
         absl::StrCat("TestJoinBasic5A: ", gid, " isn't a member"));
  }

  test.CheckShutdownSharding(kFirstGroup);
  test.CheckAll();
  test.CheckShutdownSharding(gid);
  test.CheckAll();
  test.End();
}

// Go lab: TestDeleteBasic5A.  What has moved away is deleted.
TEST(ShardKV5A, DeleteBasic) {
  constexpr size_t kMaxRaftState = 10'000;
  constexpr int kValueBytes = 1'000;
  ShardTest test("Test (5A): delete ...", {.max_raft_state = kMaxRaftState});
  test.SpreadPuts(kValueBytes);
  const size_t before = test.cluster().group(kFirstGroup).SnapshotSize();

  const Gid gid = test.NewGid();
  test.Join({gid});
  for (int i = 0; i < 5; ++i) test.CheckAll();

  const size_t one = test.cluster().group(kFirstGroup).SnapshotSize();
  const size_t two = test.cluster().group(gid).SnapshotSize();
  if (one + two > before + kMaxRaftState) {
    Fail(Kind::kEconomy,
         absl::StrCat("TestDeleteBasic5A: gid1 ", one, " + gid2 ", two, " = ",
                      one + two, " use too much space ", before));
  }
  test.End();
}

// Go lab: TestJoinLeaveBasic5A.
TEST(ShardKV5A, JoinLeaveBasic) {
  ShardTest test("Test (5A): basic groups join/leave ...", {});
  RunJoinLeaveBasic(&test);
}

void ManyJoinLeave(bool reliable) {
  ShardTest test("Test (5A): many groups join/leave ...",
                 {.reliable = reliable});
  test.SpreadPuts();
  const std::vector<Gid> gids = test.NewGids(kGroups);
  test.Join(gids);
  test.CheckShutdownSharding(gids.front());
  test.CheckAll();
  test.Leave(gids);
  test.CheckAll();
  test.End();
}

// Go lab: TestManyJoinLeaveReliable5A.
TEST(ShardKV5A, ManyJoinLeaveReliable) { ManyJoinLeave(/*reliable=*/true); }

// Go lab: TestManyJoinLeaveUnreliable5A.
TEST(ShardKV5A, ManyJoinLeaveUnreliable) { ManyJoinLeave(/*reliable=*/false); }

// Go lab: TestShutdown5A.
TEST(ShardKV5A, Shutdown) {
  ShardTest test("Test (5A): shutdown ...", {});
  RunShutdown(&test);
}

// Go lab: TestProgressShutdown5A.  Groups that are down delay no others.
TEST(ShardKV5A, ProgressShutdown) {
  ShardTest test("Test (5A): progress ...", {.keeps_all = false});
  test.SpreadPuts();
  const std::vector<Gid> gids = test.NewGids(4);
  test.Join(gids);
  test.cluster().ShutdownGroup(gids[0]);
  test.cluster().ShutdownGroup(gids[1]);

  const Config config = test.Query();
  PendingCall readers(&test.stage(), [&test, &config, &gids] {
    const auto client = test.cluster().MakeClient();
    for (size_t i = 0; i < test.keys(); ++i) {
      const auto shard =
          static_cast<size_t>(shardkv1::ShardOf(ShardTest::Key(i)));
      const Gid gid = config.shards[shard];
      if (gid == gids[2] || gid == gids[3]) test.Check(client.get(), i);
    }
  });
  if (!readers.Returns(seconds(2))) {
    Fail(Kind::kLiveness, "Gets didn't finish");
  }
  test.End();
}

// The keys of shards that stay where they are when one more group joins and
// leaves, at groups that lose others by that.
std::vector<size_t> UnaffectedKeys(const ShardTest& test, const Config& config,
                                   Gid gid) {
  const Config with =
      *shardkv1::Join(config, {{gid, ShardKV1Cluster::ServersOf(gid)}});
  std::map<Gid, bool> takes_part;
  for (size_t shard = 0; shard < config.shards.size(); ++shard) {
    if (config.shards[shard] != with.shards[shard]) {
      takes_part[config.shards[shard]] = true;
    }
  }
  std::vector<size_t> keys;
  for (size_t i = 0; i < test.keys(); ++i) {
    const auto shard =
        static_cast<size_t>(shardkv1::ShardOf(ShardTest::Key(i)));
    const Gid owner = config.shards[shard];
    if (owner == with.shards[shard] && takes_part[owner]) keys.push_back(i);
  }
  return keys;
}

// Go lab: TestProgressJoin5A.  Shards that do not move are served while others
// of the same group do.
TEST(ShardKV5A, ProgressJoin) {
  constexpr int kFewest = 100;
  ShardTest test("Test (5A): progress ...", {});
  test.SpreadPuts();
  test.Join(test.NewGids(4));
  test.NewGid();
  const Gid gid = test.NewGid();  // 7, as the course counts
  const std::vector<size_t> keys = UnaffectedKeys(test, test.Query(), gid);
  ASSERT_FALSE(keys.empty());

  harness::ServiceStage& stage = test.stage();
  std::atomic<bool> stopped = false;
  std::atomic<int> gets = 0;
  TestThreads threads([&] {
    stopped = true;
    stage.CheckHasFailed();
  });
  stage.Spawn(&threads, [&] {
    while (!stopped) {
      test.Join({gid});
      test.Leave({gid});
    }
  });
  stage.Spawn(&threads, [&] {
    const auto client = test.cluster().MakeClient();
    const auto end = std::chrono::steady_clock::now() + seconds(4);
    while (std::chrono::steady_clock::now() < end) {
      for (const size_t i : keys) {
        test.Check(client.get(), i);
        ++gets;
        AwaitRound(std::chrono::milliseconds(2));
      }
    }
  });
  stage.Sleep(seconds(8));
  stopped = true;
  threads.Join();
  stage.CheckError();
  if (gets < kFewest) {
    Fail(Kind::kLiveness, absl::StrCat("Two few gets finished ", gets.load(),
                                       "; expected more than ", kFewest));
  }
  test.End();
}

// Clerks put one key for twenty seconds, while eight groups join and leave.
void ConcurrentClerks(int clerks, bool reliable, const std::string& title) {
  ShardTest test("Test (5A): " + title, {.reliable = reliable});
  test.SpreadPuts();
  PutClerks running(&test, clerks, seconds(20));
  const std::vector<Gid> gids = test.NewGids(kGroups);
  test.Join(gids);
  test.Leave(gids);
  running.Join();
  test.End();
}

// Go lab: TestOneConcurrentClerkReliable5A.
TEST(ShardKV5A, OneConcurrentClerkReliable) {
  ConcurrentClerks(1, /*reliable=*/true, "one concurrent clerk reliable...");
}

// Go lab: TestManyConcurrentClerkReliable5A.
TEST(ShardKV5A, ManyConcurrentClerkReliable) {
  ConcurrentClerks(10, /*reliable=*/true, "many concurrent clerks reliable...");
}

// Go lab: TestOneConcurrentClerkUnreliable5A.
TEST(ShardKV5A, OneConcurrentClerkUnreliable) {
  ConcurrentClerks(1, /*reliable=*/false,
                   "one concurrent clerk unreliable ...");
}

// Go lab: TestManyConcurrentClerkUnreliable5A.
TEST(ShardKV5A, ManyConcurrentClerkUnreliable) {
  ConcurrentClerks(10, /*reliable=*/false,
                   "many concurrent clerks unreliable...");
}

}  // namespace
}  // namespace tests
