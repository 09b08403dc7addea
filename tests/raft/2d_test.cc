// The Go lab's tests of part 2D, log compaction, step by step and with every
// number of theirs; the titles are those that the lab prints.
//
// Every server's service takes a snapshot at the indexes 9, 19, 29, ... Each
// test runs on its main thread, with a cluster of its own.

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/harness/raft_cluster.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::EveryTenthIndex;
using harness::Fail;
using harness::Kind;
using harness::RaftCluster;
using harness::RaftClusterOptions;
using harness::RandomValue;
using harness::Retry;
using raft::Index;
using raft::ServerId;

const auto kSuite = runner::Suite::OfCourse("Raft2D", "raft", "2D");

constexpr size_t kMaxLogSize = 2000;
constexpr int kIterations = 30;

// What befalls a server while the others go on.
enum class Outage { kNone, kDisconnect, kCrash };

RaftClusterOptions WithSnapshots(bool reliable = true) {
  return {.reliable = reliable, .snapshot_at = EveryTenthIndex};
}

// Has all servers commit a new command; returns its index.
Index AgreeOnAny(RaftCluster* cluster, int servers, base::Random* random) {
  return cluster->Agree(RandomValue(random), servers, Retry::kYes);
}

void CrashAll(RaftCluster* cluster) {
  for (ServerId i = 0; i < cluster->size(); ++i) cluster->CrashServer(i);
}

void StartAll(RaftCluster* cluster) {
  for (ServerId i = 0; i < cluster->size(); ++i) cluster->Restart(i);
}

void Begin(RaftCluster* cluster, Outage outage, ServerId victim) {
  if (outage == Outage::kDisconnect) cluster->Disconnect(victim);
  if (outage == Outage::kCrash) cluster->CrashServer(victim);
}

void End(RaftCluster* cluster, Outage outage, ServerId victim) {
  if (outage == Outage::kCrash) cluster->StartServer(victim);
  cluster->Connect(victim);
}

// Thirty times: one server falls behind while the others commit so much that it
// needs a snapshot, and comes back; every third time that is the leader. With
// Outage::kNone none may fall so far behind.
void RunSnapshots(std::string_view title, Outage outage, bool reliable) {
  RaftCluster cluster(/*servers=*/3, WithSnapshots(reliable));
  base::Random random = base::Random::ForOwner("test");
  cluster.Begin(title);

  AgreeOnAny(&cluster, /*servers=*/3, &random);
  ServerId leader = cluster.CheckOneLeader();
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    ServerId victim = cluster.Next(leader);
    ServerId sender = leader;
    if (iteration % 3 == 1) std::swap(victim, sender);

    if (outage != Outage::kNone) {
      Begin(&cluster, outage, victim);
      AgreeOnAny(&cluster, /*servers=*/2, &random);
    }
    // The sender need not lead: then nothing comes of it.
    for (int64_t left = random.Between(5, 14); left > 0; --left) {
      cluster.Start(sender, RandomValue(&random));
    }
    AgreeOnAny(&cluster, /*servers=*/outage == Outage::kNone ? 3 : 2, &random);

    if (cluster.LogSize() >= kMaxLogSize) {
      Fail(Kind::kEconomy, "Log size too large");
    }
    if (outage != Outage::kNone) {
      End(&cluster, outage, victim);
      AgreeOnAny(&cluster, /*servers=*/3, &random);
      leader = cluster.CheckOneLeader();
    }
  }

  cluster.End();
}

// Go lab: TestSnapshotBasic2D.  7: each server discards its log up to what its
// service has a snapshot of.
TEST(Raft2D, SnapshotBasic) {
  RunSnapshots("Test (2D): snapshots basic", Outage::kNone, /*reliable=*/true);
}

// Go lab: TestSnapshotInstall2D.  7, Figure 13: a server that lacks what its
// leader has discarded gets the leader's snapshot.
TEST(Raft2D, SnapshotInstall) {
  RunSnapshots("Test (2D): install snapshots (disconnect)", Outage::kDisconnect,
               /*reliable=*/true);
}

// Go lab: TestSnapshotInstallUnreliable2D.  The same while messages are lost.
TEST(Raft2D, SnapshotInstallUnreliable) {
  RunSnapshots("Test (2D): install snapshots (disconnect+unreliable)",
               Outage::kDisconnect, /*reliable=*/false);
}

// Go lab: TestSnapshotInstallCrash2D.  So does a server that restarts, and that
// finds its own snapshot and what follows it on its disk.
TEST(Raft2D, SnapshotInstallCrash) {
  RunSnapshots("Test (2D): install snapshots (crash)", Outage::kCrash,
               /*reliable=*/true);
}

// Go lab: TestSnapshotInstallUnCrash2D.  The same while messages are lost.
TEST(Raft2D, SnapshotInstallUnCrash) {
  RunSnapshots("Test (2D): install snapshots (unreliable+crash)",
               Outage::kCrash, /*reliable=*/false);
}

// Go lab: TestSnapshotAllCrash2D.  7: snapshot and log are saved together, so
// that after a crash of all no index is lost.
TEST(Raft2D, SnapshotAllCrash) {
  RaftCluster cluster(/*servers=*/3, WithSnapshots());
  base::Random random = base::Random::ForOwner("test");
  cluster.Begin("Test (2D): crash and restart all servers");

  AgreeOnAny(&cluster, /*servers=*/3, &random);
  for (int iteration = 0; iteration < 5; ++iteration) {
    for (int64_t left = random.Between(5, 14); left > 0; --left) {
      AgreeOnAny(&cluster, /*servers=*/3, &random);
    }
    const Index before = AgreeOnAny(&cluster, /*servers=*/3, &random);
    CrashAll(&cluster);
    StartAll(&cluster);
    const Index after = AgreeOnAny(&cluster, /*servers=*/3, &random);
    if (after < before + 1) {
      Fail(Kind::kSafety,
           absl::StrCat("index decreased from ", before, " to ", after));
    }
  }

  cluster.End();
}

// Go lab: TestSnapshotInit2D.  7: what a server saves first after a restart
// keeps the snapshot that it found.
TEST(Raft2D, SnapshotInit) {
  RaftCluster cluster(/*servers=*/3, WithSnapshots());
  base::Random random = base::Random::ForOwner("test");
  cluster.Begin("Test (2D): snapshot initialization after crash");

  AgreeOnAny(&cluster, /*servers=*/3, &random);
  for (int i = 0; i < 11; ++i) AgreeOnAny(&cluster, /*servers=*/3, &random);

  CrashAll(&cluster);
  StartAll(&cluster);
  AgreeOnAny(&cluster, /*servers=*/3, &random);

  CrashAll(&cluster);
  StartAll(&cluster);
  AgreeOnAny(&cluster, /*servers=*/3, &random);

  cluster.End();
}

}  // namespace
}  // namespace tests
