// Scenario tests of part 2D (tests/harness/scenario.h): snapshots on their way,
// and messages that come when one is there already.
//
// How many messages carry a snapshot is the Raft's own affair. Where one is
// held up it is the one with its end; a Raft that sends its snapshots in chunks
// has begun the transfer then.

#include "gtest/gtest.h"
#include "tests/harness/raft_cluster.h"
#include "tests/harness/scenario.h"
#include "tests/raft/snapshot_scenario.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::AnyMessage, harness::AnyRequest;
using harness::AppendEntries;
using harness::InstallSnapshotReplies, harness::InstallSnapshots;
using harness::Place;
using harness::RaftCluster;
using harness::RequestVotes;
using harness::Retry;
using harness::Tap;
using harness::TapMessage;
using raft::Index;
using raft::ServerId;

const auto kSuite =
    runner::Suite::OfScenarios("Raft2DTransferScenario", "raft", "2D");

// All have entries up to `index`, and S0 leads. S2, but not S1, gets two more,
// which are committed by that; then it gets `late`. When S0 is lost, S1 and S2
// must still have them.
void CheckLateMessage(SnapshotScenario* scenario, Index index,
                      const TapMessage& late, Place place = Place::Here()) {
  RaftCluster& cluster = scenario->cluster;
  Tap& tap = scenario->tap;
  tap.Drop(AppendEntries().To(1).WithEntries());
  tap.Drop(RequestVotes().From(1));
  scenario->CommitUpTo(index + 2, /*leader=*/0, /*servers=*/2, place);
  scenario->Answer(late, place);

  cluster.CrashServer(0);
  tap.ForgetAll();
  const Index next = cluster.Agree(500, /*servers=*/2, Retry::kYes, place);
  EXPECT_GT(next, index + 2) << "what S2 had acknowledged is lost (5.4.3)";
  // What S2 has on its disk is the same.
  for (const ServerId server : {0, 2}) {
    cluster.Restart(server);
    cluster.Agree(501, /*servers=*/3, Retry::kYes, place);
  }
}

// Brings S2, which is down and lacks what S0 has discarded, up to date; returns
// what first carried the end of the snapshot to it, which is held.
TapMessage BringUpWithout(SnapshotScenario* scenario, Index index) {
  Tap& tap = scenario->tap;
  tap.Hold(InstallSnapshots().To(2).WithItsEnd());
  scenario->cluster.Restart(2);
  TapMessage held = tap.AwaitHeld(InstallSnapshots().To(2).WithItsEnd());
  tap.ForgetAll();
  scenario->CommitUpTo(index, /*leader=*/0, /*servers=*/3);
  return held;
}

// Figure 13, 5.3: an InstallSnapshot comes when its receiver has all that the
// snapshot covers, and more, by messages that were sent later. Finds one that
// discards its log then, or begins with the snapshot again.
TEST(Raft2DTransferScenario, LateSnapshot) {
  SnapshotScenario scenario(/*servers=*/3,
                            "Test (2D+): a snapshot after newer entries",
                            EveryFifthIndex);
  scenario.CommitWithout(2, 6);
  const TapMessage late = BringUpWithout(&scenario, 7);
  CheckLateMessage(&scenario, 7, late);
  scenario.cluster.End();
}

// Figure 13: and when it has a newer snapshot, which another InstallSnapshot
// brought. Finds one that takes the older one in its place.
TEST(Raft2DTransferScenario, OlderSnapshotLast) {
  SnapshotScenario scenario(/*servers=*/3,
                            "Test (2D+): a snapshot after a newer one",
                            EveryFifthIndex);
  RaftCluster& cluster = scenario.cluster;
  scenario.CommitWithout(2, 6);
  const TapMessage late = BringUpWithout(&scenario, 7);

  cluster.CrashServer(2);
  scenario.CommitUpTo(11, /*leader=*/0, /*servers=*/2);
  cluster.Restart(2);
  scenario.tap.Await(InstallSnapshotReplies().From(2).Covering(10).Agreeing());
  scenario.CommitUpTo(12, /*leader=*/0, /*servers=*/3);
  CheckLateMessage(&scenario, 12, late);
  cluster.End();
}

// 5.3, 7: an AppendEntries comes whose entries are all in a snapshot. Finds a
// receiver that looks for them below its first entry, or takes the snapshot for
// a conflict.
TEST(Raft2DTransferScenario, OldAppendAfterSnapshot) {
  SnapshotScenario scenario(
      /*servers=*/3, "Test (2D+): entries that are in a snapshot",
      [](ServerId server, Index index) { return server == 2 && index == 5; });
  Tap& tap = scenario.tap;
  scenario.Elect(0);
  tap.Hold(AppendEntries().From(0).To(2).WithEntries());
  scenario.CommitUpTo(1, /*leader=*/0, /*servers=*/2);
  const TapMessage old =
      tap.AwaitHeld(AppendEntries().From(0).To(2).WithEntries());
  tap.ForgetAll();
  scenario.CommitUpTo(6, /*leader=*/0, /*servers=*/3);
  CheckLateMessage(&scenario, 6, old);
  scenario.cluster.End();
}

