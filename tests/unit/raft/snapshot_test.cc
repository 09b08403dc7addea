// Section 7 and Figure 13, rule by rule, on one server without threads: what
// Snapshot() discards, and what a follower installs.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/raft/raft_fixture.h"

namespace raft {
namespace {

const Timing kTiming;

std::vector<ApplyMsg> Deliver(RaftFixture* f) {
  f->raft->Deliver();
  return f->channel->ReceiveBatch();
}

// Four entries, all committed and delivered: terms 1, 1, 2, 2.
struct Applied : RaftFixture {
  Applied() {
    Append(/*term=*/2, 0, 0, {{1, "a"}, {1, "b"}, {2, "c"}, {2, "d"}},
           /*commit=*/4);
    EXPECT_EQ(Deliver(this).size(), 4u);
  }
  void Snapshot(Index index) { raft->Snapshot(index, "up to " + Text(index)); }
  static std::string Text(Index index) { return std::to_string(index); }
};

// What a leader of `term` sends first of a snapshot.
InstallSnapshotArgs ChunkOf(Term term, Index index, Term last_term,
                            std::string data, bool done = true) {
  return {.term = term,
          .leader_id = 1,
          .last_included_index = index,
          .last_included_term = last_term,
          .offset = 0,
          .data = std::move(data),
          .done = done};
}

// --- Snapshot() -------------------------------------------------------------

TEST(Snapshot, DiscardsTheEntriesThatItCovers) {
  Applied f;
  f.Snapshot(3);
  const Log log = f.raft->log();
  EXPECT_EQ(log.FirstIndex(), 4u);
  EXPECT_EQ(log.LastIndex(), 4u);
  EXPECT_EQ(log.last_included_term(), 2u);
  EXPECT_EQ(f.disk->ReadSnapshot(), "up to 3");
  EXPECT_EQ(f.raft->GetStatus().first_index, 4u);
}

TEST(Snapshot, MayCoverEverything) {
  Applied f;
  f.Snapshot(4);
  EXPECT_EQ(f.raft->log().LastIndex(), 4u);
  EXPECT_EQ(f.raft->log().LastTerm(), 2u);
  // The last included term decides an election as that of an entry does.
  EXPECT_FALSE(f.AskVote(3, 1, /*last_index=*/9, /*last_term=*/1).vote_granted);
  EXPECT_FALSE(f.AskVote(3, 1, /*last_index=*/3, /*last_term=*/2).vote_granted);
  EXPECT_TRUE(f.AskVote(3, 1, /*last_index=*/4, /*last_term=*/2).vote_granted);
  EXPECT_TRUE(f.Append(3, 4, 2, {{3, "e"}}, /*commit=*/5).success);
  EXPECT_EQ(Deliver(&f).at(0).index, 5u);
}

TEST(Snapshot, AnOlderOneIsIgnored) {
  Applied f;
  f.Snapshot(3);
  for (const Index index : {0u, 1u, 3u}) f.raft->Snapshot(index, "older");
  EXPECT_EQ(f.disk->ReadSnapshot(), "up to 3");
  EXPECT_EQ(f.raft->log().FirstIndex(), 4u);
  f.Snapshot(4);
  EXPECT_EQ(f.disk->ReadSnapshot(), "up to 4");
}

TEST(SnapshotDeathTest, WhatWasNotDeliveredCannotBeCovered) {
  Applied f;
  EXPECT_DEATH(f.Snapshot(5), "the entry at 5 was not delivered");
}

TEST(Snapshot, AKilledServerKeepsItsDisk) {
  Applied f;
  f.raft->Kill();
  f.Snapshot(3);
  EXPECT_TRUE(f.disk->ReadSnapshot().empty());
}

TEST(Snapshot, ARestartBeginsWithIt) {
  Applied f;
  f.Snapshot(3);
  const auto again = f.Restart();
  EXPECT_EQ(again->commit_index(), 3u);
  const std::vector<ApplyMsg> first = Deliver(again.get());
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].kind, ApplyMsg::Kind::kSnapshot);
  EXPECT_EQ(first[0].index, 3u);
  EXPECT_EQ(first[0].term, 2u);
  EXPECT_EQ(first[0].snapshot, "up to 3");

