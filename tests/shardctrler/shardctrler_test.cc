// The Go lab's tests of the shard controller, lab 4's part A until 2024, step
// by step and with every number of theirs; the titles are those that the lab
// prints.
//
// Three servers on a reliable network. Each test runs on its test's main
// thread, with a cluster of its own.

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "shardctrler/config.h"
#include "tests/harness/ctrler_client.h"
#include "tests/harness/ctrler_cluster.h"
#include "tests/harness/failure.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::CheckGroups;
using harness::CheckSameConfig;
using harness::CtrlerClient;
using harness::CtrlerCluster;
using harness::Fail;
using harness::Kind;
using harness::Place;
using harness::TestThreads;
using shardctrler::Config;
using shardctrler::Gid;
using shardctrler::kShards;
using Names = std::vector<std::string>;

const auto kSuite = runner::Suite::OfCourse("ShardCtrler", "shardctrler");

// What 2024 allows, of kShards.
constexpr int kMostMoved = kShards / 3 + 1;

Gid OwnerIn(const Config& config, int shard) {
  return config.shards[static_cast<size_t>(shard)];
}

void CheckServers(const Config& config, Gid gid, const Names& expected,
                  Place place = Place::Here()) {
  const auto found = config.groups.find(gid);
  const Names servers = found == config.groups.end() ? Names() : found->second;
  if (servers == expected) return;
  std::string list;
  for (const std::string& server : servers) {
    absl::StrAppend(&list, list.empty() ? "" : " ", server);
  }
  Fail(Kind::kSafety,
       absl::StrCat("wrong servers for gid ", gid, ": [", list, "]"), place);
}

// Joins: what `after` gives to another group than one of `joined` stays where
// it was. The course's own loop looks at groups 1 to 10, which are not there
// any more since its tests have others (no shard is ever at one of them).
void CheckMinimalAfterJoins(const Config& before, const Config& after,
                            const std::vector<Gid>& joined,
                            Place place = Place::Here()) {
  for (int shard = 0; shard < kShards; ++shard) {
    const Gid gid = OwnerIn(after, shard);
    const bool is_new =
        std::find(joined.begin(), joined.end(), gid) != joined.end();
    if (!is_new && OwnerIn(before, shard) != gid) {
      Fail(Kind::kSafety, "non-minimal transfer after Join()s", place);
    }
  }
}

// Leaves: what a group has that does not leave stays there.
void CheckMinimalAfterLeaves(const Config& before, const Config& after,
                             const std::vector<Gid>& left,
                             Place place = Place::Here()) {
  for (int shard = 0; shard < kShards; ++shard) {
    const Gid gid = OwnerIn(before, shard);
    const bool has_left =
        std::find(left.begin(), left.end(), gid) != left.end();
    if (!has_left && OwnerIn(after, shard) != gid) {
      Fail(Kind::kSafety, "non-minimal transfer after Leave()s", place);
    }
  }
}

// 2024: shards move to that group, or from it, alone, and not too many.
void CheckMoved(const Config& before, const Config& after, Gid gid, bool joined,
                Place place = Place::Here()) {
  int moved = 0;
  for (int shard = 0; shard < kShards; ++shard) {
    const Gid from = OwnerIn(before, shard);
    const Gid to = OwnerIn(after, shard);
    if (from == to) continue;
    ++moved;
    if ((joined ? to : from) == gid) continue;
    Fail(Kind::kSafety,
         absl::StrCat("shard ", shard, " moved from gid ", from, " to gid ", to,
                      ", but shouldn't have"),
         place);
  }
  if (moved <= kMostMoved) return;
  Fail(Kind::kSafety,
       absl::StrCat("too many shards (", moved, ") moved after ",
                    joined ? "join" : "leave"),
       place);
}

// Runs `body` with ten clients, 0, 1, ..., each on a thread of its own.
template <typename Body>
void RunClients(CtrlerCluster* cluster, const Body& body) {
  constexpr int kClients = 10;
  TestThreads threads([cluster] { cluster->stage().CheckHasFailed(); });
  for (int i = 0; i < kClients; ++i) {
    threads.Start([cluster, i, &body] {
      try {
        body(i, cluster->MakeClient().get());
      } catch (const testing::AssertionException&) {
        cluster->stage().CheckHasFailed();
      }
    });
  }
  threads.Join();
  cluster->stage().CheckError();
}