// Figure 13, rule 6: S2 has all entries, more than the snapshot covers, and
// does not know yet that any of them is committed; then the snapshot comes.
// What follows it in the log stays, for S2 has acknowledged it.
TEST(Raft2DTransferScenario, SnapshotOfLessThanTheLog) {
  SnapshotScenario scenario(
      /*servers=*/3, "Test (2D+): a snapshot of less than the log",
      [](ServerId server, Index index) { return server == 0 && index == 5; });
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.Elect(0);
  const auto entries = AppendEntries().From(0).To(2).WithEntries();
  const auto snapshot = InstallSnapshots().From(0).To(2).WithItsEnd();
  tap.Hold(entries);
  tap.Hold(snapshot);
  const int cut = tap.Drop(AppendEntries().From(0).To(1).WithEntries());
  for (int i = 1; i <= 7; ++i) scenario.Submit(0, 100 + i);
  const TapMessage all = tap.AwaitHeld(entries.Reaching(7));
  tap.Forget(cut);
  const TapMessage late = tap.AwaitHeld(snapshot);

  tap.Drop(AppendEntries().From(0).To(2).After(tap.Now()));
  scenario.Answer(all);
  scenario.Answer(late);
  tap.ForgetAll();
  // S2 and S0 are a majority that holds them.
  cluster.CrashServer(1);
  scenario.AwaitApplied(7, 107, /*servers=*/2);
  cluster.Agree(200, /*servers=*/2, Retry::kYes);
  cluster.End();
}

// Figure 13: each message comes twice, and the first one, of which a copy came
// before, after others. Finds a receiver that takes what it has once more.
TEST(Raft2DTransferScenario, RepeatedSnapshot) {
  SnapshotScenario scenario(/*servers=*/3,
                            "Test (2D+): a snapshot that comes twice",
                            EveryFifthIndex, SnapshotScenario::kLarge);
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.CommitWithout(2, 7);

  tap.Hold(InstallSnapshots().To(2));
  cluster.Restart(2);
  const TapMessage first = tap.AwaitHeld(InstallSnapshots().To(2));
  tap.ForgetAll();
  tap.Duplicate(InstallSnapshots().To(2));
  tap.Await(InstallSnapshotReplies().From(2));
  scenario.Answer(first);
  scenario.CommitUpTo(8, /*leader=*/0, /*servers=*/3);
  cluster.Restart(2);
  scenario.CommitUpTo(9, /*leader=*/0, /*servers=*/3);
  cluster.End();
}

// The sender's term is over, and the receiver says so.
void CheckRefused(const TapMessage& answer) {
  EXPECT_FALSE(answer.Agrees());
  EXPECT_GT(answer.ReplyTerm(), answer.RequestTerm())
      << "S2 answers a leader of an older term as if it were in that (5.1)";
}

// 5.1, Figure 13: a leader is deposed in the middle of a transfer, and the next
// one sends another snapshot. Finds a receiver that makes one of both, or takes
// the end of the old one in the new term.
TEST(Raft2DTransferScenario, DeposedWhileSending) {
  SnapshotScenario scenario(
      /*servers=*/3, "Test (2D+): two leaders send a snapshot",
      [](ServerId server, Index index) {
        return (server == 0 && index == 5) || (server == 1 && index == 6);
      },
      SnapshotScenario::kLarge);
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.CommitWithout(2, 7);

  const auto ends = InstallSnapshots().To(2).WithItsEnd();
  tap.Hold(ends);
  cluster.Restart(2);
  const TapMessage old = tap.AwaitHeld(ends.From(0));
  scenario.Elect(1);
  tap.AwaitHeld(ends.From(1));
  CheckRefused(scenario.Answer(old));

  tap.ForgetAll();
  tap.ReleaseAll(&cluster, AnyMessage());
  scenario.CommitUpTo(8, /*leader=*/1, /*servers=*/3);
  cluster.Restart(2);
  scenario.CommitUpTo(9, /*leader=*/1, /*servers=*/3);
  cluster.End();
}

