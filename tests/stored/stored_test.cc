// Clusters on FileStorage: nothing that was committed is lost, whatever the
// disks forget when their machines stop. The cluster's readers see to it that
// no server applies anything else at an index than another did, at any time.

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/harness/raft_cluster.h"
#include "tests/runner/suite.h"
#include "tests/stored/stored_raft.h"

namespace tests {
namespace {

using harness::RaftCluster;
using harness::Retry;
using raft::ServerId;
using std::chrono::milliseconds;

const auto kSuite = runner::Suite::OfScenarios("Stored2C", "raft", "2C");
const auto kSnapshots = runner::Suite::OfScenarios("Stored2D", "raft", "2D");

harness::RaftClusterOptions On(StoredRafts* rafts) {
  harness::RaftClusterOptions options;
  options.make_raft = rafts->Maker();
  options.make_observers = StoredRafts::MakeNoObservers;
  return options;
}

// Commits while machines stop, two at a time at the most, and while one is cut
// off; at the end all of them.
void CrashAndCommit(RaftCluster* cluster, int rounds) {
  base::Random random = base::Random::ForOwner("crashes");
  const auto some = [&] {
    return static_cast<ServerId>(
        random.Below(static_cast<uint64_t>(cluster->size())));
  };
  const int majority = cluster->size() / 2 + 1;
  for (int round = 0; round < rounds; ++round) {
    cluster->Agree(absl::StrCat("round ", round), majority, Retry::kYes);
    const ServerId crashed = some();
    for (int i = 0; i < cluster->size(); ++i) {
      cluster->Start(i, absl::StrCat("perhaps ", round));
    }
    std::this_thread::sleep_for(milliseconds(random.Below(60)));
    cluster->CrashServer(crashed);
    if (random.Chance(1, 2)) {
      cluster->Agree(absl::StrCat("without S", crashed), majority, Retry::kYes);
    }
    cluster->Restart(crashed);
    if (random.Chance(1, 4)) {
      for (ServerId i = 0; i < cluster->size(); ++i) cluster->CrashServer(i);
      for (ServerId i = 0; i < cluster->size(); ++i) cluster->Restart(i);
    }
  }
  cluster->Agree("the end", cluster->size(), Retry::kYes);
}

TEST(Stored2C, CrashesLoseNothing) {
  StoredRafts rafts(/*servers=*/3, milliseconds(50));
  RaftCluster cluster(/*servers=*/3, On(&rafts));
  cluster.Begin("Test (2C+): machines that stop, on slow disks");
  CrashAndCommit(&cluster, /*rounds=*/10);
  cluster.End();
}

TEST(Stored2D, CrashesLoseNothing) {
  StoredRafts rafts(/*servers=*/3, milliseconds(50));
  harness::RaftClusterOptions options = On(&rafts);
  options.snapshot_at = harness::EveryTenthIndex;
  RaftCluster cluster(/*servers=*/3, options);
  cluster.Begin("Test (2D+): machines that stop, with snapshots");
  CrashAndCommit(&cluster, /*rounds=*/10);
  cluster.End();
}

// A vote needs two flushes one after the other, and so does a commit.
TEST(Stored2C, VerySlowDisks) {
  StoredRafts rafts(/*servers=*/3, milliseconds(400));
  RaftCluster cluster(/*servers=*/3, On(&rafts));
  cluster.Begin("Test (2C+): a leader is elected with flushes of 400 ms");
  for (int i = 0; i < 3; ++i) {
    cluster.Agree(absl::StrCat("command ", i), /*servers=*/3, Retry::kYes);
    const ServerId leader = cluster.CheckOneLeader();
    cluster.CrashServer(leader);
    cluster.Restart(leader);
  }
  cluster.Agree("the end", /*servers=*/3, Retry::kYes);
  cluster.End();
}

}  // namespace
}  // namespace tests