  again->Append(/*term=*/2, 4, 2, {}, /*commit=*/4);
  const std::vector<ApplyMsg> next = Deliver(again.get());
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0].kind, ApplyMsg::Kind::kCommand);
  EXPECT_EQ(next[0].index, 4u);
  EXPECT_EQ(next[0].command, "d");
}

// An instance that saves before it has loaded its snapshot would lose it.
TEST(Snapshot, EverySaveKeepsIt) {
  Applied f;
  f.Snapshot(3);
  const auto second = f.Restart();
  second->Append(/*term=*/3, 4, 2, {{3, "e"}});
  const auto third = second->Restart();
  EXPECT_EQ(third->disk->ReadSnapshot(), "up to 3");
  EXPECT_EQ(third->raft->log().LastIndex(), 5u);
}

TEST(SnapshotDeathTest, AnotherSnapshotThanTheRaftStatesIsDamage) {
  Applied f;
  f.Snapshot(3);
  const base::Rope state = f.disk->ReadRaftState();
  const auto with = [&](const char* snapshot) {
    auto disk = std::make_shared<persister::SimulatedDisk>();
    disk->Save(state, snapshot);
    RaftFixture(3, disk);
  };
  with("up to 3");
  EXPECT_DEATH(with("up to "), "has 6 bytes, but .* saved with one of 7");
  EXPECT_DEATH(with("up to 4"), "not the one that the raft state was saved");
  EXPECT_DEATH(with(""), "has 0 bytes");

  auto disk = std::make_shared<persister::SimulatedDisk>();
  disk->Save(base::Rope(), "up to 3");
  EXPECT_DEATH(RaftFixture(3, disk), "has 7 bytes, but .* saved with one of 0");
}

// --- AppendEntries that begin before the last included entry ----------------

TEST(Snapshot, WhatItCoversMatches) {
  Applied f;
  f.Snapshot(3);
  EXPECT_TRUE(f.Append(2, 0, 0, {{1, "a"}, {1, "b"}}).success);
  EXPECT_TRUE(f.Append(2, 1, 1, {}).success);
  EXPECT_EQ(f.raft->log().LastIndex(), 4u);

  EXPECT_TRUE(
      f.Append(2, 1, 1, {{1, "b"}, {2, "c"}, {2, "d"}, {2, "e"}}).success);
  EXPECT_EQ(f.raft->log().LastIndex(), 5u);
  EXPECT_EQ(f.raft->log().FirstIndex(), 4u);
}

TEST(Snapshot, AConflictIsSoughtOnlyAfterIt) {
  Applied f;
  f.Append(2, 4, 2, {{2, "e"}, {2, "f"}});
  f.Snapshot(3);
  const AppendEntriesReply reply = f.Append(4, 6, /*prev_term=*/3, {});
  EXPECT_FALSE(reply.success);
  EXPECT_EQ(reply.conflict_term, 2u);
  EXPECT_EQ(reply.conflict_index, 4u);
}

// --- InstallSnapshot, receiver ----------------------------------------------

TEST(InstallSnapshot, ReplacesALogThatDiffers) {
  RaftFixture f;
  f.Append(/*term=*/1, 0, 0, {{1, "a"}, {1, "x"}, {1, "y"}}, /*commit=*/1);
  const auto reply = f.raft->InstallSnapshot(ChunkOf(3, 3, 2, "abc"));
  EXPECT_EQ(reply.term, 3u);
  EXPECT_TRUE(reply.installed);
  EXPECT_EQ(f.raft->log().FirstIndex(), 4u);
  EXPECT_EQ(f.raft->log().LastIndex(), 3u);
  EXPECT_EQ(f.disk->ReadSnapshot(), "abc");
  EXPECT_EQ(f.commit_index(), 3u);

  // The entry at 1 was committed, but nothing before the snapshot comes any
  // more.
  const std::vector<ApplyMsg> delivered = Deliver(&f);
  ASSERT_EQ(delivered.size(), 1u);
  EXPECT_EQ(delivered[0].kind, ApplyMsg::Kind::kSnapshot);
  EXPECT_EQ(delivered[0].index, 3u);
  EXPECT_EQ(f.Restart()->raft->log().FirstIndex(), 4u);
}

