// Scenario tests of part 2D (tests/harness/scenario.h): what a snapshot leaves
// of a log, and of a server that restarts.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/harness/raft_cluster.h"
#include "tests/harness/scenario.h"
#include "tests/raft/snapshot_scenario.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::AppendEntries, harness::AppendEntriesReplies;
using harness::InstallSnapshotReplies, harness::InstallSnapshots;
using harness::Match;
using harness::RaftCluster;
using harness::RequestVotes;
using harness::Retry;
using harness::Tap;
using harness::TapMessage;
using raft::Index;
using raft::ServerId;
using raft::Term;
using Clock = std::chrono::steady_clock;

const auto kSuite = runner::Suite::OfScenarios("Raft2DScenario", "raft", "2D");

// 7: the leader's log begins after its snapshot, at index 6; a follower lacks
// the last entry that is covered, or exactly those that are not, or has one of
// these. Finds a nextIndex or a prevLogTerm that is one off there.
TEST(Raft2DScenario, AroundTheFirstEntry) {
  SnapshotScenario scenario(/*servers=*/3,
                            "Test (2D+): a follower at the end of a snapshot",
                            [](ServerId server, Index index) {
                              return server != 2 && index % 10 == 5;
                            });
  RaftCluster& cluster = scenario.cluster;
  scenario.Elect(0);
  Index base = 0;
  for (const Index has : {4, 5, 6}) {
    SCOPED_TRACE(absl::StrCat("S2 has ", has, " entries"));
    scenario.CommitUpTo(base + has, /*leader=*/0, /*servers=*/3);
    cluster.CrashServer(2);
    scenario.CommitUpTo(base + 8, /*leader=*/0, /*servers=*/2);
    cluster.Restart(2);
    scenario.CommitUpTo(base + 10, /*leader=*/0, /*servers=*/3);
    base += 10;
  }
  cluster.End();
}

// 5.3, 7: a follower whose log conflicts right after its snapshot, in the term
// of the snapshot's last entry. Finds a search for the first entry of that term
// that goes on below the snapshot.
TEST(Raft2DScenario, ConflictAfterSnapshot) {
  SnapshotScenario scenario(
      /*servers=*/3, "Test (2D+): a conflict right after a snapshot",
      [](ServerId /*server*/, Index index) { return index == 5; });
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.Elect(2);
  scenario.CommitUpTo(5, /*leader=*/2, /*servers=*/3);
  scenario.AwaitSnapshots(5, {0, 1, 2});

  // S2 alone has these.
  tap.Drop(AppendEntries().From(2).WithEntries());
  for (const int command : {901, 902, 903}) scenario.Submit(2, command);
  cluster.Disconnect(2);
  tap.ForgetAll();

  // S0 has others there; S1 leads then, and takes S2 for up to date.
  scenario.Elect(0);
  scenario.CommitUpTo(8, /*leader=*/0, /*servers=*/2);
  tap.Drop(AppendEntries().From(0).To(2));
  cluster.Connect(2);
  scenario.Elect(1);
  scenario.CommitUpTo(9, /*leader=*/1, /*servers=*/3);
  cluster.End();
}

// Where two scenarios begin. S0 leads; it and S1 have a snapshot up to index 6,
// and nothing after it. S2 is cut off, and has a longer log: its snapshot up to
// index 5, and entries of the term before after it.
class EmptyLogs : public SnapshotScenario {
 public:
  explicit EmptyLogs(std::string_view title)
      : SnapshotScenario(/*servers=*/3, title,
                         [](ServerId /*server*/, Index index) {
                           return index == 5 || index == 6;
                         }) {}

  // Returns the term of S0.
  Term Play() {
    Elect(2);
    CommitUpTo(5, /*leader=*/2, /*servers=*/3);
    tap.Drop(AppendEntries().From(2).WithEntries());
    for (const int command : {901, 902, 903}) Submit(2, command);
    cluster.Disconnect(2);
    tap.ForgetAll();
    const Term term = Elect(0);
    CommitUpTo(6, /*leader=*/0, /*servers=*/2);
    AwaitSnapshots(6, {0, 1});
    return term;
  }
};

