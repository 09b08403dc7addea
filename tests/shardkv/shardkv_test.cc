// The Go lab's tests of the sharded key/value service, lab 4's part B until
// 2024, step by step and with every number of theirs; the titles are those that
// the lab prints.
//
// Three groups of three servers, and a controller. Each test runs on its test's
// main thread, with a cluster of its own; at its end the history of its clients
// must be linearizable.

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "shardctrler/config.h"
#include "tests/harness/completions.h"
#include "tests/harness/shard_cluster.h"
#include "tests/kvraft/pace.h"
#include "tests/runner/suite.h"
#include "tests/shardkv/key_values.h"

namespace tests {
namespace {

using harness::Completions;
using harness::CtrlerClient;
using harness::Fail;
using harness::Kind;
using harness::Place;
using harness::ShardClient;
using harness::ShardCluster;
using harness::TestThreads;
using shardctrler::Config;
using std::chrono::milliseconds;
using std::chrono::seconds;

const auto kSuite = runner::Suite::OfCourse("ShardKV", "shardkv");

constexpr milliseconds kNoPause(0);

// Fails unless exactly five of ten calls were completed.
void CheckFive(int completed, const std::string& with, Place place) {
  if (completed == 5) return;
  Fail(completed > 5 ? Kind::kSafety : Kind::kLiveness,
       absl::StrCat("expected 5 completions", with, "; got ", completed),
       place);
}

void StartAll(ShardCluster* cluster) {
  for (int i = 0; i < ShardCluster::kGroups; ++i) cluster->StartGroup(i);
}

void ShutdownAll(ShardCluster* cluster) {
  for (int i = 0; i < ShardCluster::kGroups; ++i) cluster->ShutdownGroup(i);
}

// Go lab: TestStaticShards.  While one group is down the other one goes on, and
// the shards of the first are not served.
TEST(ShardKV, StaticShards) {
  ShardCluster cluster({});
  cluster.Begin("Test: static shards");
  cluster.Join({0});
  cluster.Join({1});
  KeyValues values(&cluster, 10, 20);
  values.Check();

  cluster.ShutdownGroup(1);
  cluster.CheckLogs();
  Completions completions;
  TestThreads readers([&cluster] { cluster.stage().CheckHasFailed(); });
  for (size_t i = 0; i < values.size(); ++i) {
    cluster.Spawn(&readers, [&, i] {
      cluster.Check(cluster.MakeClient().get(), KeyValues::Key(i), values[i]);
      completions.Add();
    });
  }
  const int completed = completions.AwaitSilence(seconds(2));
  cluster.stage().CheckError();
  CheckFive(completed, " with one shard dead", Place::Here());

  cluster.StartGroup(1);
  values.Check();
  readers.Join();
  cluster.End();
}

// Go lab: TestRejection5A, of 2024.  A group refuses what it does not serve,
// whatever clients believe: these ask a controller that has one group alone.
TEST(ShardKV, Rejection) {
  ShardCluster cluster({});
  cluster.Begin("Test: rejection");
  cluster.Join({0});
  cluster.Join({1});
  KeyValues values(&cluster, 10, 20);
  values.Check();

  CtrlerClient* const other = cluster.StartOtherCtrlers();
  const shardctrler::Gid gid = ShardCluster::GidOf(0);
  other->Join({{gid, cluster.ctrler().Query().groups.at(gid)}});
  std::vector<std::shared_ptr<ShardClient>> clients;
  for (size_t i = 0; i < values.size(); ++i) {
    clients.push_back(cluster.MakeClientOfOther());
  }
  Completions completions;
  TestThreads readers([&cluster] { cluster.stage().CheckHasFailed(); });
  for (size_t i = 0; i < values.size(); ++i) {
    cluster.Spawn(&readers, [&, i] {
      const std::string key = KeyValues::Key(i);
      const std::optional<std::string> value = clients[i]->TryGet(key);
      if (!value.has_value()) return;  // asked until the end
      if (value->empty()) {
        Fail(Kind::kSafety,
             absl::StrCat("Get(", key,
                          "): returned a value, but server should "
                          "have rejected the request due to wrong shard"));
      }
      completions.Add();
    });
  }
  const int completed = completions.AwaitSilence(seconds(2));
  cluster.stage().CheckError();
  for (const auto& client : clients) client->Close();
  readers.Join();
  CheckFive(completed, "", Place::Here());
  cluster.End();
}

// Go lab: TestJoinLeave.  Shards move, with their data: the group that had them
// may go.
TEST(ShardKV, JoinLeave) {
  ShardCluster cluster({});
  cluster.Begin("Test: join then leave");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);
  values.Check();

