// The Go lab's tests of part 4C of 2025, the versioned key/value service with
// snapshots, step by step and with every number of theirs; the titles are those
// that the lab prints.
//
// A server takes a snapshot when its raft state comes to 1,000 bytes. Each test
// runs on its test's main thread, with a cluster of its own.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/harness/kv_cluster.h"
#include "tests/kvraft/kv_test_2025.h"
#include "tests/kvraft/limits.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::kKvElectionTimeout;
using harness::KvClient;
using harness::KvCluster;
using harness::Place;

const auto kSuite = runner::Suite::OfCourse("KVRaft4C", "kvraft", "4C");

KvCluster::Options WithSnapshots() {
  return {.servers = 3,
          .year = harness::Year::k2025,
          .max_raft_state = kMaxRaftState};
}

std::string Title(const std::string& part) {
  return Title2025(
      {.part = part, .clients = 1, .max_raft_state = kMaxRaftState});
}

// Go lab: TestSnapshotRPC4C.  7, Figure 13: a server that lacks what its leader
// has discarded catches up, and can make a majority.
TEST(KVRaft4C, SnapshotRPC) {
  KvCluster cluster(WithSnapshots());
  cluster.Begin(Title("4C SnapshotsRPC"));
  const std::shared_ptr<KvClient> client = cluster.MakeClient();

  cluster.Begin("Test: InstallSnapshot RPC (4C)");
  const uint64_t a = PutAtLeastOnce(client.get(), "a", "A", 0);
  CheckGet(client.get(), "a", "A", a);

  // A majority writes much.
  cluster.stage().Partition({0, 1}, {2});
  const std::shared_ptr<KvClient> writer = cluster.MakeClient({0, 1});
  std::vector<uint64_t> versions;
  for (int i = 0; i < 50; ++i) {
    const std::string text = absl::StrCat(i);
    versions.push_back(PutAtLeastOnce(writer.get(), text, text, 0));
  }
  cluster.stage().Sleep(kKvElectionTimeout);
  const uint64_t b = PutAtLeastOnce(writer.get(), "b", "B", 0);
  // Snapshots have kept its logs short, though one server lacks the entries.
  CheckLogSize(&cluster, Place::Here());

  // The new majority needs the server that was left out.
  cluster.stage().Partition({0, 2}, {1});
  const std::shared_ptr<KvClient> other = cluster.MakeClient({0, 2});
  const uint64_t c = PutAtLeastOnce(other.get(), "c", "C", 0);
  PutAtLeastOnce(other.get(), "d", "D", 0);
  CheckGet(other.get(), "a", "A", a);
  CheckGet(other.get(), "b", "B", b);
  CheckGet(other.get(), "1", "1", versions[1]);
  CheckGet(other.get(), "49", "49", versions[49]);

  cluster.stage().Partition({0, 1, 2}, {});
  const uint64_t e = PutAtLeastOnce(client.get(), "e", "E", 0);
  CheckGet(client.get(), "c", "C", c);
  CheckGet(client.get(), "e", "E", e);
  CheckGet(client.get(), "1", "1", versions[1]);

  cluster.End();
}

// Go lab: TestSnapshotSize4C.  A snapshot holds the state, not its history.
TEST(KVRaft4C, SnapshotSize) {
  constexpr size_t kMostSnapshot = 500;
  KvCluster cluster(WithSnapshots());
  cluster.Begin(Title("4C snapshot size is reasonable"));
  const std::shared_ptr<KvClient> client = cluster.MakeClient();

  uint64_t version = 0;
  for (int i = 0; i < 200; ++i) {
    for (const std::string value : {"0", "1"}) {
      version = PutAtLeastOnce(client.get(), "x", value, version);
      CheckGet(client.get(), "x", value, version);
    }
  }
  CheckLogSize(&cluster, Place::Here());
  CheckSnapshotSize(&cluster, kMostSnapshot, Place::Here());

  cluster.End();
}

// Go lab: TestSpeed4C.
TEST(KVRaft4C, Speed) { RunVersionedSpeedTest("4C speed", kMaxRaftState); }

// Go lab: TestSnapshotRecover4C.
TEST(KVRaft4C, SnapshotRecover) {
  RunKvTest({.part = "4C restarts, snapshots, one client",
             .clients = 1,
             .crash = true,
             .max_raft_state = kMaxRaftState});
}

// Go lab: TestSnapshotRecoverManyClients4C.
TEST(KVRaft4C, SnapshotRecoverManyClients) {
  RunKvTest({.part = "4C restarts, snapshots, many clients ",
             .clients = 20,
             .crash = true,
             .max_raft_state = kMaxRaftState});
}

// Go lab: TestSnapshotUnreliable4C.
TEST(KVRaft4C, SnapshotUnreliable) {
  RunKvTest({.part = "4C unreliable net, snapshots, many clients",
             .reliable = false,
             .max_raft_state = kMaxRaftState});
}

// Go lab: TestSnapshotUnreliableRecover4C.
TEST(KVRaft4C, SnapshotUnreliableRecover) {
  RunKvTest({.part = "4C unreliable net, restarts, snapshots, many clients",
             .reliable = false,
             .crash = true,
             .max_raft_state = kMaxRaftState});
}

// Go lab: TestSnapshotUnreliableRecoverConcurrentPartition4C.
TEST(KVRaft4C, SnapshotUnreliableRecoverConcurrentPartition) {
  RunKvTest(
      {.part =
           "4C unreliable net, restarts, partitions, snapshots, many clients",
       .reliable = false,
       .crash = true,
       .partitions = true,
       .max_raft_state = kMaxRaftState});
}

// Go lab: TestSnapshotUnreliableRecoverConcurrentPartitionLinearizable4C.
TEST(KVRaft4C, SnapshotUnreliableRecoverConcurrentPartitionLinearizable) {
  RunKvTest({.part = "4C unreliable net, restarts, partitions, snapshots, "
                     "random keys, many clients",
             .clients = 15,
             .servers = 7,
             .reliable = false,
             .crash = true,
             .partitions = true,
             .max_raft_state = kMaxRaftState,
             .random_keys = true});
}

}  // namespace
}  // namespace tests
