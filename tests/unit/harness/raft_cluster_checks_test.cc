// What a test may ask of a cluster: each check of the harness with a cluster
// that passes it, and with one that fails it with the course's message.

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/harness/raft_cluster.h"
#include "tests/unit/harness/failures.h"
#include "tests/unit/harness/fake_raft.h"

namespace harness {
namespace {

using raft::Index;
using raft::ServerId;
using Messages = std::vector<std::string>;

// A cluster of fakes, and what a test expects of most of them.
class ClusterChecks : public testing::Test {
 protected:
  // With time enough to pass on a busy machine.
  explicit ClusterChecks(int hurry = 5)
      : cluster_(/*servers=*/3, rafts_.Options(hurry)) {}

  void Lead(ServerId server, raft::Term term) {
    rafts_[server]->Believe({term, true});
  }
  // Has `leader` commit what it takes, on the servers 0..`servers` - 1.
  void CommitOn(ServerId leader, int servers) {
    rafts_[leader]->WhenStarted(
        [this, servers](Index index, const Command& command) {
          for (ServerId i = 0; i < servers; ++i) {
            rafts_[i]->Deliver(index, command);
          }
        });
  }

  FakeRafts rafts_;
  RaftCluster cluster_;
};

// The same, where the time is to run out.
class ClusterCheckFailures : public ClusterChecks {
 protected:
  ClusterCheckFailures() : ClusterChecks(/*hurry=*/20) {}
};

// What fails in `piece`, which that must end.
Messages MessagesOf(const std::function<void()>& piece) {
  const Failures failures = FailuresOf(piece);
  EXPECT_TRUE(failures.ended);
  return failures.messages;
}

TEST_F(ClusterChecks, OneLeaderIsTheOneOfTheHighestTerm) {
  Lead(0, 3);
  EXPECT_EQ(cluster_.CheckOneLeader(), 0);
  Lead(2, 5);
  EXPECT_EQ(cluster_.CheckOneLeader(), 2);
}

TEST_F(ClusterChecks, OneLeaderAsksOnlyConnectedServers) {
  Lead(0, 3);
  Lead(2, 5);
  cluster_.Disconnect(2);
  EXPECT_EQ(cluster_.CheckOneLeader(), 0);
}

TEST_F(ClusterCheckFailures, NoLeaderIsAFailure) {
  EXPECT_EQ(MessagesOf([&] { cluster_.CheckOneLeader(); }),
            Messages{"expected one leader, got none"});
}

TEST_F(ClusterCheckFailures, TwoLeadersOfOneTermAreAFailure) {
  Lead(0, 4);
  Lead(1, 4);
  EXPECT_EQ(MessagesOf([&] { cluster_.CheckOneLeader(); }),
            Messages{"term 4 has 2 (>1) leaders"});
}

TEST_F(ClusterCheckFailures, FailuresBearTheTestsLine) {
  int line = 0;
  const Failures failures = FailuresOf([&] {
    line = __LINE__ + 1;
    cluster_.CheckOneLeader();
  });
  EXPECT_EQ(failures.line, line);
}

TEST_F(ClusterCheckFailures, SayOfWhatKindTheyAre) {
  using Kinds = std::vector<Kind>;
  EXPECT_EQ(FailuresOf([&] { cluster_.CheckOneLeader(); }).kinds,
            Kinds{Kind::kLiveness});
  Lead(0, 4);
  EXPECT_EQ(FailuresOf([&] { cluster_.CheckNoLeader(); }).kinds,
            Kinds{Kind::kSafety});
  EXPECT_EQ(InfoOfCurrentFailure().kind, Kind::kSafety);  // none is left over
}

TEST_F(ClusterChecks, TermsMustBeTheSameOnAllConnectedServers) {
  for (const ServerId i : {0, 1, 2}) rafts_[i]->Believe({7, false});
  EXPECT_EQ(cluster_.CheckTerms(), 7u);
  rafts_[2]->Believe({8, false});
  EXPECT_EQ(MessagesOf([&] { cluster_.CheckTerms(); }),
            Messages{"servers disagree on term"});
  cluster_.Disconnect(2);
  EXPECT_EQ(cluster_.CheckTerms(), 7u);
}

TEST_F(ClusterChecks, NoLeaderWhereNoneIsExpected) {
  cluster_.CheckNoLeader();
  Lead(1, 4);
  EXPECT_EQ(MessagesOf([&] { cluster_.CheckNoLeader(); }),
            Messages{"expected no leader, but 1 claims to be leader"});
  cluster_.Disconnect(1);
  cluster_.CheckNoLeader();
}

TEST_F(ClusterChecks, AgreeAsksServerOneFirst) {
  Lead(1, 1);
  CommitOn(1, /*servers=*/3);
  EXPECT_EQ(cluster_.Agree(100, /*servers=*/3, Retry::kNo), 1u);
  EXPECT_EQ(cluster_.Agree("abc", /*servers=*/3, Retry::kNo), 2u);
  EXPECT_EQ(rafts_[0]->asked(), 0);
  EXPECT_EQ(rafts_[1]->asked(), 2);
  EXPECT_EQ(rafts_[2]->asked(), 0);
}

TEST_F(ClusterChecks, AgreeGoesRoundToTheLeader) {
  Lead(0, 1);
  CommitOn(0, /*servers=*/2);
  cluster_.Disconnect(1);
  EXPECT_EQ(cluster_.Agree(100, /*servers=*/2, Retry::kNo), 1u);
  EXPECT_EQ(rafts_[1]->asked(), 0);  // not connected
  EXPECT_EQ(rafts_[2]->asked(), 1);
}

TEST_F(ClusterCheckFailures, AgreeFailsWithoutALeader) {
  EXPECT_EQ(MessagesOf([&] { cluster_.Agree(100, 3, Retry::kYes); }),
            Messages{"one(100) failed to reach agreement"});
  EXPECT_GT(rafts_[0]->asked(), 1);
}

TEST_F(ClusterCheckFailures, AgreeFailsIfTooFewApply) {
  Lead(1, 1);
  CommitOn(1, /*servers=*/2);
  EXPECT_EQ(MessagesOf([&] { cluster_.Agree("abc", 3, Retry::kNo); }),
            Messages{"one(abc) failed to reach agreement"});
  EXPECT_EQ(rafts_[1]->asked(), 1);
}

TEST_F(ClusterCheckFailures, AgreeStartsAgainOnlyIfToldTo) {
  Lead(1, 1);
  EXPECT_EQ(MessagesOf([&] { cluster_.Agree(100, 1, Retry::kYes); }),
            Messages{"one(100) failed to reach agreement"});
  EXPECT_GT(rafts_[1]->asked(), 1);
}

// Another client's command stands at the first index; the second try commits.
TEST_F(ClusterChecks, AgreeComparesTheCommand) {
  Lead(1, 1);
  rafts_[1]->WhenStarted([this](Index index, const Command& command) {
    rafts_[0]->Deliver(index, index == 1 ? Command(999) : command);
  });
  EXPECT_EQ(cluster_.Agree(100, /*servers=*/1, Retry::kYes), 2u);
}

TEST_F(ClusterChecks, AgreeGivesUpWhenTheTestIsOver) {
  cluster_.Finish();
  EXPECT_EQ(cluster_.Agree(100, /*servers=*/3, Retry::kYes), 0u);
}

TEST_F(ClusterChecks, WaitReturnsWhatIsApplied) {
  rafts_[0]->Deliver(1, 100);
  EXPECT_EQ(cluster_.Wait(1, /*servers=*/1), Command(100));

  // The last one comes while it waits.
  std::thread late([&] {
    rafts_[1]->Deliver(1, 100);
    rafts_[2]->Deliver(1, 100);
  });
  EXPECT_EQ(cluster_.Wait(1, /*servers=*/3), Command(100));
  late.join();
}

// This takes longest: 30 s, in a hurry 0.3 s.
TEST(ClusterWait, FailsIfTooFewApply) {
  FakeRafts rafts;
  RaftCluster cluster(/*servers=*/3, rafts.Options(/*hurry=*/100));
  rafts[0]->Deliver(1, 100);
  EXPECT_EQ(MessagesOf([&] { cluster.Wait(1, /*servers=*/3); }),
            Messages{"only 1 decided for index 1; wanted 3"});
}

// Of all servers, also those that are not connected.
TEST_F(ClusterChecks, WaitGivesUpWhenTheTermMoves) {
  rafts_[0]->Believe({5, false});
  cluster_.Disconnect(2);
  rafts_[2]->Believe({6, false});
  EXPECT_EQ(cluster_.Wait(1, /*servers=*/3, /*start_term=*/5), std::nullopt);
}

TEST_F(ClusterChecks, ApplyErrorFailsTheNextCheckOnce) {
  rafts_[0]->Deliver(1, 100);
  rafts_[0]->Deliver(2, 200);
  cluster_.Wait(/*index=*/2, /*servers=*/1);  // for the reader, too
  rafts_[1]->Deliver(1, 100);
  rafts_[1]->Deliver(2, 201);
  rafts_[1]->Deliver(7, 700);  // taken, and no longer looked at
  cluster_.CrashServer(1);     // waits for the reader

  EXPECT_EQ(
      MessagesOf([&] { cluster_.CommittedAt(1); }),
      Messages{"apply error: commit index=2 server=1 201 != server=0 200"});
  EXPECT_EQ(MessagesOf([&] { cluster_.CommittedAt(1); }), Messages{});
  EXPECT_EQ(MessagesOf([&] { cluster_.End(); }), Messages{});
}

TEST_F(ClusterChecks, ApplyErrorFailsTheEnd) {
  rafts_[2]->Deliver(3, 100);
  cluster_.CrashServer(2);
  EXPECT_EQ(MessagesOf([&] { cluster_.End(); }),
            Messages{"apply error: server 2 apply out of order 3"});
}

TEST_F(ClusterChecks, ACommandThatDoesNotDecodeIsAnApplyError) {
  rafts_[0]->DeliverBytes(1, "?");
  cluster_.CrashServer(0);
  EXPECT_EQ(MessagesOf([&] { cluster_.CommittedAt(1); }),
            Messages{"apply error: server 0 command at index 1: malformed: "
                     "unknown type of command"});
}

TEST(ClusterEnd, ReportsAnApplyErrorThatNobodyAskedFor) {
  const Failures failures = FailuresOf([] {
    FakeRafts rafts;
    RaftCluster cluster(/*servers=*/1, rafts.Options());
    rafts[0]->Deliver(2, 100);
  });
  EXPECT_EQ(failures.messages,
            Messages{"apply error: server 0 apply out of order 2"});
  EXPECT_FALSE(failures.ended);
}

}  // namespace
}  // namespace harness
