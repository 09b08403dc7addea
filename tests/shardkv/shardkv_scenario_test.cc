// Scenario tests of the sharded key/value service: exact orders of events that
// the course's tests meet by luck, if at all.
//
// Each test runs on its test's main thread, with a cluster of its own.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "labrpc/network.h"
#include "rpc/codec.h"
#include "shardctrler/config.h"
#include "shardkv/messages.h"
#include "shardkv/transfers.h"
#include "tests/harness/shard_cluster.h"
#include "tests/runner/suite.h"
#include "tests/shardkv/gate.h"
#include "tests/shardkv/key_values.h"

namespace tests {
namespace {

using harness::Fail;
using harness::Kind;
using harness::ShardClient;
using harness::ShardCluster;
using harness::TestThreads;
using labrpc::Packet;
using labrpc::Ruling;
using raft::ServerId;
using std::chrono::milliseconds;

const auto kSuite =
    runner::Suite::OfScenarios("ShardKVScenario", "shardkv", "");

// A confirmation that comes when the shard has come back must not delete it.
TEST(ShardKVScenario, LateDeleteFindsAnotherCopy) {
  Gate gate;
  ShardCluster cluster({.tap = gate.MakeTap()});
  cluster.Begin("Scenario: a late deletion after the shards came back");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);

  gate.Hold([](const Packet& packet) {
    return IsRequest(packet, "ShardKV.Delete") && IsOfGroup(packet, 0);
  });
  cluster.Join({1});
  values.CheckAndAppend(5);
  WaitUntil(&cluster, "five deletions to be under way",
            [&] { return gate.held() == 5; });

  cluster.Leave({1});
  values.CheckAndAppend(5);

  gate.Open(&cluster.stage().network());
  cluster.AwaitRest();
  values.Check();
  cluster.End();
}

// Two copies of a shard are leaving: each pull gets its own, and so does a
// confirmation that comes late.
TEST(ShardKVScenario, ShardLeavesAgain) {
  constexpr shardkv::MoveId kAgain = {4, 0};
  Gate deletes;
  Gate pulls;
  ShardCluster cluster({.tap = [d = deletes.MakeTap(),
                                p = pulls.MakeTap()](const Packet& packet) {
    const Ruling ruling = d(packet);
    return ruling == Ruling::kPass ? p(packet) : ruling;
  }});
  cluster.Begin("Scenario: shards leave again before their copies are deleted");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);

  deletes.Hold([](const Packet& packet) {
    return IsRequest(packet, "ShardKV.Delete") && IsOfGroup(packet, 0);
  });
  pulls.Hold([kAgain](const Packet& packet) {
    if (!IsRequest(packet, "ShardKV.Pull")) return false;
    return rpc::Decode<shardkv::PullArgs>(packet.bytes)->move == kAgain;
  });
  cluster.Join({1});
  values.CheckAndAppend(5);
  WaitUntil(&cluster, "five deletions to be under way",
            [&] { return deletes.held() == 5; });
  cluster.Leave({1});
  values.CheckAndAppend(5);
  cluster.Join({1});
  WaitUntil(&cluster, "shard 0 to be asked for",
            [&] { return pulls.held() > 0; });

  deletes.Open(&cluster.stage().network());
  WaitUntil(&cluster, "the first copies to be deleted", [&] {
    const std::optional<shardkv::Moves> moves = cluster.MovesOf(0, 0);
    return moves->leaving.empty() || moves->leaving.begin()->num > 2;
  });
  pulls.Open(&cluster.stage().network());
  values.Check();
  cluster.End();
}

// The answer to an Append is lost; when the client asks again the shard is with
// another group, which knows that it was executed.
TEST(ShardKVScenario, AppendFollowsItsShard) {
  Gate gate;
  ShardCluster cluster({.tap = gate.MakeTap()});
  cluster.Begin("Scenario: an Append that is sent again to the new owner");
  cluster.Join({0});
  const std::shared_ptr<ShardClient> client = cluster.MakeClient();
  const std::string key = "2";
  client->Put(key, "a");

  const auto is_executed = [](const Packet& packet) {
    if (packet.kind != Packet::Kind::kReply ||
        packet.method != "ShardKV.PutAppend") {
      return false;
    }
    const auto reply = rpc::Decode<shardkv::Reply>(packet.bytes);
    return reply.ok() && reply->err == shardkv::Err::kOk;
  };
  gate.DropOne(is_executed, /*held_then=*/[](const Packet& packet) {
    return IsRequest(packet, "ShardKV.PutAppend");
  });
  TestThreads threads([&cluster] { cluster.stage().CheckHasFailed(); });
  cluster.Spawn(&threads, [&] { client->Append(key, "b"); });
  WaitUntil(&cluster, "the Append to be sent again",
            [&] { return gate.held() > 0; });

  cluster.Join({1});
  cluster.ctrler().Move(shardkv::ShardOf(key), ShardCluster::GidOf(1));
  cluster.AwaitRest();

  gate.Open(&cluster.stage().network());
  threads.Join();
  cluster.Check(client.get(), key, "ab");
  cluster.End();
}

