// The Go lab's tests of part 2A, leader election, step by step and with every
// number of theirs; the titles are those that the lab prints.
//
// Each runs on its test's main thread, with a cluster of its own.

#include <thread>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/harness/raft_cluster.h"
#include "tests/harness/report.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::Fail;
using harness::kElectionTimeout;
using harness::Kind;
using harness::Print;
using harness::RaftCluster;
using raft::ServerId;
using raft::Term;
using std::chrono::milliseconds;
using std::this_thread::sleep_for;

const auto kSuite = runner::Suite::OfCourse("Raft2A", "raft", "2A");

// Go lab: TestInitialElection2A.  5.2: a leader is elected, and stays.
TEST(Raft2A, InitialElection) {
  RaftCluster cluster(/*servers=*/3);
  cluster.Begin("Test (2A): initial election");

  cluster.CheckOneLeader();

  // Followers learn the term from the first heartbeat.
  sleep_for(milliseconds(50));
  const Term term1 = cluster.CheckTerms();
  if (term1 < 1) {
    Fail(Kind::kSafety,
         "term is " + std::to_string(term1) + ", but should be at least 1");
  }

  // Nothing fails, so nothing should change.
  sleep_for(2 * kElectionTimeout);
  const Term term2 = cluster.CheckTerms();
  if (term1 != term2) {
    Print("warning: term changed even though there were no failures");
  }
  cluster.CheckOneLeader();

  cluster.End();
}

// Go lab: TestReElection2A.  5.2: a new leader after a failure, none without a
// majority, and an old one steps down when it comes back.
TEST(Raft2A, ReElection) {
  RaftCluster cluster(/*servers=*/3);
  cluster.Begin("Test (2A): election after network failure");

  const ServerId leader1 = cluster.CheckOneLeader();
  cluster.Disconnect(leader1);
  cluster.CheckOneLeader();

  cluster.Connect(leader1);
  const ServerId leader2 = cluster.CheckOneLeader();

  // Without a quorum there is no leader.
  cluster.Disconnect(leader2);
  cluster.Disconnect(cluster.Next(leader2));
  sleep_for(2 * kElectionTimeout);
  cluster.CheckNoLeader();

  cluster.Connect(cluster.Next(leader2));
  cluster.CheckOneLeader();

  cluster.Connect(leader2);
  cluster.CheckOneLeader();

  cluster.End();
}

// Go lab: TestManyElections2A (since 2021).  5.2: split votes among many
// candidates are resolved in time.
TEST(Raft2A, ManyElections) {
  RaftCluster cluster(/*servers=*/7);
  base::Random random = base::Random::ForOwner("test");
  cluster.Begin("Test (2A): multiple elections");

  cluster.CheckOneLeader();

  for (int round = 1; round < 10; ++round) {
    // They may coincide; four of seven are left at least.
    ServerId lost[3];
    for (ServerId& server : lost) {
      server = static_cast<ServerId>(random.Below(7));
    }
    for (const ServerId server : lost) cluster.Disconnect(server);

    cluster.CheckOneLeader();

    for (const ServerId server : lost) cluster.Connect(server);
  }

  cluster.CheckOneLeader();

  cluster.End();
}

}  // namespace
}  // namespace tests