TEST(InstallSnapshot, RetainsWhatFollowsAMatchingEntry) {
  RaftFixture f;
  f.Append(/*term=*/2, 0, 0, {{1, "a"}, {1, "b"}, {2, "c"}, {2, "d"}},
           /*commit=*/1);
  EXPECT_TRUE(f.raft->InstallSnapshot(ChunkOf(2, 3, 2, "abc")).installed);
  EXPECT_EQ(f.raft->log().FirstIndex(), 4u);
  EXPECT_EQ(f.raft->log().LastIndex(), 4u);
  f.Append(2, 4, 2, {}, /*commit=*/4);
  EXPECT_EQ(Deliver(&f).at(0).kind, ApplyMsg::Kind::kSnapshot);
  EXPECT_EQ(Deliver(&f).at(0).command, "d");
}

TEST(InstallSnapshot, ALateOneChangesNothing) {
  Applied f;
  f.Snapshot(3);
  for (const Index index : {1u, 3u, 4u}) {
    const auto reply = f.raft->InstallSnapshot(ChunkOf(2, index, 1, "late"));
    EXPECT_TRUE(reply.installed) << "all that it covers is here";
  }
  EXPECT_EQ(f.disk->ReadSnapshot(), "up to 3");
  EXPECT_EQ(f.raft->log().FirstIndex(), 4u);
  f.Append(2, 4, 2, {{2, "e"}}, /*commit=*/5);
  EXPECT_EQ(Deliver(&f).at(0).index, 5u) << "nothing is delivered again";
}

TEST(InstallSnapshot, AnOldTermIsRefused) {
  RaftFixture f;
  f.Append(/*term=*/3, 0, 0, {});
  const Clock::time_point deadline = f.raft->election_deadline();
  f.now += std::chrono::milliseconds(50);
  const auto reply = f.raft->InstallSnapshot(ChunkOf(2, 5, 1, "x"));
  EXPECT_EQ(reply.term, 3u);
  EXPECT_FALSE(reply.installed);
  EXPECT_EQ(f.raft->log().LastIndex(), 0u);
  EXPECT_EQ(f.raft->election_deadline(), deadline);
}

TEST(InstallSnapshot, IsASignOfALeader) {
  RaftFixture f;
  f.raft->StartElection();
  f.now += std::chrono::milliseconds(100);
  f.raft->InstallSnapshot(ChunkOf(1, 5, 1, "x", /*done=*/false));
  EXPECT_EQ(f.role(), Role::kFollower);
  EXPECT_EQ(f.raft->GetStatus().leader, 1);
  EXPECT_GE(f.raft->election_deadline(), f.now + kTiming.min_election_timeout);
}

TEST(InstallSnapshot, WhatNoPeerCanHaveSentIsDroppedAndCounted) {
  RaftFixture f;
  InstallSnapshotArgs stranger = ChunkOf(1, 5, 1, "x");
  stranger.leader_id = 3;
  f.raft->InstallSnapshot(stranger);
  f.raft->InstallSnapshot(ChunkOf(1, /*index=*/0, 1, "x"));
  f.raft->InstallSnapshot(ChunkOf(1, 5, /*last_term=*/0, "x"));
  f.raft->InstallSnapshot(ChunkOf(1, 5, /*last_term=*/2, "x"));
  EXPECT_EQ(f.raft->GetStatus().malformed_requests, 4u);
  EXPECT_EQ(f.raft->log().LastIndex(), 0u);
}

TEST(InstallSnapshot, ChunksMakeOne) {
  RaftFixture f;
  InstallSnapshotArgs chunk = ChunkOf(1, 5, 1, "abc", /*done=*/false);
  const auto send = [&](uint64_t offset, const char* data, bool done) {
    chunk.offset = offset;
    chunk.data = data;
    chunk.done = done;
    return f.raft->InstallSnapshot(chunk);
  };
  EXPECT_EQ(send(3, "def", false).next_offset, 0u) << "the first was lost";
  EXPECT_EQ(send(0, "abc", false).next_offset, 3u);
  EXPECT_EQ(send(0, "abc", false).next_offset, 3u) << "repeated";
  EXPECT_EQ(send(6, "g", true).next_offset, 3u) << "the second was lost";
  EXPECT_EQ(send(3, "def", false).next_offset, 6u);
  EXPECT_TRUE(f.disk->ReadSnapshot().empty());
  EXPECT_TRUE(send(6, "g", true).installed);
  EXPECT_EQ(f.disk->ReadSnapshot(), "abcdefg");
  EXPECT_TRUE(send(3, "def", false).installed) << "late";
}