void JoinAndLeave(CtrlerCluster* cluster, CtrlerClient* client,
                  std::array<Config, 6>* seen) {
  cluster->Begin("Test: Basic leave/join");
  (*seen)[0] = client->Query();
  CheckGroups(client, {});

  client->Join({{1, {"x", "y", "z"}}});
  CheckGroups(client, {1});
  (*seen)[1] = client->Query();

  client->Join({{2, {"a", "b", "c"}}});
  CheckGroups(client, {1, 2});
  (*seen)[2] = client->Query();

  CheckServers(client->Query(), 1, {"x", "y", "z"});
  CheckServers(client->Query(), 2, {"a", "b", "c"});

  client->Leave({1});
  CheckGroups(client, {2});
  (*seen)[4] = client->Query();

  client->Leave({2});
  (*seen)[5] = client->Query();
  cluster->End();
}

// Whichever server is down, the others know what was before.
void QueryHistory(CtrlerCluster* cluster, CtrlerClient* client,
                  const std::array<Config, 6>& seen) {
  cluster->Begin("Test: Historical queries");
  for (raft::ServerId server = 0; server < 3; ++server) {
    cluster->stage().group().Crash(server);
    for (const Config& config : seen) {
      CheckSameConfig(client->Query(config.num), config);
    }
    cluster->Restart(server);
  }
  cluster->End();
}

void MoveShards(CtrlerCluster* cluster, CtrlerClient* client) {
  constexpr Gid kOne = 503;
  constexpr Gid kOther = 504;
  const auto target = [](int shard) {
    return shard < kShards / 2 ? kOne : kOther;
  };
  cluster->Begin("Test: Move");
  client->Join({{kOne, {"3a", "3b", "3c"}}});
  client->Join({{kOther, {"4a", "4b", "4c"}}});
  for (int shard = 0; shard < kShards; ++shard) {
    const Config before = client->Query();
    client->Move(shard, target(shard));
    if (OwnerIn(before, shard) != target(shard) &&
        client->Query().num <= before.num) {
      Fail(Kind::kSafety, "Move should increase Config.Num");
    }
  }
  const Config after = client->Query();
  for (int shard = 0; shard < kShards; ++shard) {
    if (OwnerIn(after, shard) == target(shard)) continue;
    Fail(Kind::kSafety,
         absl::StrCat("expected shard ", shard, " on gid ", target(shard),
                      " actually ", OwnerIn(after, shard)));
  }
  client->Leave({kOne});
  client->Leave({kOther});
  cluster->End();
}

// At its end ten groups are left, each with one shard.
void JoinAndLeaveAtOnce(CtrlerCluster* cluster, CtrlerClient* client) {
  cluster->Begin("Test: Concurrent leave/join");
  std::vector<Gid> gids;
  for (Gid gid = 100; gid <= 190; gid += 10) gids.push_back(gid);
  RunClients(cluster, [&gids](int number, CtrlerClient* each) {
    const Gid gid = gids[static_cast<size_t>(number)];
    each->Join({{gid + 1000, {absl::StrCat("s", gid, "a")}}});
    each->Join({{gid, {absl::StrCat("s", gid, "b")}}});
    each->Leave({gid + 1000});
  });
  CheckGroups(client, gids);
  cluster->End();
}

// Go lab: TestBasic.
TEST(ShardCtrler, Basic) {
  CtrlerCluster cluster;
  const std::shared_ptr<CtrlerClient> client = cluster.MakeClient();
  std::array<Config, 6> seen;
  JoinAndLeave(&cluster, client.get(), &seen);
  QueryHistory(&cluster, client.get(), seen);
  MoveShards(&cluster, client.get());
  JoinAndLeaveAtOnce(&cluster, client.get());

  cluster.Begin("Test: Minimal transfers after joins");
  const std::vector<Gid> gids = {11, 12, 13, 14, 15};
  const Config before = client->Query();
  for (const Gid gid : gids) {
    client->Join({{gid,
                   {absl::StrCat(gid, "a"), absl::StrCat(gid, "b"),
                    absl::StrCat(gid, "b")}}});
  }
  const Config joined = client->Query();
  CheckMinimalAfterJoins(before, joined, gids);
  cluster.End();

  cluster.Begin("Test: Minimal transfers after leaves");
  for (const Gid gid : gids) client->Leave({gid});
  CheckMinimalAfterLeaves(joined, client->Query(), gids);
  cluster.End();
}