  cluster.Join({1});
  values.CheckAndAppend(5);

  cluster.Leave({0});
  values.CheckAndAppend(5);

  // Let the shards move.
  cluster.stage().Sleep(seconds(1));
  cluster.CheckLogs();
  cluster.ShutdownGroup(0);
  values.Check();
  cluster.End();
}

// Go lab: TestSnapshot.
TEST(ShardKV, Snapshot) {
  ShardCluster cluster({.max_raft_state = 1000});
  cluster.Begin("Test: snapshots, join, and leave");
  cluster.Join({0});
  KeyValues values(&cluster, 30, 20);
  values.Check();

  cluster.Join({1});
  cluster.Join({2});
  cluster.Leave({0});
  values.CheckAndAppend(20);

  cluster.Leave({1});
  cluster.Join({0});
  values.CheckAndAppend(20);

  cluster.stage().Sleep(seconds(1));
  values.Check();
  cluster.stage().Sleep(seconds(1));
  cluster.CheckLogs();

  ShutdownAll(&cluster);
  StartAll(&cluster);
  values.Check();
  cluster.End();
}

// Go lab: TestMissChange.  A server that was down catches up with several
// configurations.
TEST(ShardKV, MissChange) {
  const auto on_each_group = [](const auto& act) {
    for (int i = 0; i < ShardCluster::kGroups; ++i) act(i);
  };
  ShardCluster cluster({.max_raft_state = 1000});
  cluster.Begin("Test: servers miss configuration changes");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 20);
  values.Check();

  cluster.Join({1});
  on_each_group([&](int group) { cluster.ShutdownServer(group, 0); });
  cluster.Join({2});
  cluster.Leave({1});
  cluster.Leave({0});
  values.CheckAndAppend(20);
  cluster.Join({1});
  values.CheckAndAppend(20);

  on_each_group([&](int group) { cluster.StartServer(group, 0); });
  values.CheckAndAppend(20);
  cluster.stage().Sleep(seconds(2));

  on_each_group([&](int group) { cluster.ShutdownServer(group, 1); });
  cluster.Join({0});
  cluster.Leave({2});
  values.CheckAndAppend(20);
  on_each_group([&](int group) { cluster.StartServer(group, 1); });
  values.Check();
  cluster.End();
}

// Go lab: TestConcurrent1.  All groups go down in the middle of a change.
TEST(ShardKV, Concurrent1) {
  ShardCluster cluster({.max_raft_state = 100});
  cluster.Begin("Test: concurrent puts and configuration changes");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);
  Appenders appenders(&cluster, &values, 5, milliseconds(10));
  harness::ServiceStage& stage = cluster.stage();

  stage.Sleep(milliseconds(150));
  cluster.Join({1});
  stage.Sleep(milliseconds(500));
  cluster.Join({2});
  stage.Sleep(milliseconds(500));
  cluster.Leave({0});

  cluster.ShutdownGroup(0);
  stage.Sleep(milliseconds(100));
  cluster.ShutdownGroup(1);
  stage.Sleep(milliseconds(100));
  cluster.ShutdownGroup(2);

  cluster.Leave({2});

  stage.Sleep(milliseconds(100));
  StartAll(&cluster);

  stage.Sleep(milliseconds(100));
  cluster.Join({0});
  cluster.Leave({1});
  stage.Sleep(milliseconds(500));
  cluster.Join({1});

  stage.Sleep(seconds(1));
  appenders.StopAndCheck();
  cluster.End();
}

// Go lab: TestConcurrent2.  Groups that restart go through all their
// configurations again.
TEST(ShardKV, Concurrent2) {
  ShardCluster cluster({});
  cluster.Begin("Test: more concurrent puts and configuration changes");
  cluster.Join({1});
  cluster.Join({0});
  cluster.Join({2});
  KeyValues values(&cluster, 10, 1);
  Appenders appenders(&cluster, &values, 1, milliseconds(50));
  harness::ServiceStage& stage = cluster.stage();

  cluster.Leave({0});
  cluster.Leave({2});
  stage.Sleep(seconds(3));
  cluster.Join({0});
  cluster.Join({2});
  cluster.Leave({1});
  stage.Sleep(seconds(3));
  cluster.Join({1});
  cluster.Leave({0});
  cluster.Leave({2});
  stage.Sleep(seconds(3));

  cluster.ShutdownGroup(1);
  cluster.ShutdownGroup(2);
  stage.Sleep(seconds(1));
  cluster.StartGroup(1);
  cluster.StartGroup(2);

  stage.Sleep(seconds(2));
  appenders.StopAndCheck();
  cluster.End();
}

