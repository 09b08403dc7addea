// Scenario tests of the sharded key/value service: where log entries of moves
// stand, which servers have them, and which die in between.
//
// Each test runs on its test's main thread, with a cluster of its own.

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "kvraft/session_store.h"
#include "labrpc/network.h"
#include "rpc/codec.h"
#include "shardctrler/config.h"
#include "shardkv/group.h"
#include "shardkv/messages.h"
#include "shardkv/transfers.h"
#include "tests/harness/shard_cluster.h"
#include "tests/runner/suite.h"
#include "tests/shardkv/gate.h"
#include "tests/shardkv/key_values.h"

namespace tests {
namespace {

using harness::ShardClient;
using harness::ShardCluster;
using harness::TestThreads;
using labrpc::Packet;
using raft::ServerId;
using shardctrler::Config;

const auto kSuite =
    runner::Suite::OfScenarios("ShardKVEntriesScenario", "shardkv", "");

// A shard of that group.
int ShardAt(const Config& config, int group) {
  const auto found = std::find(config.shards.begin(), config.shards.end(),
                               ShardCluster::GidOf(group));
  return static_cast<int>(found - config.shards.begin());
}

// The empty-log livelock. A leader has committed what it has installed, has the
// copy deleted at the old owner, and dies before any other server has heard of
// the commit:
//
//   S0  ... Reconfigure Install     committed up to Install; dies
//   S1  ... Reconfigure Install     committed up to Reconfigure
//   S2  ... Reconfigure Install     committed up to Reconfigure
//
// For S1 and S2, which restart, the shard is coming: they take no other
// configuration, and the old owner has nothing for them. No client asks them
// for anything. Only an entry of the new term commits what they need (5.4.2).
TEST(ShardKVEntriesScenario, EmptyLogLivelock) {
  raft::Term term = 0;
  raft::Index installed = 0;
  Gate gate;
  ShardCluster cluster({.max_raft_state = 1, .tap = gate.MakeTap()});
  cluster.Begin("Scenario: a commit that no living server knows of");
  cluster.Join({0, 1});
  KeyValues values(&cluster, 10, 5);
  cluster.AwaitRest();

  gate.Drop([&](const Packet& packet) {
    const std::optional<Appending> appending = AppendingTo(packet, 1);
    if (appending.has_value() && installed == 0) {
      installed = appending->Find<shardkv::Install>();
      term = appending->term;
    }
    if (installed == 0) return false;
    if (IsRequest(packet, "Raft.InstallSnapshot")) return IsOfGroup(packet, 1);
    return appending.has_value() && appending->term == term &&
           appending->leader_commit >= installed;
  });
  const Config before = cluster.ctrler().Query();
  const int64_t num = before.num + 1;
  cluster.ctrler().Move(ShardAt(before, 0), ShardCluster::GidOf(1));
  WaitUntil(&cluster, "the old owner to delete its copy", [&] {
    const auto moves =
        cluster.MovesOf(0, cluster.group(0).Leader().value_or(0));
    return moves.has_value() && moves->config.num == num &&
           moves->leaving.empty();
  });

  ServerId installer = 0;
  for (ServerId i = 0; i < ShardCluster::kServers; ++i) {
    if (HasAll(&cluster, 1, i, num)) installer = i;
  }
  cluster.ShutdownGroup(1);
  gate.Forget();
  for (ServerId i = 0; i < ShardCluster::kServers; ++i) {
    if (i != installer) cluster.StartServer(1, i);
  }
  for (ServerId i = 0; i < ShardCluster::kServers; ++i) {
    if (i == installer) continue;
    WaitUntil(&cluster,
              absl::StrCat("S", i, " of group 101 to find that it has all"),
              [&] { return HasAll(&cluster, 1, i, num); });
  }
  cluster.StartServer(1, installer);
  values.Check();
  cluster.End();
}

// Each of two groups waits for a shard of the other one, and meanwhile both
// serve what they have.
TEST(ShardKVEntriesScenario, PullFromEachOther) {
  std::atomic<bool> pulls[2] = {false, false};
  Gate gate;
  ShardCluster cluster({.tap = gate.MakeTap()});
  cluster.Begin("Scenario: two groups pull from each other");
  cluster.Join({0, 1});
  KeyValues values(&cluster, 10, 5);
  cluster.AwaitRest();

  gate.Hold([&](const Packet& packet) {
    if (!IsRequest(packet, "ShardKV.Pull")) return false;
    for (int group = 0; group < 2; ++group) {
      if (IsOfGroup(packet, group)) pulls[1 - group] = true;
    }
    return true;
  });
  const Config config = cluster.ctrler().Query();
  const int there = ShardAt(config, 0);
  const int back = ShardAt(config, 1);
  cluster.ctrler().Move(there, ShardCluster::GidOf(1));
  WaitUntil(&cluster, "group 101 to pull", [&] { return pulls[1].load(); });
  cluster.ctrler().Move(back, ShardCluster::GidOf(0));
  WaitUntil(&cluster, "group 100 to pull", [&] { return pulls[0].load(); });
  WaitUntil(&cluster, "all servers of both groups to wait", [&] {
    for (int i = 0; i < 2 * ShardCluster::kServers; ++i) {
      const auto moves = cluster.MovesOf(i % 2, i / 2);
      if (!moves.has_value() || moves->coming.empty()) return false;
    }
    return true;
  });

  // Those that stay.
  const std::shared_ptr<ShardClient> client = cluster.MakeClient();
  for (size_t i = 0; i < values.size(); ++i) {
    const int shard = shardkv::ShardOf(KeyValues::Key(i));
    if (shard == there || shard == back) continue;
    cluster.Check(client.get(), KeyValues::Key(i), values[i]);
  }
  gate.Open(&cluster.stage().network());
  cluster.AwaitRest();
  values.CheckAndAppend(5);
  cluster.End();
}

// The leader that has installed shards dies before it can confirm that: the
// next one does so.
TEST(ShardKVEntriesScenario, LeaderDiesBeforeItConfirms) {
  Gate gate;
  ShardCluster cluster({.tap = gate.MakeTap()});
  cluster.Begin("Scenario: the leader dies between install and confirmation");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);

