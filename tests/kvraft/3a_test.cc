// The Go lab's tests of part 3A, a key/value service without snapshots, step by
// step and with every number of theirs; the titles are those that the lab
// prints.
//
// Each runs on its test's main thread, with a cluster of its own.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/harness/kv_cluster.h"
#include "tests/kvraft/append_checks.h"
#include "tests/kvraft/kv_test_2022.h"
#include "tests/kvraft/pending_call.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::Fail;
using harness::Kind;
using harness::kKvElectionTimeout;
using harness::KvClient;
using harness::KvCluster;
using std::chrono::seconds;

const auto kSuite = runner::Suite::OfCourse("KVRaft3A", "kvraft", "3A");

// Go lab: TestBasic3A.  8: a client's reads and writes are linearizable.
TEST(KVRaft3A, Basic) { RunKvTest({.part = "3A", .clients = 1}); }

// Go lab: TestSpeed3A.  A command commits as fast as messages travel, not at
// the next heartbeat.
TEST(KVRaft3A, Speed) { RunKvSpeedTest("3A", /*max_raft_state=*/{}); }

// Go lab: TestConcurrent3A.
TEST(KVRaft3A, Concurrent) { RunKvTest({.part = "3A"}); }

// Go lab: TestUnreliable3A.  8: a command that is sent again is executed once.
TEST(KVRaft3A, Unreliable) { RunKvTest({.part = "3A", .unreliable = true}); }

// Go lab: TestUnreliableOneKey3A.  The same, where each client's elements lie
// between those of others.
TEST(KVRaft3A, UnreliableOneKey) {
  constexpr int kClients = 5;
  constexpr int kElements = 10;
  KvCluster cluster({.servers = 3, .reliable = false});
  const std::shared_ptr<KvClient> client = cluster.MakeClient();
  cluster.Begin("Test: concurrent append to same key, unreliable (3A)");

  client->Put("k", "");
  cluster.SpawnClientsAndWait(kClients, [](int number, KvClient* appender) {
    for (int i = 0; i < kElements; ++i) {
      appender->Append("k", Element(number, i));
    }
  });
  CheckConcurrentAppends(client->Get("k"),
                         std::vector<int>(kClients, kElements));

  cluster.End();
}

// Go lab: TestOnePartition3A.  A minority answers no call, not even reads; its
// clients' calls complete when it is one no more.
TEST(KVRaft3A, OnePartition) {
  KvCluster cluster({.servers = 5});
  const std::shared_ptr<KvClient> client = cluster.MakeClient();
  client->Put("1", "13");

  cluster.Begin("Test: progress in majority (3A)");
  const auto [majority, minority] = cluster.stage().PartitionFromLeader();
  const auto in_majority = cluster.MakeClient(majority);
  const auto putter = cluster.MakeClient(minority);
  const auto getter = cluster.MakeClient(minority);
  in_majority->Put("1", "14");
  cluster.Check(in_majority.get(), "1", "14");
  cluster.End();

  cluster.Begin("Test: no progress in minority (3A)");
  PendingCall put(&cluster.stage(), [&putter] { putter->Put("1", "15"); });
  PendingCall get(&cluster.stage(), [&getter] { getter->Get("1"); });
  if (put.Returns(seconds(1))) {
    Fail(Kind::kSafety, "Put in minority completed");
  }
  if (get.Returns(seconds(0))) {
    Fail(Kind::kSafety, "Get in minority completed");
  }
  cluster.Check(in_majority.get(), "1", "14");
  in_majority->Put("1", "16");
  cluster.Check(in_majority.get(), "1", "16");
  cluster.End();

  cluster.Begin("Test: completion after heal (3A)");
  cluster.stage().ConnectAll();
  putter->ConnectAll();
  getter->ConnectAll();
  cluster.stage().Sleep(kKvElectionTimeout);
  if (!put.Returns(seconds(3))) Fail(Kind::kLiveness, "Put did not complete");
  if (!get.Returns(seconds(3))) Fail(Kind::kLiveness, "Get did not complete");
  cluster.Check(client.get(), "1", "15");
  cluster.End();
}

// Go lab: TestManyPartitionsOneClient3A.  A part with a majority goes on.
TEST(KVRaft3A, ManyPartitionsOneClient) {
  RunKvTest({.part = "3A", .clients = 1, .partitions = true});
}

// Go lab: TestManyPartitionsManyClients3A.
TEST(KVRaft3A, ManyPartitionsManyClients) {
  RunKvTest({.part = "3A", .partitions = true});
}

// Go lab: TestPersistOneClient3A.  What was answered survives a crash of all.
TEST(KVRaft3A, PersistOneClient) {
  RunKvTest({.part = "3A", .clients = 1, .crash = true});
}

// Go lab: TestPersistConcurrent3A.
TEST(KVRaft3A, PersistConcurrent) { RunKvTest({.part = "3A", .crash = true}); }

// Go lab: TestPersistConcurrentUnreliable3A.
TEST(KVRaft3A, PersistConcurrentUnreliable) {
  RunKvTest({.part = "3A", .unreliable = true, .crash = true});
}

// Go lab: TestPersistPartition3A.
TEST(KVRaft3A, PersistPartition) {
  RunKvTest({.part = "3A", .crash = true, .partitions = true});
}

// Go lab: TestPersistPartitionUnreliable3A.
TEST(KVRaft3A, PersistPartitionUnreliable) {
  RunKvTest(
      {.part = "3A", .unreliable = true, .crash = true, .partitions = true});
}

// Go lab: TestPersistPartitionUnreliableLinearizable3A.  All of that at once,
// on keys that all clients share.
TEST(KVRaft3A, PersistPartitionUnreliableLinearizable) {
  RunKvTest({.part = "3A",
             .clients = 15,
             .servers = 7,
             .unreliable = true,
             .crash = true,
             .partitions = true,
             .random_keys = true});
}

}  // namespace
}  // namespace tests
