// Section 7 and Figure 13, on one server without threads: what a leader sends
// of its snapshot.

#include <string>

#include "gtest/gtest.h"
#include "tests/unit/raft/raft_fixture.h"

namespace raft {
namespace {

const Timing kTiming;
constexpr size_t kChunk = 999'000;

// Leads term 2 with three entries of term 1, a snapshot of `bytes` bytes up to
// index 2, and nothing in flight but the first AppendEntries to S1, which S1
// has rejected: it has nothing.
struct Leading : RaftFixture {
  explicit Leading(size_t bytes) {
    Append(/*term=*/1, 0, 0, {{1, "a"}, {1, "b"}, {1, "c"}}, /*commit=*/3);
    raft->Deliver();
    snapshot = std::string(bytes, 's');
    raft->Snapshot(2, snapshot);
    Elect();
    EXPECT_EQ(ends[1]->Peek(kAppendEntries).prev_log_index, 3u);
    ends[1]->Answer(kAppendEntries, {2, false, /*conflict_term=*/0, 1});
  }
  InstallSnapshotArgs Chunk() const { return ends[1]->Peek(kInstallSnapshot); }
  InstallSnapshotArgs Store() {
    const InstallSnapshotArgs chunk = Chunk();
    ends[1]->Answer(kInstallSnapshot,
                    {2, false, chunk.offset + chunk.data.size()});
    return chunk;
  }
  void Install() { ends[1]->Answer(kInstallSnapshot, {2, true, 0}); }