// Parts of a shard that come again, however late, change nothing.
TEST(ShardKVScenario, EachMessageTwice) {
  ShardCluster cluster({.tap = [](const Packet& packet) {
    const bool is_ours =
        packet.method.starts_with("Shard") && !packet.is_duplicate;
    return is_ours ? Ruling::kDuplicate : Ruling::kPass;
  }});
  cluster.Begin("Scenario: every message arrives twice");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);
  cluster.Join({1});
  values.CheckAndAppend(5);
  cluster.Join({2});
  cluster.Leave({0});
  values.CheckAndAppend(5);
  cluster.AwaitRest();
  values.Check();
  const int64_t num = cluster.ctrler().Query().num;
  if (num != 4) {
    Fail(Kind::kSafety, absl::StrCat("expected 4 configurations, got ", num));
  }
  cluster.End();
}

// A shard that is larger than a command of Raft may be travels in parts.
TEST(ShardKVScenario, LargeShardTravelsInParts) {
  constexpr int kValueBytes = 300'000;
  ShardCluster cluster({});
  cluster.Begin("Scenario: a shard of megabytes");
  cluster.Join({0});
  const std::shared_ptr<ShardClient> client = cluster.MakeClient();
  base::Random random = base::Random::ForOwner("test");
  std::vector<std::string> values;
  for (int i = 0; i < 8; ++i) {
    values.push_back(random.Name(kValueBytes));
    client->Put(absl::StrCat("2", i), values.back());
  }
  cluster.Join({1});
  cluster.ctrler().Move(shardkv::ShardOf("2"), ShardCluster::GidOf(1));
  const int64_t num = cluster.ctrler().Query().num;
  WaitUntil(&cluster, "the shard to be there", [&] {
    return HasAll(&cluster, 1, cluster.group(1).Leader().value_or(0), num);
  });
  cluster.AwaitRest();
  for (size_t i = 0; i < values.size(); ++i) {
    cluster.Check(client.get(), absl::StrCat("2", i), values[i]);
  }
  cluster.End();
}

// A group that was down for ten configurations goes through each of them, and
// the others get from it what they need.
TEST(ShardKVScenario, TenConfigurationsBehind) {
  ShardCluster cluster({.max_raft_state = 1000});
  cluster.Begin("Scenario: a group is ten configurations late");
  cluster.Join({0, 1, 2});
  KeyValues values(&cluster, 10, 5);
  cluster.AwaitRest();

  cluster.ShutdownGroup(2);
  for (int i = 0; i < 5; ++i) {
    cluster.Leave({i % 2});
    cluster.Join({i % 2});
  }
  cluster.StartGroup(2);
  values.CheckAndAppend(5);
  cluster.AwaitRest();
  values.Check();
  cluster.End();
}

// Without a majority of the controller nothing moves, and what is served goes
// on being served.
TEST(ShardKVScenario, ControllerInMinority) {
  ShardCluster cluster({});
  cluster.Begin("Scenario: a controller without a majority");
  cluster.Join({0, 1});
  KeyValues values(&cluster, 10, 5);
  values.Check();

  harness::ServerGroup& ctrlers = cluster.ctrlers().machines();
  ctrlers.Crash(0);
  ctrlers.Crash(1);
  values.CheckAndAppend(5);

  for (ServerId i = 0; i < 2; ++i) {
    ctrlers.Start(i);
    ctrlers.Connect(i);
  }
  cluster.Join({2});
  cluster.AwaitRest();
  values.CheckAndAppend(5);
  cluster.End();
}

// All servers of a group go down when its shards have come and the copies are
// deleted elsewhere, and no client asks it for anything: its new leader must
// find out on its own that they are committed.
TEST(ShardKVScenario, RestartWithoutClients) {
  ShardCluster cluster({});
  cluster.Begin(
      "Scenario: all groups restart, and no client asks for anything");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);
  cluster.Join({1});
  cluster.Join({2});
  cluster.AwaitRest();

  for (int i = 0; i < ShardCluster::kGroups; ++i) cluster.ShutdownGroup(i);
  for (int i = 0; i < ShardCluster::kGroups; ++i) cluster.StartGroup(i);
  cluster.AwaitRest();
  values.Check();
  cluster.End();
}