// Go lab: TestConcurrent3.  Changes and restarts, again and again.
TEST(ShardKV, Concurrent3) {
  ShardCluster cluster({.max_raft_state = 300});
  cluster.Begin("Test: concurrent configuration change and restart");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 1);
  Appenders appenders(&cluster, &values, 1, kNoPause);
  harness::ServiceStage& stage = cluster.stage();
  base::Random random = base::Random::ForOwner("test");
  const auto sleep = [&] { stage.Sleep(milliseconds(random.Below(900))); };

  const auto end = std::chrono::steady_clock::now() + seconds(12);
  while (std::chrono::steady_clock::now() < end) {
    cluster.Join({2});
    cluster.Join({1});
    sleep();
    ShutdownAll(&cluster);
    StartAll(&cluster);
    sleep();
    cluster.Leave({1});
    cluster.Leave({2});
    sleep();
  }

  stage.Sleep(seconds(2));
  appenders.StopAndCheck();
  cluster.End();
}

// Go lab: TestUnreliable1.
TEST(ShardKV, Unreliable1) {
  ShardCluster cluster({.reliable = false, .max_raft_state = 100});
  cluster.Begin("Test: unreliable 1");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);

  cluster.Join({1});
  cluster.Join({2});
  cluster.Leave({0});
  values.CheckAndAppend(5);
  values.CheckAndAppend(5);

  cluster.Join({0});
  cluster.Leave({1});
  values.Check();
  values.Check();
  cluster.End();
}

// Groups come and go, half a second apart.
void ChangeGroups(ShardCluster* cluster) {
  harness::ServiceStage& stage = cluster->stage();
  stage.Sleep(milliseconds(150));
  cluster->Join({1});
  stage.Sleep(milliseconds(500));
  cluster->Join({2});
  stage.Sleep(milliseconds(500));
  cluster->Leave({0});
  stage.Sleep(milliseconds(500));
  cluster->Leave({1});
  stage.Sleep(milliseconds(500));
  cluster->Join({1});
  cluster->Join({0});
  stage.Sleep(seconds(2));
}

// Go lab: TestUnreliable2.  An Append that is sent again, perhaps to the group
// that has got the shard meanwhile, is executed once.
TEST(ShardKV, Unreliable2) {
  ShardCluster cluster({.reliable = false, .max_raft_state = 100});
  cluster.Begin("Test: unreliable 2");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);
  Appenders appenders(&cluster, &values, 5, kNoPause);

  ChangeGroups(&cluster);

  appenders.Stop();
  cluster.stage().network().Reliable(true);
  appenders.StopAndCheck();
  cluster.End();
}

// Go lab: TestUnreliable3.  The same with keys that all clients share, so that
// only the history tells.
TEST(ShardKV, Unreliable3) {
  ShardCluster cluster({.reliable = false, .max_raft_state = 100});
  cluster.Begin("Test: unreliable 3");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);
  std::atomic<bool> stopped = false;
  TestThreads clients([&] {
    stopped = true;
    cluster.stage().CheckHasFailed();
  });
  for (size_t i = 0; i < values.size(); ++i) {
    cluster.Spawn(&clients, [&, i] {
      const std::shared_ptr<ShardClient> client = cluster.MakeClient();
      base::Random random = base::Random::ForOwner(absl::StrCat("client/", i));
      while (!stopped) {
        const std::string key = KeyValues::Key(random.Below(values.size()));
        const std::string value = random.Name(5);
        if (random.Chance(500, 1000)) {
          client->Append(key, value);
        } else if (random.Chance(100, 1000)) {
          client->Put(key, value);
        } else {
          client->Get(key);
        }
        AwaitRound(milliseconds(10));
      }
    });
  }

  ChangeGroups(&cluster);

  stopped = true;
  cluster.stage().network().Reliable(true);
  clients.Join();
  cluster.End();
}