TEST(InstallSnapshot, ANewerOneAndANewLeaderBeginAgain) {
  RaftFixture f;
  f.raft->InstallSnapshot(ChunkOf(1, 5, 1, "abc", /*done=*/false));
  f.raft->InstallSnapshot(ChunkOf(1, 8, 1, "xy", /*done=*/false));
  InstallSnapshotArgs older = ChunkOf(1, 5, 1, "def");
  for (const uint64_t offset : {2u, 3u}) {  // where either would go on
    older.offset = offset;
    const auto reply = f.raft->InstallSnapshot(older);
    EXPECT_EQ(reply.next_offset, 0u);
    EXPECT_FALSE(reply.installed);
  }

  // The bytes of another server's snapshot may be others.
  InstallSnapshotArgs other = ChunkOf(2, 8, 1, "z");
  other.offset = 2;
  EXPECT_EQ(f.raft->InstallSnapshot(other).next_offset, 0u);
  other.offset = 0;
  EXPECT_TRUE(f.raft->InstallSnapshot(other).installed);
  EXPECT_EQ(f.disk->ReadSnapshot(), "z");
}

TEST(InstallSnapshot, WhatIsIncompleteGoesWithTheIncarnation) {
  RaftFixture f;
  f.raft->InstallSnapshot(ChunkOf(1, 5, 1, "abc", /*done=*/false));
  const auto again = f.Restart();
  InstallSnapshotArgs rest = ChunkOf(1, 5, 1, "def");
  rest.offset = 3;
  const auto reply = again->raft->InstallSnapshot(rest);
  EXPECT_FALSE(reply.installed);
  EXPECT_EQ(reply.next_offset, 0u);
}

// The log may get there first, by another leader's entries.
TEST(InstallSnapshot, WhatIsIncompleteIsForgottenWhenTheLogHasItAll) {
  RaftFixture f;
  f.raft->InstallSnapshot(ChunkOf(1, 2, 1, "ab", /*done=*/false));
  f.Append(1, 0, 0, {{1, "a"}, {1, "b"}}, /*commit=*/2);
  InstallSnapshotArgs rest = ChunkOf(1, 2, 1, "c");
  rest.offset = 2;
  EXPECT_TRUE(f.raft->InstallSnapshot(rest).installed);
  EXPECT_TRUE(f.disk->ReadSnapshot().empty());
  EXPECT_EQ(Deliver(&f).at(0).command, "a");
}

TEST(InstallSnapshot, WhatIsIncompleteGoesOnWhileLessIsCommitted) {
  RaftFixture f;
  f.raft->InstallSnapshot(ChunkOf(1, 5, 1, "abc", /*done=*/false));
  f.Append(1, 0, 0, {{1, "a"}, {1, "b"}}, /*commit=*/2);
  InstallSnapshotArgs rest = ChunkOf(1, 5, 1, "de");
  rest.offset = 3;
  EXPECT_TRUE(f.raft->InstallSnapshot(rest).installed);
  EXPECT_EQ(f.disk->ReadSnapshot(), "abcde");
}

TEST(InstallSnapshot, AKilledServerAnswersNothing) {
  RaftFixture f;
  f.Append(3, 0, 0, {});
  f.raft->Kill();
  EXPECT_EQ(f.raft->InstallSnapshot(ChunkOf(9, 5, 1, "x")).term, 0u);
  EXPECT_EQ(f.raft->GetState().term, 3u);
}

TEST(InstallSnapshotDeathTest, TwoLeadersInOneTerm) {
  RaftFixture f;
  f.Elect();
  EXPECT_DEATH(f.raft->InstallSnapshot(ChunkOf(1, 5, 1, "x")),
               "leads term 1 too");
}

}  // namespace
}  // namespace raft