  std::string snapshot;
};

TEST(SendSnapshot, ASmallOneIsOneCall) {
  Leading f(/*bytes=*/10);
  const InstallSnapshotArgs chunk = f.Chunk();
  EXPECT_EQ(chunk.term, 2u);
  EXPECT_EQ(chunk.leader_id, 0);
  EXPECT_EQ(chunk.last_included_index, 2u);
  EXPECT_EQ(chunk.last_included_term, 1u);
  EXPECT_EQ(chunk.offset, 0u);
  EXPECT_EQ(chunk.data, f.snapshot);
  EXPECT_TRUE(chunk.done);
  EXPECT_TRUE(f.follower(1).gets_snapshot);

  f.Install();
  EXPECT_EQ(f.follower(1).match_index, 2u);
  EXPECT_FALSE(f.follower(1).gets_snapshot);
  const AppendEntriesArgs rest = f.ends[1]->Peek(kAppendEntries);
  EXPECT_EQ(rest.prev_log_index, 2u);
  EXPECT_EQ(rest.prev_log_term, 1u);
  EXPECT_EQ(rest.entries.size(), 1u);
}

TEST(SendSnapshot, AnEmptyOneIsOneCall) {
  Leading f(/*bytes=*/0);
  EXPECT_TRUE(f.Chunk().done);
  EXPECT_TRUE(f.Chunk().data.empty());
}

TEST(SendSnapshot, ALargeOneGoesChunkByChunk) {
  for (const size_t bytes : {2 * kChunk, 2 * kChunk + 1}) {
    Leading f(bytes);
    std::string received;
    bool done = false;
    while (!done) {
      EXPECT_EQ(f.ends[1]->pending(), 1u);
      EXPECT_EQ(f.Chunk().offset, received.size());
      done = f.Chunk().done;
      received += f.Chunk().data;
      if (!done) f.Store();
    }
    EXPECT_EQ(received, f.snapshot);
    f.Install();
    EXPECT_EQ(f.follower(1).match_index, 2u);
  }
}

TEST(SendSnapshot, OnlyWhatTheLogHasNoMore) {
  for (const Index conflict_index : {2u, 3u}) {
    Leading f(/*bytes=*/kSmallSnapshotBytes + 1);
    f.Install();
    f.Append(/*term=*/3, 3, 1, {});
    f.Elect();
    f.ends[1]->Answer(kAppendEntries, {4, false, 0, conflict_index});
    if (conflict_index <= 2) {
      EXPECT_EQ(f.Chunk().last_included_index, 2u);
      f.ends[1]->Lose();
      f.Beat(kTiming.heartbeat_interval);
      EXPECT_TRUE(f.ends[1]->Peek(kAppendEntries).entries.empty());
    } else {
      EXPECT_EQ(f.ends[1]->Peek(kAppendEntries).prev_log_index, 2u);
    }
  }
}

// A follower that may be away gets heartbeats, not megabytes; it gets the chunk
// again as soon as it shows that it is there.
TEST(SendSnapshot, WhileAChunkIsUnansweredHeartbeatsGoOn) {
  Leading f(/*bytes=*/2 * kChunk);
  f.Store();
  const RecordingEnd::Sent unanswered = f.ends[1]->Take();
  for (int i = 0; i < 3; ++i) {
    f.Beat(kTiming.heartbeat_interval);
    ASSERT_EQ(f.ends[1]->pending(), 1u);
    EXPECT_TRUE(f.ends[1]->Peek(kAppendEntries).entries.empty());
    EXPECT_EQ(f.ends[1]->Peek(kAppendEntries).prev_log_index, 2u);
    f.ends[1]->Lose();
  }
  f.Beat(kTiming.heartbeat_interval);
  f.ends[1]->Answer(kAppendEntries, {2, false, 0, 1});
  EXPECT_EQ(f.Chunk().offset, kChunk);

  // The first answer comes after all; the second repeats it.
  unanswered.done(rpc::Encode(InstallSnapshotReply{2, true, 0}));
  EXPECT_EQ(f.follower(1).match_index, 2u);
  f.Install();
  EXPECT_EQ(f.follower(1).match_index, 2u);
}

TEST(SendSnapshot, ALostChunkIsSentAgainWhenTheFollowerAnswers) {
  Leading f(/*bytes=*/kSmallSnapshotBytes + 1);
  f.ends[1]->Lose();
  EXPECT_EQ(f.ends[1]->pending(), 0u) << "not in a tight loop";
  f.Beat(kTiming.heartbeat_interval);
  f.ends[1]->Answer(kAppendEntries, {2, false, 0, 1});
  EXPECT_TRUE(f.Chunk().done);
}

// A killed server that the network still knows answers with nothing in it.
TEST(SendSnapshot, AnEmptyAnswerCountsAsNone) {
  Leading f(/*bytes=*/10);
  f.ends[1]->Answer(kInstallSnapshot, InstallSnapshotReply());
  EXPECT_EQ(f.ends[1]->pending(), 0u) << "not in a tight loop";
  f.Beat(kTiming.laggard_interval);
  EXPECT_TRUE(f.Chunk().done);
}

TEST(SendSnapshot, ASmallOneThatWasLostIsSentAgainSoon) {
  Leading f(/*bytes=*/kSmallSnapshotBytes);
  f.ends[1]->Lose();
  EXPECT_EQ(f.ends[1]->pending(), 0u) << "not in a tight loop";
  f.Beat(kTiming.laggard_interval);
  EXPECT_TRUE(f.Chunk().done);
}

TEST(SendSnapshot, GoesOnWhereTheFollowerSays) {
  Leading f(/*bytes=*/3 * kChunk);
  f.Store();
  f.Store();
  EXPECT_EQ(f.Chunk().offset, 2 * kChunk);
  f.ends[1]->Answer(kInstallSnapshot, {2, false, 0});  // it has crashed
  EXPECT_EQ(f.Chunk().offset, 0u);
}

TEST(SendSnapshot, ALateAnswerToAnEarlierChunkIsOldNews) {
  Leading f(/*bytes=*/3 * kChunk);
  const RecordingEnd::Sent first = f.ends[1]->Take();
  f.Beat(kTiming.heartbeat_interval);
  f.ends[1]->Answer(kAppendEntries, {2, false, 0, 1});
  f.Store();  // the first again
  f.Store();
  EXPECT_EQ(f.Chunk().offset, 2 * kChunk);
  first.done(rpc::Encode(InstallSnapshotReply{2, false, kChunk}));
  EXPECT_EQ(f.ends[1]->pending(), 1u);
  EXPECT_EQ(f.Chunk().offset, 2 * kChunk);
}

// The service may take snapshots more often than one travels.
TEST(SendSnapshot, OneThatIsOnItsWayIsFinished) {
  Leading f(/*bytes=*/2 * kChunk);
  f.raft->Snapshot(3, "newer");
  f.Store();
  EXPECT_EQ(f.Chunk().last_included_index, 2u);
  f.Install();
  EXPECT_EQ(f.follower(1).match_index, 2u);
  EXPECT_EQ(f.Chunk().last_included_index, 3u);
  EXPECT_EQ(f.Chunk().offset, 0u);
  EXPECT_EQ(f.Chunk().data, "newer");
}

TEST(SendSnapshot, EntriesMayOvertakeIt) {
  Leading f(/*bytes=*/2 * kChunk);
  const RecordingEnd::Sent chunk = f.ends[1]->Take();
  f.Beat(kTiming.heartbeat_interval);
  f.ends[1]->Answer(kAppendEntries, {2, true, 0, 0});  // S1 has it all
  EXPECT_EQ(f.follower(1).match_index, 2u);
  EXPECT_FALSE(f.follower(1).gets_snapshot);
  EXPECT_EQ(f.ends[1]->Peek(kAppendEntries).entries.size(), 1u);
  chunk.done(rpc::Encode(InstallSnapshotReply{2, false, kChunk}));
  EXPECT_FALSE(f.follower(1).gets_snapshot);
}

TEST(SendSnapshot, ANewerTermDeposes) {
  Leading f(/*bytes=*/2 * kChunk);
  f.ends[1]->Answer(kInstallSnapshot, {7, false, 0});
  EXPECT_EQ(f.role(), Role::kFollower);
  EXPECT_EQ(f.raft->GetState().term, 7u);
  EXPECT_EQ(f.ends[1]->pending(), 0u);
}

TEST(SendSnapshot, AnAnswerOfAnEarlierTermIsOldNews) {
  Leading f(/*bytes=*/10);
  const RecordingEnd::Sent chunk = f.ends[1]->Take();
  f.Append(/*term=*/3, 3, 1, {});
  f.Elect();
  chunk.done(rpc::Encode(InstallSnapshotReply{2, true, 0}));
  EXPECT_EQ(f.follower(1).match_index, 0u);
}

// A follower that has been promised entries waits for their answer first.
TEST(SendSnapshot, NotWhileEntriesAreInFlight) {
  RaftFixture f;
  f.Elect();
  for (size_t i = 1; i < 3; ++i) {
    f.ends[i]->Answer(kAppendEntries, {1, true, 0, 0});
  }
  f.raft->Start("a");
  f.Beat(kTiming.laggard_interval);  // S2 gets it too, and does not answer
  f.ends[1]->Answer(kAppendEntries, {1, true, 0, 0});
  f.raft->Deliver();
  f.raft->Snapshot(1, "a");
  EXPECT_EQ(f.ends[2]->Peek(kAppendEntries).entries.size(), 1u);
  EXPECT_FALSE(f.follower(2).gets_snapshot);
  f.ends[2]->Answer(kAppendEntries, {1, true, 0, 0});
  EXPECT_FALSE(f.follower(2).gets_snapshot);
  EXPECT_EQ(f.follower(2).match_index, 1u);
}

// Entries wait a little for S2, which decides nothing. A snapshot just then
// must not cost it the service's whole state in place of one entry.
TEST(SendSnapshot, NotForEntriesThatAFollowerIsAboutToGet) {
  RaftFixture f;
  f.Elect();
  for (size_t i = 1; i < 3; ++i) {
    f.ends[i]->Answer(kAppendEntries, {1, true, 0, 0});
  }
  f.raft->Start("a");
  f.ends[1]->Answer(kAppendEntries, {1, true, 0, 0});
  f.raft->Deliver();
  EXPECT_EQ(f.ends[2]->pending(), 0u);
  f.raft->Snapshot(1, "a");
  f.Beat(kTiming.laggard_interval);
  EXPECT_FALSE(f.follower(2).gets_snapshot);
  ASSERT_EQ(f.ends[2]->pending(), 1u);
  EXPECT_EQ(f.ends[2]->Peek(kAppendEntries).entries.size(), 1u);
  f.ends[2]->Answer(kAppendEntries, {1, true, 0, 0});
  EXPECT_EQ(f.follower(2).match_index, 1u);
  f.raft->Start("b");
  f.Beat(kTiming.laggard_interval);
  EXPECT_EQ(f.ends[2]->Peek(kAppendEntries).prev_log_index, 1u);
}

// One whose last answer did not come is not waited for.
TEST(SendSnapshot, ForEntriesThatWereLost) {
  RaftFixture f;
  f.Elect();
  for (size_t i = 1; i < 3; ++i) {
    f.ends[i]->Answer(kAppendEntries, {1, true, 0, 0});
  }
  f.raft->Start("a");
  f.Beat(kTiming.laggard_interval);
  f.ends[2]->Lose();
  f.ends[1]->Answer(kAppendEntries, {1, true, 0, 0});
  f.raft->Deliver();
  f.raft->Snapshot(1, "a");
  EXPECT_EQ(f.ends[2]->pending(), 0u);
  f.Beat(kTiming.laggard_interval);
  EXPECT_EQ(f.ends[2]->Peek(kInstallSnapshot).last_included_index, 1u);
}

TEST(SendSnapshot, ASlowFollowerDecidesNothingMeanwhile) {
  Leading f(/*bytes=*/2 * kChunk);
  f.ends[2]->Answer(kAppendEntries, {2, true, 0, 0});
  f.raft->Start("d");
  const AppendEntriesArgs args = f.ends[2]->Peek(kAppendEntries);
  EXPECT_EQ(args.entries.size(), 1u) << "S2 makes the majority, at once";
  f.ends[2]->Answer(kAppendEntries, {2, true, 0, 0});
  EXPECT_EQ(f.commit_index(), 4u);
}

}  // namespace
}  // namespace raft
