// The Go lab's tests of part 3B, the key/value service with snapshots, step by
// step and with every number of theirs; the titles are those that the lab
// prints.
//
// A server takes a snapshot when its raft state comes to 1,000 bytes. Each test
// runs on its test's main thread, with a cluster of its own.

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/harness/kv_cluster.h"
#include "tests/kvraft/kv_test_2022.h"
#include "tests/kvraft/limits.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::kKvElectionTimeout;
using harness::KvClient;
using harness::KvCluster;
using harness::Place;

const auto kSuite = runner::Suite::OfCourse("KVRaft3B", "kvraft", "3B");

// Go lab: TestSnapshotRPC3B.  7, Figure 13: a server that lacks what its leader
// has discarded catches up, and can make a majority.
TEST(KVRaft3B, SnapshotRPC) {
  KvCluster cluster({.servers = 3, .max_raft_state = kMaxRaftState});
  const std::shared_ptr<KvClient> client = cluster.MakeClient();
  cluster.Begin("Test: InstallSnapshot RPC (3B)");

  client->Put("a", "A");
  cluster.Check(client.get(), "a", "A");

  // A majority writes much.
  cluster.stage().Partition({0, 1}, {2});
  {
    const std::shared_ptr<KvClient> writer = cluster.MakeClient({0, 1});
    for (int i = 0; i < 50; ++i) {
      writer->Put(absl::StrCat(i), absl::StrCat(i));
    }
    cluster.stage().Sleep(kKvElectionTimeout);
    writer->Put("b", "B");
  }
  // Snapshots have kept its logs short, though one server lacks the entries.
  CheckLogSize(&cluster, Place::Here());

  // The new majority needs the server that was left out.
  cluster.stage().Partition({0, 2}, {1});
  {
    const std::shared_ptr<KvClient> other = cluster.MakeClient({0, 2});
    other->Put("c", "C");
    other->Put("d", "D");
    cluster.Check(other.get(), "a", "A");
    cluster.Check(other.get(), "b", "B");
    cluster.Check(other.get(), "1", "1");
    cluster.Check(other.get(), "49", "49");
  }

  cluster.stage().Partition({0, 1, 2}, {});
  client->Put("e", "E");
  cluster.Check(client.get(), "c", "C");
  cluster.Check(client.get(), "e", "E");
  cluster.Check(client.get(), "1", "1");

  cluster.End();
}

// Go lab: TestSnapshotSize3B.  A snapshot holds the state, not its history.
TEST(KVRaft3B, SnapshotSize) {
  constexpr size_t kMostSnapshot = 500;
  KvCluster cluster({.servers = 3, .max_raft_state = kMaxRaftState});
  const std::shared_ptr<KvClient> client = cluster.MakeClient();
  cluster.Begin("Test: snapshot size is reasonable (3B)");

  for (int i = 0; i < 200; ++i) {
    client->Put("x", "0");
    cluster.Check(client.get(), "x", "0");
    client->Put("x", "1");
    cluster.Check(client.get(), "x", "1");
  }
  CheckLogSize(&cluster, Place::Here());
  CheckSnapshotSize(&cluster, kMostSnapshot, Place::Here());

  cluster.End();
}

// Go lab: TestSpeed3B.
TEST(KVRaft3B, Speed) { RunKvSpeedTest("3B", kMaxRaftState); }

// Go lab: TestSnapshotRecover3B.  A server restarts from its snapshot and what
// follows it in the log.
TEST(KVRaft3B, SnapshotRecover) {
  RunKvTest({.part = "3B",
             .clients = 1,
             .crash = true,
             .max_raft_state = kMaxRaftState});
}

// Go lab: TestSnapshotRecoverManyClients3B.
TEST(KVRaft3B, SnapshotRecoverManyClients) {
  RunKvTest({.part = "3B",
             .clients = 20,
             .crash = true,
             .max_raft_state = kMaxRaftState});
}

// Go lab: TestSnapshotUnreliable3B.
TEST(KVRaft3B, SnapshotUnreliable) {
  RunKvTest(
      {.part = "3B", .unreliable = true, .max_raft_state = kMaxRaftState});
}

// Go lab: TestSnapshotUnreliableRecover3B.  The snapshot tells which calls were
// executed, so that none is again.
TEST(KVRaft3B, SnapshotUnreliableRecover) {
  RunKvTest({.part = "3B",
             .unreliable = true,
             .crash = true,
             .max_raft_state = kMaxRaftState});
}

// Go lab: TestSnapshotUnreliableRecoverConcurrentPartition3B.
TEST(KVRaft3B, SnapshotUnreliableRecoverConcurrentPartition) {
  RunKvTest({.part = "3B",
             .unreliable = true,
             .crash = true,
             .partitions = true,
             .max_raft_state = kMaxRaftState});
}

// Go lab: TestSnapshotUnreliableRecoverConcurrentPartitionLinearizable3B.
TEST(KVRaft3B, SnapshotUnreliableRecoverConcurrentPartitionLinearizable) {
  RunKvTest({.part = "3B",
             .clients = 15,
             .servers = 7,
             .unreliable = true,
             .crash = true,
             .partitions = true,
             .max_raft_state = kMaxRaftState,
             .random_keys = true});
}

}  // namespace
}  // namespace tests
