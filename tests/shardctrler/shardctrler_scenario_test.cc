// Scenario tests of the shard controller: what the course's tests do not ask.
//
// Each runs on its test's main thread, with a cluster of its own.

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "labrpc/network.h"
#include "raft/types.h"
#include "rpc/codec.h"
#include "shardctrler/clerk.h"
#include "shardctrler/config.h"
#include "shardctrler/messages.h"
#include "tests/harness/ctrler_client.h"
#include "tests/harness/ctrler_cluster.h"
#include "tests/harness/failure.h"
#include "tests/harness/server_group.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::CheckSameConfig;
using harness::CtrlerClient;
using harness::CtrlerCluster;
using harness::Fail;
using harness::Kind;
using harness::Place;
using harness::TestThreads;
using labrpc::Packet;
using labrpc::Ruling;
using shardctrler::Config;

const auto kSuite =
    runner::Suite::OfScenarios("ShardCtrlerScenario", "shardctrler", "");

void CheckNum(CtrlerClient* client, int64_t expected,
              Place place = Place::Here()) {
  const int64_t num = client->Query(shardctrler::kLatest, place).num;
  if (num == expected) return;
  Fail(Kind::kSafety,
       absl::StrCat("expected configuration ", expected, ", got ", num), place);
}

void CheckRefused(const absl::Status& status, Place place = Place::Here()) {
  if (absl::IsInvalidArgument(status)) return;
  Fail(Kind::kSafety,
       absl::StrCat("expected a refusal, got ", status.ToString()), place);
}

// Ends of another client, which reaches these servers alone.
harness::Ends MakeEnds(CtrlerCluster* cluster, int client,
                       const std::set<raft::ServerId>& servers) {
  harness::Ends ends = cluster->stage().group().MakeClientEnds(client);
  cluster->stage().group().ConnectClient(client, servers);
  return ends;
}

// A configuration is made of what changes something, and of nothing else.
TEST(ShardCtrlerScenario, NoConfigurationWithoutAChange) {
  CtrlerCluster cluster;
  const std::shared_ptr<CtrlerClient> client = cluster.MakeClient();
  cluster.Begin("Scenario: changes that change nothing");
  client->Join({{1, {"x", "y"}}, {2, {"a", "b"}}});
  client->Join({{1, {"x", "y"}}});
  client->Join({});
  client->Leave({3});
  client->Leave({});
  client->Move(0, 3);
  CheckNum(client.get(), 1);

  shardctrler::Clerk clerk(MakeEnds(&cluster, 100, {0, 1, 2}));
  CheckRefused(clerk.Join({{1, {"z"}}}));
  CheckRefused(clerk.Join({{3, {}}}));
  CheckRefused(clerk.Join({{0, {"c"}}}));
  CheckRefused(clerk.Join({{3, {"c", "y"}}}));
  CheckRefused(clerk.Move(shardctrler::kShards, 1));
  CheckRefused(clerk.Move(-1, 1));
  CheckNum(client.get(), 1);
  cluster.End();
}

// Only a Join or Leave balances the shares.
TEST(ShardCtrlerScenario, MoveMovesThatShardAlone) {
  CtrlerCluster cluster;
  const std::shared_ptr<CtrlerClient> client = cluster.MakeClient();
  cluster.Begin("Scenario: moves that leave the shares unbalanced");
  client->Join({{1, {"x"}}, {2, {"a"}}});
  for (int shard = 0; shard < shardctrler::kShards; ++shard) {
    Config expected = client->Query();
    client->Move(shard, 1);
    ++expected.num;
    expected.shards[static_cast<size_t>(shard)] = 1;
    CheckSameConfig(client->Query(), expected);
  }
  cluster.End();
}

// A Join arrives once more when its group has left again.
TEST(ShardCtrlerScenario, LateJoin) {
  std::string request;  // the main thread's
  CtrlerCluster cluster({.tap = [&request](const Packet& packet) {
    const bool is_join = packet.kind == Packet::Kind::kRequest &&
                         packet.method == shardctrler::kJoin.name;
    if (is_join && request.empty()) request = packet.bytes;
    return Ruling::kPass;
  }});
  const std::shared_ptr<CtrlerClient> client = cluster.MakeClient();
  cluster.Begin("Scenario: a Join that comes again, late");
  client->Join({{1, {"x"}}});
  client->Leave({1});
  const Config left = client->Query();

  const auto join = rpc::Decode<shardctrler::JoinArgs>(request);
  for (const auto& server : MakeEnds(&cluster, 100, {0, 1, 2})) {
    server->Call(shardctrler::kJoin, *join);
  }
  CheckSameConfig(client->Query(), left);
  cluster.End();
}

// The leader is cut off, and the others have made a configuration that it does
// not know: a Clerk that asks it then must not be told of the one before.
TEST(ShardCtrlerScenario, QueryOfAReplacedLeader) {
  CtrlerCluster cluster;
  cluster.Begin("Scenario: a query to a leader that was replaced");
  cluster.MakeClient()->Join({{1, {"x", "y", "z"}}});

  const auto [majority, minority] = cluster.stage().PartitionFromLeader();
  shardctrler::Clerk writer(MakeEnds(&cluster, 100, majority));
  const absl::Status joined = writer.Join({{2, {"a", "b", "c"}}});
  if (!joined.ok()) Fail(Kind::kSafety, joined.ToString());

  constexpr int kReader = 101;
  shardctrler::Clerk reader(MakeEnds(&cluster, kReader, minority));
  absl::StatusOr<Config> seen;
  TestThreads threads([&reader] { reader.Close(); });
  threads.Start([&] { seen = reader.Query(); });
  cluster.stage().Sleep(std::chrono::seconds(1));
  cluster.stage().ConnectAll();
  cluster.stage().group().ConnectClient(kReader, {0, 1, 2});
  threads.Join();
  if (!seen.ok() || seen->num != 2) {
    Fail(Kind::kSafety,
         absl::StrCat(
             "expected configuration 2, which was made before the "
             "query, got ",
             seen.ok() ? absl::StrCat(seen->num) : seen.status().ToString()));
  }
  cluster.End();
}

}  // namespace
}  // namespace tests
