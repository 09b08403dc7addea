// The Go lab's tests of part 4B of 2025, a key/value service whose Put names
// the version that it replaces, step by step and with every number of theirs;
// the titles are those that the lab prints.
//
// Each runs on its test's main thread, with a cluster of its own. In those with
// partitions clients go on for the whole time of these, as until 2024.

#include <chrono>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/harness/kv_cluster.h"
#include "tests/kvraft/kv_test_2025.h"
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

const auto kSuite = runner::Suite::OfCourse("KVRaft4B", "kvraft", "4B");

// Go lab: TestBasic4B.
TEST(KVRaft4B, Basic) { RunKvTest({.part = "4B basic", .clients = 1}); }

// Go lab: TestSpeed4B.
TEST(KVRaft4B, Speed) { RunVersionedSpeedTest("4B speed", {}); }

// Go lab: TestConcurrent4B.
TEST(KVRaft4B, Concurrent) { RunKvTest({.part = "4B many clients"}); }

// Go lab: TestUnreliable4B.  A Put that is sent again is not executed
// again: it has made the version another.
TEST(KVRaft4B, Unreliable) {
  RunKvTest({.part = "4B many clients", .reliable = false});
}

// Go lab: TestOnePartition4B.  A minority answers no call, not even reads; its
// clients' calls complete when it is one no more.
TEST(KVRaft4B, OnePartition) {
  KvCluster cluster(
      {.servers = 5, .reliable = false, .year = harness::Year::k2025});
  cluster.Begin(Title2025({.part = "4B progress in majority", .clients = 1}));
  const std::shared_ptr<KvClient> client = cluster.MakeClient();
  uint64_t version = PutAtLeastOnce(client.get(), "1", "13", 0);

  const auto [majority, minority] = cluster.stage().PartitionFromLeader();
  const auto in_majority = cluster.MakeClient(majority);
  const auto putter = cluster.MakeClient(minority);
  const auto getter = cluster.MakeClient(minority);
  version = PutAtLeastOnce(in_majority.get(), "1", "14", version);
  CheckGet(in_majority.get(), "1", "14", version);
  cluster.End();

  cluster.Begin("Test: no progress in minority (4B)");
  uint64_t put_version = version;
  uint64_t got_version = 0;
  PendingCall put(&cluster.stage(), [&] {
    put_version = PutAtLeastOnce(putter.get(), "1", "15", put_version);
  });
  PendingCall get(&cluster.stage(),
                  [&] { got_version = getter->GetVersioned("1").version; });
  if (put.Returns(seconds(1))) {
    Fail(
        Kind::kSafety,
        absl::StrCat("Put in minority completed with version = ", put_version));
  }
  if (get.Returns(seconds(0))) {
    Fail(
        Kind::kSafety,
        absl::StrCat("Get in minority completed with version = ", got_version));
  }
  CheckGet(in_majority.get(), "1", "14", version);
  version = PutAtLeastOnce(in_majority.get(), "1", "16", version);
  CheckGet(in_majority.get(), "1", "16", version);
  cluster.End();

  cluster.Begin("Test: completion after heal (4B)");
  cluster.stage().ConnectAll();
  putter->ConnectAll();
  getter->ConnectAll();
  cluster.stage().Sleep(kKvElectionTimeout);
  if (!put.Returns(seconds(3))) Fail(Kind::kLiveness, "Put did not complete");
  if (!get.Returns(seconds(3))) Fail(Kind::kLiveness, "Get did not complete");
  CheckGet(client.get(), "1", "15", put_version);
  cluster.End();
}

// Go lab: TestManyPartitionsOneClient4B.
TEST(KVRaft4B, ManyPartitionsOneClient) {
  RunKvTest(
      {.part = "4B partitions, one client", .clients = 1, .partitions = true});
}

// Go lab: TestManyPartitionsManyClients4B.
TEST(KVRaft4B, ManyPartitionsManyClients) {
  RunKvTest({.part = "4B partitions, many clients (4B)", .partitions = true});
}

// Go lab: TestPersistOneClient4B.
TEST(KVRaft4B, PersistOneClient) {
  RunKvTest(
      {.part = "4B restarts, one client 4B ", .clients = 1, .crash = true});
}

// Go lab: TestPersistConcurrent4B.
TEST(KVRaft4B, PersistConcurrent) {
  RunKvTest({.part = "4B restarts, many clients", .crash = true});
}

// Go lab: TestPersistConcurrentUnreliable4B.
TEST(KVRaft4B, PersistConcurrentUnreliable) {
  RunKvTest(
      {.part = "4B restarts, many clients ", .reliable = false, .crash = true});
}

// Go lab: TestPersistPartition4B.
TEST(KVRaft4B, PersistPartition) {
  RunKvTest({.part = "4B restarts, partitions, many clients",
             .crash = true,
             .partitions = true});
}

// Go lab: TestPersistPartitionUnreliable4B.
TEST(KVRaft4B, PersistPartitionUnreliable) {
  RunKvTest({.part = "4B restarts, partitions, many clients",
             .reliable = false,
             .crash = true,
             .partitions = true});
}

// Go lab: TestPersistPartitionUnreliableLinearizable4B.
TEST(KVRaft4B, PersistPartitionUnreliableLinearizable) {
  RunKvTest({.part = "4B restarts, partitions, random keys, many clients",
             .clients = 15,
             .servers = 7,
             .reliable = false,
             .crash = true,
             .partitions = true,
             .random_keys = true});
}

}  // namespace
}  // namespace tests