  // What is held here never arrives.
  JoinWithHeld(&cluster, &gate, "ShardKV.Delete");
  const ServerId leader = cluster.group(1).Leader().value_or(0);
  cluster.ShutdownServer(1, leader);
  gate.Forget();
  values.CheckAndAppend(5);
  WaitUntil(&cluster, "group 100 to delete its copies", [&] {
    const auto moves =
        cluster.MovesOf(0, cluster.group(0).Leader().value_or(0));
    return moves.has_value() && moves->leaving.empty();
  });
  cluster.StartServer(1, leader);
  cluster.AwaitRest();
  values.Check();
  cluster.End();
}

// An operation arrives when its group still serves the shard, and its entry
// stands after the one that takes the shard away:
//
//   log of the old owner:  ... Reconfigure  Append
//
// It must not be executed there.
TEST(ShardKVEntriesScenario, AcceptedJustBeforeTheConfig) {
  std::atomic<raft::Index> taken = 0;
  Gate gate;
  ShardCluster cluster({.tap = gate.MakeTap()});
  cluster.Begin("Scenario: an operation accepted just before the config");
  cluster.Join({0});
  const std::string key = "2";  // its shard will move
  const std::shared_ptr<ShardClient> client = cluster.MakeClient();
  client->Put(key, "a");

  gate.Hold([&](const Packet& packet) {
    const std::optional<Appending> appending = AppendingTo(packet, 0);
    if (!appending.has_value() || appending->entries.empty()) return false;
    const auto found = appending->Find<shardkv::Reconfigure>();
    if (found > 0) taken = found;
    return taken > 0;
  });
  cluster.Join({1});
  WaitUntil(&cluster, "the config to be in the leader's log",
            [&] { return taken > 0; });
  TestThreads threads([&cluster] { cluster.stage().CheckHasFailed(); });
  cluster.Spawn(&threads, [&] { client->Append(key, "b"); });
  WaitUntil(&cluster, "the Append to be in the leader's log", [&] {
    const auto leader = cluster.group(0).Leader();
    const auto raft = leader ? cluster.group(0).RaftOf(*leader) : nullptr;
    return raft != nullptr && raft->GetStatus().last_index > taken;
  });

  gate.Open(&cluster.stage().network());
  threads.Join();
  cluster.Check(client.get(), key, "ab");
  cluster.End();
}

// Adds the Installs that the message carries to that group's log.
void NoteInstalls(const Packet& packet, int group,
                  std::vector<std::string>* installs) {
  const std::optional<Appending> appending = AppendingTo(packet, group);
  if (!appending.has_value()) return;
  for (const auto& [index, command] : appending->entries) {
    if (std::holds_alternative<shardkv::Install>(command.what)) {
      installs->push_back(rpc::Encode(command));
    }
  }
}

// Puts the commands into the group's log, and waits until they are committed.
void CommitAgain(ShardCluster* cluster, int group,
                 const std::vector<std::string>& commands) {
  const auto raft_of_leader = [cluster, group] {
    const auto leader = cluster->group(group).Leader();
    return leader ? cluster->group(group).RaftOf(*leader) : nullptr;
  };
  raft::Index last = 0;
  for (const std::string& command : commands) {
    WaitUntil(cluster, "the group to take an entry", [&] {
      const auto raft = raft_of_leader();
      if (raft == nullptr) return false;
      const raft::StartResult started = raft->Start(command);
      last = started.index;
      return started.is_leader;
    });
  }
  WaitUntil(cluster, "the group to commit it", [&] {
    const auto raft = raft_of_leader();
    return raft != nullptr && raft->GetStatus().commit_index >= last;
  });
}

// A leader that was deposed and elected again may still have the answer to a
// pull, and put the shard into the log once more, after writes.
TEST(ShardKVEntriesScenario, SecondInstallAfterWrites) {
  std::vector<std::string> installs;
  Gate gate;
  ShardCluster cluster({.tap = gate.MakeTap()});
  cluster.Begin("Scenario: shards are installed again after writes");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);