// Go lab: TestChallenge1Delete.  What has moved away is deleted: each value is
// on the three servers of one group, with little besides.
TEST(ShardKV, Challenge1Delete) {
  constexpr size_t kMostBytes = 3 * ((30 - 3) * 1000 + 2 * 3 * 1000 + 6000);
  ShardCluster cluster({.max_raft_state = 1});
  cluster.Begin("Test: shard deletion (challenge 1)");
  cluster.Join({0});
  KeyValues values(&cluster, 30, 1000);
  values.CheckFirst(3);

  for (int i = 0; i < 2; ++i) {
    cluster.Join({1});
    cluster.Leave({0});
    cluster.Join({2});
    cluster.stage().Sleep(seconds(3));
    values.CheckFirst(3);

    cluster.Leave({1});
    cluster.Join({0});
    cluster.Leave({2});
    cluster.stage().Sleep(seconds(3));
    values.CheckFirst(3);
  }
  cluster.Join({1});
  cluster.Join({2});
  for (int i = 0; i < 3; ++i) {
    cluster.stage().Sleep(seconds(1));
    values.CheckFirst(3);
  }

  const size_t total = cluster.TotalBytes();
  if (total > kMostBytes) {
    Fail(Kind::kEconomy,
         absl::StrCat("snapshot + persisted Raft state are too big: ", total,
                      " > ", kMostBytes));
  }
  values.Check();
  cluster.End();
}

// The keys whose shard was that group's by that configuration are served: they
// have their values, and can be written and read again.
void CheckServed(ShardCluster* cluster, ShardClient* client,
                 const Config& config, int group,
                 const std::vector<std::string>& values,
                 const std::string& suffix, Place place = Place::Here()) {
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string key = KeyValues::Key(i);
    const auto shard = static_cast<size_t>(shardkv::ShardOf(key));
    if (config.shards[shard] != ShardCluster::GidOf(group)) continue;
    cluster->Check(client, key, values[i], place);
    client->Put(key, values[i] + suffix, place);
    cluster->Check(client, key, values[i] + suffix, place);
    cluster->CheckLasting(key, values[i] + suffix, place);
  }
}

// Go lab: TestChallenge2Unaffected.  A group that waits for shards which never
// come goes on serving those that it has.
TEST(ShardKV, Challenge2Unaffected) {
  ShardCluster cluster(
      {.reliable = false, .max_raft_state = 100, .keeps_all = false});
  cluster.Begin("Test: unaffected shard access (challenge 2)");
  cluster.Join({0});
  const std::shared_ptr<ShardClient> client = cluster.MakeClient();
  std::vector<std::string> values(10, "100");
  for (size_t i = 0; i < 10; ++i) client->Put(KeyValues::Key(i), values[i]);

  cluster.Join({1});
  const Config config = cluster.ctrler().Query();
  cluster.stage().Sleep(seconds(1));

  // As the course's, this takes a key's number for its shard.
  for (size_t i = 0; i < 10; ++i) {
    if (config.shards[i] != ShardCluster::GidOf(1)) continue;
    values[i] = "101";
    client->Put(KeyValues::Key(i), values[i]);
  }

  cluster.ShutdownGroup(0);
  cluster.Leave({0});
  cluster.stage().Sleep(seconds(1));

  CheckServed(&cluster, client.get(), config, 1, values, "-1");
  cluster.End();
}

// Go lab: TestChallenge2Partial.  A group serves the shards that have come
// while others do not.
TEST(ShardKV, Challenge2Partial) {
  ShardCluster cluster(
      {.reliable = false, .max_raft_state = 100, .keeps_all = false});
  cluster.Begin("Test: partial migration shard access (challenge 2)");
  cluster.Join({0, 1, 2});
  cluster.stage().Sleep(seconds(1));
  const std::shared_ptr<ShardClient> client = cluster.MakeClient();
  const std::vector<std::string> values(10, "100");
  for (size_t i = 0; i < 10; ++i) client->Put(KeyValues::Key(i), values[i]);
  const Config config = cluster.ctrler().Query();

  cluster.ShutdownGroup(0);
  cluster.Leave({0, 2});
  cluster.stage().Sleep(seconds(1));

  CheckServed(&cluster, client.get(), config, 2, values, "-2");
  cluster.End();
}

}  // namespace
}  // namespace tests