int CountThreads() {
  return static_cast<int>(
      std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                    std::filesystem::directory_iterator()));
}

// Servers that end in the middle of a move, and clusters that end, leave no
// thread: many clusters, one after the other, need no more than the first few.
// The simulator keeps threads for later ones: as many as there ever were at a
// time, of which a later cluster may need some more.
TEST(ShardKVScenario, NoThreadLeft) {
  constexpr int kFirst = 3;
  constexpr int kClusters = 8;
  int before = 0;
  for (int i = 0; i < kFirst + kClusters; ++i) {
    if (i == kFirst) before = CountThreads();
    Gate gate;
    ShardCluster cluster({.tap = gate.MakeTap()});
    cluster.Begin("Scenario: ends in the middle of a move");
    cluster.Join({0});
    KeyValues values(&cluster, 10, 5);
    JoinWithHeld(&cluster, &gate, "ShardKV.Pull");
    cluster.ShutdownGroup(1);
    cluster.End();
  }
  if (const int left = CountThreads() - before; left >= kClusters) {
    Fail(Kind::kLiveness, absl::StrCat(left, " threads are left by ", kClusters,
                                       " clusters that have ended"));
  }
}

// Makes one more configuration from groups 0 to 2, of which at least one is
// there.
void ChangeAnything(ShardCluster* cluster, base::Random* random,
                    std::set<int>* joined) {
  const int group = static_cast<int>(random->Below(ShardCluster::kGroups));
  if (joined->insert(group).second) return cluster->Join({group});
  if (joined->size() > 1 && random->Chance(1, 2)) {
    joined->erase(group);
    return cluster->Leave({group});
  }
  cluster->ctrler().Move(static_cast<int>(random->Below(shardctrler::kShards)),
                         ShardCluster::GidOf(group));
}

// Loses one message of ten, as the unreliable network does, which also delays
// each by a timer: one thread keeps all timers of the network. Where every
// thread stalls for 50 ms now and then, what twelve servers send waits for
// that one until no election ends in time.
class Losses {
 public:
  labrpc::Tap MakeTap() {
    return [this](const Packet&) { return Rule(); };
  }
  void Stop() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    stopped_ = true;
  }

 private:
  Ruling Rule() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    const bool is_lost = !stopped_ && random_.Chance(1, 10);
    return is_lost ? Ruling::kDrop : Ruling::kPass;
  }

  base::Mutex mu_;
  base::Random random_ ABSL_GUARDED_BY(mu_) = base::Random::ForOwner("losses");
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

// Crashes a server of a group or of the controller, or a group, and starts it
// again.
void CrashAnything(ShardCluster* cluster, base::Random* random) {
  const int group = static_cast<int>(random->Below(ShardCluster::kGroups + 1));
  const auto server =
      static_cast<ServerId>(random->Below(ShardCluster::kServers));
  const auto pause = milliseconds(random->Below(100));
  if (group == ShardCluster::kGroups) {
    harness::ServerGroup& ctrlers = cluster->ctrlers().machines();
    ctrlers.Crash(server);
    cluster->stage().Sleep(pause);
    ctrlers.Start(server);
    ctrlers.Connect(server);
  } else if (random->Chance(1, 2)) {
    cluster->ShutdownServer(group, server);
    cluster->stage().Sleep(pause);
    cluster->StartServer(group, server);
  } else {
    cluster->ShutdownGroup(group);
    cluster->stage().Sleep(pause);
    cluster->StartGroup(group);
  }
}

// A hundred configurations under load, while everything crashes in turn: each
// acknowledged operation is executed once, and in the end each shard is at one
// place only.
TEST(ShardKVScenario, HundredChanges) {
  Losses losses;
  ShardCluster cluster({.max_raft_state = 1000, .tap = losses.MakeTap()});
  cluster.Begin("Scenario: a hundred configurations, and crashes");
  cluster.Join({0});
  KeyValues values(&cluster, 10, 5);
  Appenders appenders(&cluster, &values, 5, milliseconds(50));
  base::Random random = base::Random::ForOwner("test");
  std::set<int> joined = {0};

  for (int i = 0; i < 100; ++i) {
    ChangeAnything(&cluster, &random, &joined);
    if (random.Chance(1, 4)) CrashAnything(&cluster, &random);
    cluster.stage().Sleep(milliseconds(random.Below(300)));
  }

  appenders.Stop();
  losses.Stop();
  appenders.StopAndCheck();
  cluster.AwaitRest();
  values.Check();
  cluster.End();
}

}  // namespace
}  // namespace tests