// 5.4.1, 7: the last entry of a log that is empty is the last one that its
// snapshot covers, for a voter and for a candidate. S1's log is empty.
TEST(Raft2DScenario, SnapshotOfEverything) {
  EmptyLogs scenario("Test (2D+): an election, and an empty log");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.Play();

  // S2 comes back, hears no leader, and asks S1, which does.
  tap.Drop(AppendEntries().To(2));
  tap.Drop(InstallSnapshots().To(2));
  tap.Drop(RequestVotes().From(2));
  const auto asks = RequestVotes().From(2).To(1);
  tap.Hold(asks);
  cluster.Connect(2);
  std::optional<TapMessage> ask;
  scenario.WaitUntil("S2 to ask S1 in a term new to it", [&] {
    const Term term = cluster.GetState(1).term;
    for (const TapMessage& held : tap.Held(asks)) {
      if (held.RequestTerm() > term) ask = held;
    }
    return ask.has_value();
  });
  EXPECT_FALSE(scenario.Answer(*ask).Agrees())
      << "S1 votes for S2, whose last entry is of an older term than the last "
      << "one that S1's snapshot covers, however long its log (5.4.1)";

  // S0 is lost, and S1 the only one that may lead.
  cluster.CrashServer(0);
  tap.ForgetAll();
  scenario.Elect(1);
  scenario.CommitUpTo(7, /*leader=*/1, /*servers=*/2);
  cluster.Restart(0);
  scenario.CommitUpTo(8, /*leader=*/1, /*servers=*/3);
  cluster.End();
}

// Figure 13, 7: a snapshot comes to a server that has another entry at the last
// index: its whole log goes. What is left of it shows when it asks for votes.
TEST(Raft2DScenario, SnapshotOverConflict) {
  EmptyLogs scenario("Test (2D+): a snapshot in place of a log that differs");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  const Term term = scenario.Play();
  cluster.Connect(2);
  tap.Await(InstallSnapshotReplies().From(2).Covering(6).Agreeing());
  for (const Match& message : {AppendEntries(), InstallSnapshots()}) {
    tap.Drop(message.To(2));
  }
  tap.Drop(RequestVotes().From(2));
  const TapMessage request = tap.Await(RequestVotes().From(2).After(tap.Now()));
  const auto& args = std::get<raft::RequestVoteArgs>(request.body);
  EXPECT_TRUE(args.last_log_index == 6 && args.last_log_term == term)
      << "S2 has a snapshot up to index 6 of term " << term << ", and asks for "
      << "votes with index " << args.last_log_index << " of term "
      << args.last_log_term << " as its last: its log had another entry at 6, "
      << "and so nothing of it may be left (Figure 13, 7)";

  tap.ForgetAll();
  cluster.Agree(500, /*servers=*/3, Retry::kYes);
  cluster.End();
}

// 7: a service takes its time, and gives a snapshot when its Raft has a newer
// one. S2 is about to deliver old entries while it gets a snapshot of more.
// Finds a Raft that takes it in place of the newer one, or delivers in another
// order.
TEST(Raft2DScenario, SnapshotOfABusyService) {
  SnapshotScenario scenario(/*servers=*/3,
                            "Test (2D+): a service that is slow to snapshot",
                            [](ServerId server, Index index) {
                              return server == 2 || index % 5 == 0;
                            });
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.Elect(0);
  cluster.PauseService(2, true);
  scenario.CommitUpTo(4, /*leader=*/0, /*servers=*/2);
  scenario.AwaitTwoHeartbeats(/*leader=*/0, /*follower=*/2);
  cluster.Disconnect(2);
  scenario.CommitUpTo(12, /*leader=*/0, /*servers=*/2);

  cluster.Connect(2);
  scenario.Elect(0);
  tap.Await(InstallSnapshots().To(2).WithItsEnd());
  // A Raft may answer only when its service has the snapshot.
  const Clock::time_point end = Clock::now() + std::chrono::seconds(1);
  scenario.WaitUntil("S2 to answer, or a second to pass", [&] {
    return tap.Count(InstallSnapshotReplies().From(2).Agreeing()) > 0 ||
           Clock::now() > end;
  });
  cluster.PauseService(2, false);
  scenario.CommitUpTo(13, /*leader=*/0, /*servers=*/3);
  cluster.Restart(2);
  scenario.CommitUpTo(14, /*leader=*/0, /*servers=*/3);
  cluster.End();
}

// A Raft whose service gives it each snapshot twice, and then the one before.
class AgainAndAgain : public raft::Raft {
 public:
  explicit AgainAndAgain(std::shared_ptr<raft::Raft> raft)
      : raft_(std::move(raft)) {}

  void Snapshot(Index index, base::Rope snapshot) override {
    raft_->Snapshot(index, snapshot);
    raft_->Snapshot(index, snapshot);
    if (before_ > 0) raft_->Snapshot(before_, snapshot_before_);
    before_ = index;
    snapshot_before_ = std::move(snapshot);
  }

  raft::StartResult Start(std::string_view command) override {
    return raft_->Start(command);
  }
  raft::State GetState() const override { return raft_->GetState(); }
  raft::Status GetStatus() const override { return raft_->GetStatus(); }
  std::vector<rpc::Service> Services() override { return raft_->Services(); }
  void Kill() override { raft_->Kill(); }

 private:
  const std::shared_ptr<raft::Raft> raft_;
  // The thread of the service alone uses these.
  Index before_ = 0;
  base::Rope snapshot_before_;
};