// 5.1, Figure 13: S2 follows S1 when the snapshot of S0 comes, which hears of
// nothing else. Finds a receiver that installs it, and a leader that takes no
// notice of the newer term in the answer.
TEST(Raft2DTransferScenario, SnapshotOfADeposedLeader) {
  SnapshotScenario scenario(
      /*servers=*/3, "Test (2D+): a snapshot of a deposed leader",
      [](ServerId server, Index index) { return server == 0 && index == 5; });
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.CommitWithout(2, 6);
  const auto snapshot = InstallSnapshots().From(0).To(2).WithItsEnd();
  tap.Hold(snapshot);
  cluster.Restart(2);
  const TapMessage old = tap.AwaitHeld(snapshot);

  tap.Drop(AnyRequest().To(0));
  tap.Drop(AppendEntries().From(0));
  tap.Drop(AppendEntries().To(2).WithEntries());
  scenario.Elect(1, {2});
  CheckRefused(scenario.Answer(old));
  // It may lead again at once, in a newer term.
  scenario.Require("S0 to leave the term that it led",
                   "a reply tells it of a newer one (5.1)", [&] {
                     return cluster.GetState(0).term > old.RequestTerm();
                   });

  tap.ForgetAll();
  tap.ReleaseAll(&cluster, AnyMessage());
  cluster.Agree(200, /*servers=*/3, Retry::kYes);
  cluster.End();
}

// 5.1, Figure 13: all that S2 hears of a new leader is its snapshot.
TEST(Raft2DTransferScenario, SnapshotOfANewLeader) {
  SnapshotScenario scenario(
      /*servers=*/3, "Test (2D+): a snapshot of a new leader",
      [](ServerId server, Index index) { return server == 1 && index == 6; });
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.Elect(0);
  scenario.CommitUpTo(2, /*leader=*/0, /*servers=*/3);
  cluster.CrashServer(2);
  scenario.Elect(1);
  tap.Drop(AppendEntries().To(2));
  tap.Drop(RequestVotes());
  scenario.CommitUpTo(7, /*leader=*/1, /*servers=*/2);

  cluster.Restart(2);
  const TapMessage answer = tap.Await(InstallSnapshotReplies().From(2));
  // It is in a newer one if it started an election before the snapshot came.
  EXPECT_GE(answer.ReplyTerm(), answer.RequestTerm())
      << "S2 does not take the term of its leader over (5.1)";
  tap.ForgetAll();
  cluster.Agree(200, /*servers=*/3, Retry::kYes);
  cluster.End();
}

// Figure 13: a follower crashes in the middle of a transfer, again and again.
// Finds a leader that goes on where the follower is not any more.
TEST(Raft2DTransferScenario, CrashWhileReceiving) {
  SnapshotScenario scenario(/*servers=*/3,
                            "Test (2D+): a crash while a snapshot comes",
                            EveryFifthIndex, SnapshotScenario::kLarge);
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.CommitWithout(2, 7);

  const auto ends = InstallSnapshots().To(2).WithItsEnd();
  tap.Hold(ends);
  for (int i = 0; i < 3; ++i) {
    const size_t now = tap.Now();
    cluster.Restart(2);
    tap.AwaitHeld(ends.After(now));
  }
  cluster.CrashServer(2);
  tap.ForgetAll();
  cluster.Restart(2);
  scenario.CommitUpTo(8, /*leader=*/0, /*servers=*/3);
  cluster.End();
}

// 7, Figure 13: a follower crashes right after it has said that it has the
// snapshot. Finds one that says so before it is on the disk.
TEST(Raft2DTransferScenario, CrashAfterInstalling) {
  SnapshotScenario scenario(/*servers=*/3,
                            "Test (2D+): a crash when a snapshot has come",
                            EveryFifthIndex);
  RaftCluster& cluster = scenario.cluster;
  scenario.CommitWithout(2, 7);
  cluster.Restart(2);
  scenario.tap.Await(InstallSnapshotReplies().From(2).Covering(5).Agreeing());
  cluster.CrashServer(2);
  EXPECT_GE(cluster.SnapshotIndexOnDisk(2), 5U)
      << "S2 has said that it has the snapshot, and crashed, and has it not on "
      << "its disk (7)";
  cluster.Restart(2);
  scenario.CommitUpTo(8, /*leader=*/0, /*servers=*/3);
  cluster.End();
}

// 7, Figure 13: a snapshot of ten megabytes comes over a network that loses
// messages, and commands go on meanwhile.
TEST(Raft2DTransferScenario, LargeSnapshotUnreliable) {
  RaftCluster cluster(
      /*servers=*/3,
      {.reliable = false,
       .snapshot_at = [](ServerId, Index index) { return index == 12; },
       .snapshot_padding = 10'000'000});
  cluster.Begin("Test (2D+): ten megabytes over an unreliable network");
  const ServerId absent = cluster.Next(cluster.CheckOneLeader());
  cluster.CrashServer(absent);
  for (int command = 100; command < 114; ++command) {
    cluster.Agree(command, /*servers=*/2, Retry::kYes);
  }

  cluster.Restart(absent);
  for (int command = 200; command < 220; ++command) {
    cluster.Agree(command, /*servers=*/2, Retry::kYes);
  }
  cluster.Agree(300, /*servers=*/3, Retry::kYes);
  cluster.End();
}

}  // namespace
}  // namespace tests
