// The oracle's rules of snapshots: a history that breaks each of them, and one
// that comes as near as a correct Raft may.

#include <string>

#include "gtest/gtest.h"
#include "tests/unit/oracle/oracle_fixture.h"

namespace oracle {
namespace {

using Fate = Story::Fate;

// What the services give for index 3.
constexpr char kThree[] = "up to three";

// Server 0 leads term 1 of three, and has (1,1) to (4,1) on itself and on 1;
// both have applied up to 3. Server 2 has (1,1).
void Begin(Story* story) {
  story->Wins(0, 1, {1, 2});
  story->Save(0, 1, 0, {1, 1, 1, 1});
  story->Takes(0, 1, {.term = 1, .entries = {1, 1, 1, 1}}, {1, 1, 1, 1});
  story->Takes(0, 2, {.term = 1, .entries = {1}}, {1});
  story->Appends(0, 1, {.term = 1, .prev = 4, .prev_term = 1, .commit = 3});
  for (const raft::ServerId server : {0, 1}) {
    for (const raft::Index index : {1, 2, 3}) story->Apply(server, index, 1);
  }
}

// Server 0 has given that to its Raft, too.
void BeginWithSnapshot(Story* story) {
  Begin(story);
  story->Gives(0, 3, kThree);
  story->SaveSnapshot(0, 3, 1, {1}, kThree);
}

TEST(OracleSnapshots, AWholeStory) {
  for (const bool reads_disks : {true, false}) {
    Story story(/*servers=*/3, reads_disks);
    BeginWithSnapshot(&story);
    const uint64_t first =
        story.Installs(0, 2, {.index = 3, .data = "up to", .done = false});
    story.AnswerInstall(first, 1, false);
    const uint64_t second =
        story.Installs(0, 2, {.index = 3, .offset = 5, .data = " three"});
    story.SaveSnapshot(2, 3, 1, {}, kThree);
    story.AnswerInstall(second, 1, true);
    story.ApplySnapshot(2, 3, 1, kThree);
    story.Takes(0, 1, {.term = 1, .prev = 4, .prev_term = 1, .commit = 4},
                {1, 1, 1, 1});
    story.Appends(
        0, 2,
        {.term = 1, .prev = 3, .prev_term = 1, .entries = {1}, .commit = 4});
    story.SaveSnapshot(2, 3, 1, {1}, std::nullopt);
    story.Apply(2, 4, 1);
    story.Restart(2);
    story.SaveSnapshot(2, 3, 1, {1}, kThree);  // finds it
    story.ApplySnapshot(2, 3, 1, kThree);
    story.Appends(0, 2, {.term = 1, .prev = 4, .prev_term = 1, .commit = 4});
    story.Apply(2, 4, 1);
    story.Gives(2, 4, "up to four");
    story.SaveSnapshot(2, 4, 1, {}, "up to four");
    EXPECT_EQ(story.verdict(), "") << reads_disks;
  }
}

TEST(OracleSnapshots, TheServiceGivesWhatItHasApplied) {
  for (const raft::Index index : {3, 4}) {
    Story story;
    Begin(&story);
    story.Gives(0, index, "anything");
    EXPECT_EQ(story.Broke(kSnapshotCovers), index == 4) << story.verdict();
  }
}

TEST(OracleSnapshots, ADiskDiscardsUpToWhatItsServiceGave) {
  for (const raft::Index given : {2, 3}) {
    Story story;
    Begin(&story);
    story.Gives(0, given, kThree);
    story.Gives(1, 3, kThree);  // another's does not count
    story.SaveSnapshot(0, 3, 1, {1}, kThree);
    EXPECT_EQ(story.Broke(kSnapshotCovers), given == 2) << story.verdict();
  }
}

TEST(OracleSnapshots, AFollowerInstallsWhatWasSentToItsEnd) {
  for (const bool whole : {true, false}) {
    Story story;
    BeginWithSnapshot(&story);
    story.Installs(0, 2,
                   {.index = 3,
                    .data = std::string(kThree).substr(0, whole ? 11 : 5),
                    .done = whole});
    story.SaveSnapshot(2, 3, 1, {}, kThree);
    EXPECT_EQ(story.Broke(kSnapshotCovers), !whole) << story.verdict();
  }
}

TEST(OracleSnapshots, TheLastIncludedEntryIsCommitted) {
  Story term;  // another term than that of the entry
  Begin(&term);
  term.Gives(0, 3, kThree);
  term.SaveVote(0, 2, 0);
  term.SaveSnapshot(0, 3, 2, {}, kThree);
  EXPECT_TRUE(term.Broke(kSnapshotCovers)) << term.verdict();

  for (const raft::Index index : {3, 5}) {
    Story sent(/*servers=*/3, /*reads_disks=*/false);
    Begin(&sent);
    sent.Gives(0, 3, kThree);
    sent.Installs(0, 2, {.index = index, .data = kThree});
    EXPECT_EQ(sent.Broke(kSnapshotCovers), index == 5) << sent.verdict();
  }
}

TEST(OracleSnapshots, ALeaderSendsWhatWasGiven) {
  const struct {
    Story::Install install;
    bool is_right;
  } kCases[] = {
      {{.index = 3, .data = kThree}, true},
      {{.index = 3, .data = "up to", .done = false}, true},
      {{.index = 3, .offset = 6, .data = "three"}, true},
      {{.index = 2, .data = kThree}, false},
      {{.index = 3, .data = "up to", .done = true}, false},
      {{.index = 3, .data = kThree, .done = false}, false},
      {{.index = 3, .offset = 5, .data = "three", .done = false}, false},
      {{.index = 3, .offset = 12, .data = ""}, false},
      {{.index = 3, .data = "down"}, false},
  };
  for (const auto& it : kCases) {
    Story story(/*servers=*/3, /*reads_disks=*/false);
    Begin(&story);
    story.Gives(1, 3, kThree);
    story.Installs(0, 2, it.install);
    EXPECT_EQ(story.verdict().empty(), it.is_right) << it.install.data;
    EXPECT_EQ(story.Broke(kSnapshotContent), !it.is_right) << story.verdict();
  }
}

// Services may write the same state in different ways.
TEST(OracleSnapshots, TwoSnapshotsOfOneIndex) {
  Story story;
  BeginWithSnapshot(&story);
  story.Gives(1, 3, "1, 2, 3");
  story.SaveSnapshot(1, 3, 1, {1}, "1, 2, 3");
  EXPECT_EQ(story.verdict(), "");
  story.Installs(0, 2, {.index = 3, .data = "1, 2, 3"});
  EXPECT_EQ(story.verdict(), "");
  story.ApplySnapshot(2, 3, 1, "1, 2, three");
  EXPECT_TRUE(story.Broke(kSnapshotContent)) << story.verdict();
}

TEST(OracleSnapshots, DeliveriesMoveForward) {
  for (const raft::Index index : {2, 3}) {
    Story story;
    Begin(&story);
    story.Gives(0, 2, "up to two");
    story.Gives(0, 3, kThree);
    story.ApplySnapshot(0, index, 1, index == 2 ? "up to two" : kThree);
    EXPECT_EQ(story.Broke(kSnapshotsMoveForward), index == 2)
        << story.verdict();
  }
}

TEST(OracleSnapshots, DisksMoveForwardAcrossRestartsToo) {
  for (const bool restarts : {false, true}) {
    Story story;
    BeginWithSnapshot(&story);
    story.Gives(0, 2, "up to two");
    if (restarts) story.Restart(0);
    story.SaveSnapshot(0, 2, 1, {1, 1}, "up to two");
    EXPECT_TRUE(story.Broke(kSnapshotsMoveForward)) << story.verdict();
  }
}

TEST(OracleSnapshots, StateAndSnapshotBelongTogether) {
  Story kept;  // the state follows what the disk has no snapshot of
  Begin(&kept);
  kept.Gives(0, 3, kThree);
  kept.SaveSnapshot(0, 3, 1, {1}, std::nullopt);
  EXPECT_TRUE(kept.Broke(kSavedTogether)) << kept.verdict();

  Story early;  // the snapshot comes before its state
  Begin(&early);
  early.Gives(0, 3, kThree);
  early.SaveSnapshot(0, 0, 0, {1, 1, 1, 1}, kThree);
  EXPECT_TRUE(early.Broke(kSavedTogether)) << early.verdict();

  Story lost;  // a later save replaces it by nothing
  BeginWithSnapshot(&lost);
  lost.SaveSnapshot(0, 3, 1, {1, 1}, std::nullopt);
  EXPECT_EQ(lost.verdict(), "");
  lost.SaveSnapshot(0, 3, 1, {1, 1}, "");
  EXPECT_TRUE(lost.Broke(kSavedTogether)) << lost.verdict();
}

TEST(OracleSnapshots, WhatFollowsTheServicesSnapshotStays) {
  for (const bool stays : {true, false}) {
    Story story;
    Begin(&story);
    story.Save(1, 1, 0, {1, 1, 1, 1});
    story.Gives(1, 3, kThree);
    story.SaveSnapshot(1, 3, 1, stays ? Story::Terms{1} : Story::Terms{},
                       kThree);
    EXPECT_EQ(story.Broke(kKeptAfterSnapshot), !stays) << story.verdict();
  }
}

// Server 2 was not told yet that its entries are committed.
TEST(OracleSnapshots, WhatFollowsAnInstalledSnapshotStays) {
  for (const bool stays : {true, false}) {
    Story story;
    BeginWithSnapshot(&story);
    story.Appends(0, 2,
                  {.term = 1, .prev = 1, .prev_term = 1, .entries = {1, 1, 1}});
    story.SaveLog(2, 1, {1, 1, 1, 1});
    story.Installs(0, 2, {.index = 3, .data = kThree});
    story.SaveSnapshot(2, 3, 1, stays ? Story::Terms{1} : Story::Terms{},
                       kThree);
    EXPECT_EQ(story.Broke(kKeptAfterSnapshot), !stays) << story.verdict();
  }
}

// What follows need not be the leader's (Figure 13, rule 6): a later
// AppendEntries finds that. Nothing else may come there.
TEST(OracleSnapshots, WhatStaysIsWhatWasThere) {
  for (const raft::Term next : {1, 2}) {
    Story story;
    BeginWithSnapshot(&story);
    story.Appends(0, 2,
                  {.term = 1, .prev = 1, .prev_term = 1, .entries = {1, 1, 1}});
    story.SaveLog(2, 1, {1, 1, 1, 1});
    story.Wins(1, 2, {2}, 4, 1);
    story.Save(1, 2, 1, {1, 1, 1, 1, 2});
    story.Installs(1, 2, {.term = 2, .index = 3, .data = kThree});
    story.SaveSnapshot(2, 3, 1, {next}, kThree);
    EXPECT_EQ(story.Broke(kStoresWhatIsSent), next == 2) << story.verdict();
  }
}

// A log that conflicts with the snapshot goes (Figure 13, rule 7), whatever it
// has.
TEST(OracleSnapshots, AConflictingLogGoes) {
  for (const bool goes : {true, false}) {
    Story story(/*servers=*/5);
    story.Wins(4, 1, {3, 2});
    story.Save(4, 1, 4, {1, 1, 1, 1});
    story.Wins(0, 2, {1, 2});
    story.Save(0, 2, 0, {2, 2, 2, 2});
    for (const raft::ServerId follower : {1, 2}) {
      story.Takes(0, follower, {.term = 2, .entries = {2, 2, 2, 2}},
                  {2, 2, 2, 2});
    }
    for (const raft::Index index : {1, 2, 3}) story.Apply(0, index, 2);
    story.Gives(0, 3, kThree);
    story.SaveSnapshot(0, 3, 2, {2}, kThree);
    story.SaveVote(4, 2, raft::kNobody);
    const uint64_t call = story.Installs(
        0, 4, {.term = 2, .index = 3, .index_term = 2, .data = kThree});
    story.SaveSnapshot(4, 3, 2, goes ? Story::Terms{} : Story::Terms{1},
                       kThree);
    story.AnswerInstall(call, 2, true);
    EXPECT_EQ(story.verdict().empty(), goes) << story.verdict();
  }
}

TEST(OracleSnapshots, InstalledIsSaved) {
  for (const bool saved : {true, false}) {
    Story story;
    BeginWithSnapshot(&story);
    const uint64_t call = story.Installs(0, 2, {.index = 3, .data = kThree});
    if (saved) story.SaveSnapshot(2, 3, 1, {}, kThree);
    story.AnswerInstall(call, 1, true);
    EXPECT_EQ(story.Broke(kSavedBefore), !saved) << story.verdict();
  }
  // A log that has it all needs no snapshot.
  Story late;
  BeginWithSnapshot(&late);
  late.Takes(0, 2, {.term = 1, .entries = {1, 1, 1}, .commit = 3}, {1, 1, 1});
  late.AnswerInstall(late.Installs(0, 2, {.index = 3, .data = kThree}), 1,
                     true);
  EXPECT_EQ(late.verdict(), "");
}

// Not entry by entry, but the follower has it as well.
TEST(OracleSnapshots, InstalledCountsForCommitment) {
  Story story(/*servers=*/5);
  story.Wins(0, 1, {1, 2});
  story.Save(0, 1, 0, {1, 1, 1});
  for (const raft::ServerId follower : {1, 2}) {
    story.Takes(0, follower, {.term = 1, .entries = {1, 1, 1}}, {1, 1, 1});
  }
  for (const raft::Index index : {1, 2, 3}) story.Apply(0, index, 1);
  story.Gives(0, 3, kThree);
  story.SaveSnapshot(0, 3, 1, {1}, kThree);
  story.SaveVote(3, 1, raft::kNobody);
  const uint64_t call = story.Installs(0, 3, {.index = 3, .data = kThree});
  story.SaveSnapshot(3, 3, 1, {}, kThree);
  story.AnswerInstall(call, 1, true);
  const uint64_t next = story.Appends(
      0, 3, {.term = 1, .prev = 3, .prev_term = 1, .entries = {1}});
  story.SaveSnapshot(3, 3, 1, {1}, std::nullopt);
  story.AnswerAppend(next, 1, true);
  story.Takes(0, 1, {.term = 1, .prev = 3, .prev_term = 1, .entries = {1}},
              {1, 1, 1, 1});
  story.Apply(0, 4, 1);
  EXPECT_EQ(story.verdict(), "");
}

TEST(OracleSnapshots, ASnapshotIsFollowedByTheNextIndex) {
  for (const raft::Index next : {3, 4, 5}) {
    Story story;
    BeginWithSnapshot(&story);
    story.Installs(0, 2, {.index = 3, .data = kThree});
    story.SaveSnapshot(2, 3, 1, {}, kThree);
    story.ApplySnapshot(2, 3, 1, kThree);
    story.Appends(
        0, 2,
        {.term = 1, .prev = 3, .prev_term = 1, .entries = {1, 1}, .commit = 4});
    story.Apply(2, next, 1);
    EXPECT_EQ(story.Broke(kAppliesInOrder), next != 4) << story.verdict();
  }
}

// The service has read the snapshot itself, or gets it first.
TEST(OracleSnapshots, AnIncarnationBeginsAfterItsSnapshot) {
  for (const raft::Index first : {1, 3, 4}) {
    Story story;
    BeginWithSnapshot(&story);
    story.Takes(0, 1, {.term = 1, .prev = 4, .prev_term = 1, .commit = 4},
                {1, 1, 1, 1});
    story.Restart(0);
    story.SaveSnapshot(0, 3, 1, {1}, kThree);  // finds it
    story.State(0, 1, true);
    story.Apply(0, first, 1);
    EXPECT_EQ(story.Broke(kAppliesInOrder), first != 4) << story.verdict();
  }
}

TEST(OracleSnapshots, ADeliveredSnapshotIsVouchedFor) {
  for (const bool sent : {true, false}) {
    Story story(/*servers=*/3, /*reads_disks=*/false);
    BeginWithSnapshot(&story);
    story.Installs(0, 2, {.index = 3, .data = kThree},
                   sent ? Fate::kDelivered : Fate::kLost);
    story.ApplySnapshot(2, 3, 1, kThree);
    EXPECT_EQ(story.Broke(kFollowsCommit), !sent) << story.verdict();
  }
  Story early(/*servers=*/3, /*reads_disks=*/false);
  Begin(&early);
  early.Gives(0, 3, kThree);
  early.ApplySnapshot(0, 3, /*term=*/2, kThree);
  EXPECT_TRUE(early.Broke(kStateMachineSafety)) << early.verdict();
}

// An AppendEntries from before a follower's last included entry may be refused
// or taken; one from that entry on is taken.
TEST(OracleSnapshots, TheLastIncludedEntryIsThePrevious) {
  for (const raft::Index prev : {2, 3}) {
    Story story;
    BeginWithSnapshot(&story);
    const uint64_t call = story.Installs(0, 2, {.index = 3, .data = kThree});
    story.SaveSnapshot(2, 3, 1, {}, kThree);
    story.AnswerInstall(call, 1, true);
    story.AnswerAppend(
        story.Appends(0, 2, {.term = 1, .prev = prev, .prev_term = 1}), 1,
        false);
    EXPECT_EQ(story.Broke(kConsistencyCheck), prev == 3) << story.verdict();
  }
}

// The log of a voter whose entries a snapshot covers ends with the last of
// them.
TEST(OracleSnapshots, AnEmptyLogIsUpToDateByItsSnapshot) {
  for (const raft::Index last : {3, 4}) {
    Story story(/*servers=*/5);
    story.Wins(0, 1, {1, 2});
    story.Save(0, 1, 0, {1, 1, 1, 1});
    for (const raft::ServerId follower : {1, 2}) {
      story.Takes(0, follower, {.term = 1, .entries = {1, 1, 1, 1}},
                  {1, 1, 1, 1});
    }
    story.Appends(0, 1, {.term = 1, .prev = 4, .prev_term = 1, .commit = 4});
    for (const raft::Index index : {1, 2, 3, 4}) story.Apply(1, index, 1);
    story.Gives(1, 4, "up to four");
    story.SaveSnapshot(1, 4, 1, {}, "up to four");
    story.Wins(3, 2, {1}, last, 1);
    EXPECT_EQ(story.Broke(kElectionRestriction), last == 3) << story.verdict();
  }
}

// A log that is being repaired may end in an older term for a moment.
TEST(OracleSnapshots, AVoterMayBeRepairedBeforeItVotes) {
  Story story(/*servers=*/5);
  story.Wins(4, 3, {3, 2});
  story.Save(4, 3, 4, {3});
  const uint64_t call = story.Ask(3, 4, 5, 1, 2);
  story.Save(4, 4, raft::kNobody, {});
  story.SaveVote(4, 5, 3);
  story.SaveVote(3, 5, 3);
  story.AnswerVote(call, 5, true);
  EXPECT_FALSE(story.Broke(kElectionRestriction)) << story.verdict();
}

TEST(OracleSnapshots, WellFormed) {
  for (const raft::Term term : {0, 1, 2}) {
    Story story(/*servers=*/3, /*reads_disks=*/false);
    Begin(&story);
    story.Gives(0, 3, kThree);
    story.Installs(0, 2, {.index = 3, .index_term = term, .data = kThree});
    EXPECT_EQ(story.Broke(kWellFormed), term != 1) << story.verdict();
  }
  Story index;
  BeginWithSnapshot(&index);
  index.Installs(0, 2, {.index = 0});
  EXPECT_TRUE(index.Broke(kWellFormed)) << index.verdict();
}

// A cluster of one commits without messages.
TEST(OracleSnapshots, AClusterOfOne) {
  Story story(/*servers=*/1);
  story.SaveVote(0, 1, 0);
  story.Save(0, 1, 0, {1, 1});
  story.Apply(0, 1, 1);
  story.Gives(0, 1, "one");
  story.SaveSnapshot(0, 1, 1, {1}, "one");
  story.Restart(0);
  story.SaveSnapshot(0, 1, 1, {1}, "one");
  story.ApplySnapshot(0, 1, 1, "one");
  story.Apply(0, 2, 1);
  EXPECT_EQ(story.verdict(), "");
}

}  // namespace
}  // namespace oracle