// Go lab: TestMinimalAgain, of 2024.
TEST(ShardCtrler, MinimalAgain) {
  CtrlerCluster cluster;
  const std::shared_ptr<CtrlerClient> client = cluster.MakeClient();
  cluster.Begin("Test: minimal movement again");

  client->Join({{1, {"x", "y", "z"}}});
  client->Join({{2, {"a", "b", "c"}}});
  const Config before = client->Query();
  client->Join({{3, {"d", "e", "f"}}});
  const Config joined = client->Query();
  CheckMoved(before, joined, 3, /*joined=*/true);

  client->Leave({1});
  CheckMoved(joined, client->Query(), 1, /*joined=*/false);

  cluster.End();
}

void JoinAndLeaveSeveral(CtrlerCluster* cluster, CtrlerClient* client) {
  cluster->Begin("Test: Multi-group join/leave");
  CheckGroups(client, {});
  client->Join({{1, {"x", "y", "z"}}, {2, {"a", "b", "c"}}});
  CheckGroups(client, {1, 2});
  client->Join({{3, {"j", "k", "l"}}});
  CheckGroups(client, {1, 2, 3});
  CheckServers(client->Query(), 1, {"x", "y", "z"});
  CheckServers(client->Query(), 2, {"a", "b", "c"});
  CheckServers(client->Query(), 3, {"j", "k", "l"});

  client->Leave({1, 3});
  CheckGroups(client, {2});
  CheckServers(client->Query(), 2, {"a", "b", "c"});
  client->Leave({2});
  cluster->End();
}

void JoinAndLeaveSeveralAtOnce(CtrlerCluster* cluster, CtrlerClient* client) {
  cluster->Begin("Test: Concurrent multi leave/join");
  std::vector<Gid> gids;
  for (Gid gid = 1000; gid < 1010; ++gid) gids.push_back(gid);
  RunClients(cluster, [&gids](int number, CtrlerClient* each) {
    const Gid gid = gids[static_cast<size_t>(number)];
    const auto name = [](Gid of, const char* which) {
      return absl::StrCat(of, which);
    };
    each->Join({{gid, {name(gid, "a"), name(gid, "b"), name(gid, "c")}},
                {gid + 1000, {name(gid + 1000, "a")}},
                {gid + 2000, {name(gid + 2000, "a")}}});
    each->Leave({gid + 1000, gid + 2000});
  });
  CheckGroups(client, gids);
  cluster->End();
}

// When the leader is gone, another one knows the same.
void LoseLeader(CtrlerCluster* cluster, CtrlerClient* client) {
  cluster->Begin("Test: Check Same config on servers");
  harness::ServiceCluster& stage = cluster->stage();
  const std::optional<raft::ServerId> leader = stage.Leader();
  if (!leader.has_value()) Fail(Kind::kLiveness, "Leader not found");
  const Config before = client->Query();
  stage.group().Crash(*leader);
  for (int tries = 0; !stage.Leader().has_value(); ++tries) {
    if (tries == 3) Fail(Kind::kLiveness, "Leader not found");
    stage.Sleep(std::chrono::seconds(1));
  }
  CheckSameConfig(before, client->Query());
  cluster->End();
}

// Go lab: TestMulti.
TEST(ShardCtrler, Multi) {
  CtrlerCluster cluster;
  const std::shared_ptr<CtrlerClient> client = cluster.MakeClient();
  JoinAndLeaveSeveral(&cluster, client.get());
  JoinAndLeaveSeveralAtOnce(&cluster, client.get());

  cluster.Begin("Test: Minimal transfers after multijoins");
  const Config before = client->Query();
  const std::vector<Gid> gids = {11, 12, 13, 14, 15};
  shardctrler::Groups groups;
  for (const Gid gid : gids) {
    groups[gid] = {absl::StrCat(gid, "a"), absl::StrCat(gid, "b")};
  }
  client->Join(groups);
  const Config joined = client->Query();
  CheckMinimalAfterJoins(before, joined, gids);
  cluster.End();

  cluster.Begin("Test: Minimal transfers after multileaves");
  client->Leave(gids);
  CheckMinimalAfterLeaves(joined, client->Query(), gids);
  cluster.End();

  LoseLeader(&cluster, client.get());
}

}  // namespace
}  // namespace tests