  gate.Hold([&](const Packet& packet) {
    NoteInstalls(packet, 1, &installs);
    return false;
  });
  cluster.Join({1});
  cluster.AwaitRest();
  values.CheckAndAppend(5);
  gate.Forget();

  CommitAgain(&cluster, 1, installs);
  values.CheckAndAppend(5);
  values.Check();
  cluster.End();
}

// The same while other parts of the shard are awaited: each part counts once.
TEST(ShardKVEntriesScenario, PartsComeAgain) {
  constexpr int kValueBytes = 300'000;  // more than one part
  std::vector<std::string> installs;
  Gate gate;
  ShardCluster cluster({.tap = gate.MakeTap()});
  cluster.Begin("Scenario: parts of a shard come again");
  cluster.Join({0});
  const std::string key = "2";
  const std::string value = base::Random::ForOwner("test").Name(kValueBytes);
  const std::shared_ptr<ShardClient> client = cluster.MakeClient();
  client->Put(key, value);

  gate.Hold([&](const Packet& packet) {
    NoteInstalls(packet, 1, &installs);
    if (!IsRequest(packet, "ShardKV.Pull")) return false;
    return rpc::Decode<shardkv::PullArgs>(packet.bytes)->at != kvraft::Cursor();
  });
  cluster.Join({1});
  cluster.ctrler().Move(shardkv::ShardOf(key), ShardCluster::GidOf(1));
  WaitUntil(&cluster, "the second part to be asked for",
            [&] { return gate.held() > 0; });
  gate.Forget();
  CommitAgain(&cluster, 1, installs);

  gate.Open(&cluster.stage().network());
  cluster.AwaitRest();
  cluster.Check(client.get(), key, value);
  cluster.End();
}

// All servers of all groups restart while shards are coming and leaving.
TEST(ShardKVEntriesScenario, RestartInMidMove) {
  Gate gate;
  ShardCluster cluster({.max_raft_state = 1, .tap = gate.MakeTap()});
  cluster.Begin("Scenario: all groups restart in the middle of a move");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);

  JoinWithHeld(&cluster, &gate, "ShardKV.Pull");
  // Only then all servers have to know of the copies after their restart.
  WaitUntil(&cluster, "each server of group 100 to have five copies", [&] {
    for (raft::ServerId i = 0; i < ShardCluster::kServers; ++i) {
      const auto moves = cluster.MovesOf(0, i);
      if (!moves.has_value() || moves->leaving.size() != 5) return false;
    }
    return true;
  });
  for (int i = 0; i < ShardCluster::kGroups; ++i) cluster.ShutdownGroup(i);
  for (int i = 0; i < ShardCluster::kGroups; ++i) cluster.StartGroup(i);
  gate.Open(&cluster.stage().network());
  values.CheckAndAppend(5);
  cluster.AwaitRest();
  values.Check();
  cluster.End();
}

}  // namespace
}  // namespace tests