// 7: a snapshot that covers no more than the one that is there changes nothing.
TEST(Raft2DScenario, SameSnapshotAgain) {
  RaftCluster cluster(
      /*servers=*/3,
      {.snapshot_at = EveryFifthIndex,
       .make_raft = [](harness::Ends ends, ServerId me,
                       std::shared_ptr<persister::Persister> disk,
                       std::shared_ptr<raft::ApplyChannel> channel) {
         return std::make_shared<AgainAndAgain>(harness::MakeSeededRaft(
             std::move(ends), me, std::move(disk), std::move(channel)));
       }});
  cluster.Begin("Test (2D+): a snapshot again, and the one before");
  int command = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 12; ++i) {
      cluster.Agree(++command, /*servers=*/3, Retry::kYes);
    }
    for (ServerId i = 0; i < cluster.size(); ++i) cluster.CrashServer(i);
    for (ServerId i = 0; i < cluster.size(); ++i) cluster.Restart(i);
  }
  cluster.Agree(++command, /*servers=*/3, Retry::kYes);
  cluster.End();
}

// 7, Figure 13: a server that restarts has its snapshot for those that lack it,
// and what it saves next does not lose it. All crash, commit a command, and
// crash; then S2 comes, which was never there. Finds an instance that does not
// read its snapshot.
TEST(Raft2DScenario, SnapshotOfARestartedLeader) {
  SnapshotScenario scenario(/*servers=*/3,
                            "Test (2D+): a restarted leader and its snapshot",
                            EveryFifthIndex);
  RaftCluster& cluster = scenario.cluster;
  cluster.CrashServer(2);
  scenario.Elect(0);
  scenario.CommitUpTo(7, /*leader=*/0, /*servers=*/2);
  for (const Index last : {8, 9}) {
    for (const ServerId server : {0, 1}) cluster.CrashServer(server);
    for (const ServerId server : {0, 1}) cluster.Restart(server);
    scenario.Elect(0);
    scenario.CommitUpTo(last, /*leader=*/0, /*servers=*/2);
  }
  cluster.Restart(2);
  scenario.CommitUpTo(11, /*leader=*/0, /*servers=*/3);
  cluster.End();
}

// 5.4.2, Figure 8, 7: (a) to (d) where all before the entries is in snapshots,
// and S0, which comes back last, gets a snapshot in place of its own entry. S1
// to S5 of the figure are the servers 0 to 4 here.
TEST(Raft2DScenario, Figure8AfterSnapshot) {
  constexpr int64_t kEntry2 = 200;
  constexpr int64_t kEntry3 = 300;
  constexpr int64_t kEntry4 = 400;
  SnapshotScenario scenario(
      /*servers=*/5, "Test (2D+): Figure 8 after a snapshot",
      [](ServerId /*server*/, Index index) { return index >= 5; });
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  const auto acknowledged = [&](ServerId server, Term term) {
    tap.Await(AppendEntriesReplies()
                  .From(server)
                  .InTerm(term)
                  .Reaching(6)
                  .Agreeing());
  };
  scenario.Elect(2);
  scenario.CommitUpTo(5, /*leader=*/2, /*servers=*/5);
  scenario.AwaitSnapshots(5, {0, 1, 2, 3, 4});

  // (a) S0 has its entry on S1.
  const Term term_a = scenario.Elect(0);
  const int reaches = tap.Drop(AppendEntries().From(0).WithEntries().NotTo(1));
  EXPECT_EQ(scenario.Submit(0, kEntry2), 6U);
  acknowledged(1, term_a);

  // (b) S4 has another one, on no other.
  cluster.Disconnect(0);
  tap.Drop(AppendEntries().From(4).WithEntries());
  scenario.Elect(4);
  tap.Forget(reaches);
  EXPECT_EQ(scenario.Submit(4, kEntry3), 6U);

  // (c) S0 leads again; its entry reaches S2, and so a majority.
  cluster.Disconnect(4);
  cluster.Connect(0);
  tap.Drop(AppendEntries().From(0).To(3).WithEntries());
  const Term term_c = scenario.Elect(0);
  for (const ServerId follower : {1, 2}) acknowledged(follower, term_c);
  scenario.AwaitTwoHeartbeats(/*leader=*/0, /*follower=*/2);
  scenario.CheckNotApplied(6);

  // (d) S4 is elected, and its entry the one that counts.
  cluster.Disconnect(0);
  cluster.Connect(4);
  tap.ForgetAll();
  scenario.Elect(4);
  EXPECT_EQ(scenario.Submit(4, kEntry4), 7U);
  scenario.AwaitApplied(7, kEntry4, /*servers=*/4);
  scenario.AwaitApplied(6, kEntry3, /*servers=*/4);
  scenario.AwaitSnapshots(7, {1, 2, 3, 4});

  scenario.Heal();
  scenario.AwaitApplied(7, kEntry4, /*servers=*/5);
  scenario.AwaitApplied(6, kEntry3, /*servers=*/5);
  cluster.End();
}

}  // namespace
}  // namespace tests
