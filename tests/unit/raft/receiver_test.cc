// The receiver's side of Figure 2, rule by rule, on one server without threads:
// RequestVote, AppendEntries, and what must be on the disk by then.

#include <limits>
#include <set>

#include "gtest/gtest.h"
#include "tests/unit/raft/raft_fixture.h"

namespace raft {
namespace {

const Timing kTiming;

using Terms = std::vector<Term>;

std::vector<ApplyMsg> TakeDelivered(RaftFixture* f) {
  f->raft->Deliver();
  return f->channel->ReceiveBatch();
}

// --- All servers ------------------------------------------------------------

TEST(AllServers, ANewerTermInARequestMakesAFollower) {
  RaftFixture f;
  f.Elect();
  EXPECT_EQ(f.raft->GetState().term, 1u);
  EXPECT_TRUE(f.raft->GetState().is_leader);

  f.AskVote(/*term=*/7, /*candidate=*/2, /*last_index=*/0, /*last_term=*/0);
  EXPECT_EQ(f.raft->GetState().term, 7u);
  EXPECT_FALSE(f.raft->GetState().is_leader);
}

// The term counts even if the request itself is refused.
TEST(AllServers, ARefusedRequestStillRaisesTheTerm) {
  RaftFixture f;
  f.Append(/*term=*/2, 0, 0, {{2, "x"}});
  EXPECT_FALSE(f.AskVote(3, /*candidate=*/1, 0, 0).vote_granted);
  EXPECT_EQ(f.raft->GetState().term, 3u);
  EXPECT_EQ(f.raft->GetStatus().voted_for, kNobody);
}

TEST(AllServers, AnOlderTermIsRefusedAndChangesNothing) {
  RaftFixture f;
  f.Append(/*term=*/5, 0, 0, {{5, "x"}});
  const auto deadline = f.raft->election_deadline();

  const RequestVoteReply vote = f.AskVote(4, /*candidate=*/2, 9, 4);
  EXPECT_FALSE(vote.vote_granted);
  EXPECT_EQ(vote.term, 5u);
  const AppendEntriesReply append = f.Append(4, 0, 0, {{4, "y"}}, 1);
  EXPECT_FALSE(append.success);
  EXPECT_EQ(append.term, 5u);

  EXPECT_EQ(f.Terms(), (Terms{5}));
  EXPECT_EQ(f.commit_index(), 0u);
  EXPECT_EQ(f.raft->election_deadline(), deadline);
}

// --- RequestVote ------------------------------------------------------------

TEST(RequestVote, OneVotePerTerm) {
  RaftFixture f;
  EXPECT_TRUE(f.AskVote(1, /*candidate=*/1, 0, 0).vote_granted);
  EXPECT_FALSE(f.AskVote(1, /*candidate=*/2, 0, 0).vote_granted);
  EXPECT_TRUE(f.AskVote(1, /*candidate=*/1, 0, 0).vote_granted);  // repeated
  EXPECT_TRUE(f.AskVote(2, /*candidate=*/2, 0, 0).vote_granted);
}

TEST(RequestVote, ACandidateVotesForItself) {
  RaftFixture f;
  f.raft->StartElection();
  EXPECT_FALSE(f.AskVote(1, /*candidate=*/1, 5, 1).vote_granted);
  EXPECT_EQ(f.raft->GetStatus().voted_for, 0);
}

TEST(RequestVote, OnlyForAnUpToDateLog) {
  const struct {
    Index last_index;
    Term last_term;
    bool granted;
  } kCases[] = {{2, 3, true},  {3, 3, true},  {1, 4, true},
                {1, 3, false}, {9, 2, false}, {0, 0, false}};
  for (const auto& c : kCases) {
    RaftFixture f;
    f.Append(/*term=*/3, 0, 0, {{1, "x"}, {3, "y"}});
    EXPECT_EQ(
        f.AskVote(5, /*candidate=*/2, c.last_index, c.last_term).vote_granted,
        c.granted)
        << c.last_index << "," << c.last_term;
  }
}

TEST(RequestVote, OnlyAGrantResetsTheDeadline) {
  RaftFixture f;
  f.Append(/*term=*/3, 0, 0, {{3, "x"}});
  const auto deadline = f.raft->election_deadline();
  f.AskVote(5, /*candidate=*/1, 0, 0);  // refused, though in a newer term
  EXPECT_EQ(f.raft->election_deadline(), deadline);
  f.now += kTiming.max_election_timeout;
  f.AskVote(5, /*candidate=*/2, 1, 3);
  EXPECT_GE(f.raft->election_deadline(), f.now + kTiming.min_election_timeout);
}

// Two servers that have voted for the same candidate, and hear no more of it,
// would start their elections at the same time, again and again.
TEST(RequestVote, TheDeadlineAfterAGrantIsRandom) {
  RaftFixture f;
  std::set<Clock::duration> timeouts;
  for (Term term = 1; term <= 20; ++term) {
    EXPECT_TRUE(f.AskVote(term, /*candidate=*/1, 0, 0).vote_granted);
    timeouts.insert(f.raft->election_deadline() - f.now);
  }
  EXPECT_GT(timeouts.size(), 15u);
  EXPECT_GE(*timeouts.begin(), kTiming.min_election_timeout);
  EXPECT_LE(*timeouts.rbegin(), kTiming.max_election_timeout);
}

// A voter that forgot its vote in a crash could elect two leaders.
TEST(RequestVote, TheVoteSurvivesACrash) {
  RaftFixture f;
  EXPECT_TRUE(f.AskVote(4, /*candidate=*/1, 0, 0).vote_granted);
  const auto restarted = f.Restart();
  EXPECT_EQ(restarted->raft->GetState().term, 4u);
  EXPECT_FALSE(restarted->AskVote(4, /*candidate=*/2, 0, 0).vote_granted);
  EXPECT_TRUE(restarted->AskVote(4, /*candidate=*/1, 0, 0).vote_granted);
}

TEST(RequestVote, AMereNewerTermSurvivesACrash) {
  RaftFixture f;
  f.Append(/*term=*/2, 0, 0, {{2, "x"}});
  f.AskVote(9, /*candidate=*/1, 0, 0);  // refused
  EXPECT_EQ(f.Restart()->raft->GetState().term, 9u);
}

// --- AppendEntries ----------------------------------------------------------

TEST(AppendEntries, ConsistencyCheck) {
  const struct {
    const char* what;
    Index prev_index;
    Term prev_term;
    bool success;
    Term conflict_term;
    Index conflict_index;
  } kCases[] = {
      {"from the start", 0, 0, true, 0, 0},
      {"at the end", 4, 2, true, 0, 0},
      {"in the middle", 2, 1, true, 0, 0},
      {"beyond the end", 5, 2, false, 0, 5},
      {"far beyond the end", 99, 3, false, 0, 5},
      {"another term at the end", 4, 3, false, 2, 3},
      {"another term in the middle", 2, 2, false, 1, 1},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.what);
    RaftFixture f;
    f.Append(2, 0, 0, {{1, "a"}, {1, "b"}, {2, "c"}, {2, "d"}});

    // A heartbeat is checked like any other (success vouches for the log).
    const AppendEntriesReply reply =
        f.Append(/*term=*/3, c.prev_index, c.prev_term, {});
    EXPECT_EQ(reply.term, 3u);
    EXPECT_EQ(reply.success, c.success);
    EXPECT_EQ(reply.conflict_term, c.conflict_term);
    EXPECT_EQ(reply.conflict_index, c.conflict_index);
    EXPECT_EQ(f.Terms(), (Terms{1, 1, 2, 2}));
  }
}

TEST(AppendEntries, ARejectedOneStoresAndCommitsNothing) {
  RaftFixture f;
  f.Append(1, 0, 0, {{1, "a"}});
  EXPECT_FALSE(f.Append(2, 1, 2, {{2, "b"}}, /*commit=*/2).success);
  EXPECT_EQ(f.Terms(), (Terms{1}));
  EXPECT_EQ(f.commit_index(), 0u);
}

TEST(AppendEntries, AConflictDropsWhatFollows) {
  RaftFixture f;
  f.Append(1, 0, 0, {{1, "a"}, {1, "b"}, {1, "c"}});
  EXPECT_TRUE(f.Append(2, 1, 1, {{2, "B"}}).success);
  EXPECT_EQ(f.Terms(), (Terms{1, 2}));
}

TEST(AppendEntries, EveryEntryIsComparedNotOnlyTheFirst) {
  RaftFixture f;
  f.Append(2, 0, 0, {{1, "a"}, {1, "b"}, {2, "c"}, {2, "d"}});
  EXPECT_TRUE(f.Append(3, 0, 0, {{1, "a"}, {1, "b"}, {3, "C"}}).success);
  EXPECT_EQ(f.Terms(), (Terms{1, 1, 3}));
}

// A delayed request must not take back what a later one brought.
TEST(AppendEntries, ALateOneTruncatesNothing) {
  RaftFixture f;
  f.Append(1, 0, 0, {{1, "a"}});
  f.Append(1, 1, 1, {{1, "b"}, {1, "c"}});
  EXPECT_TRUE(f.Append(1, 0, 0, {{1, "a"}}).success);
  EXPECT_TRUE(f.Append(1, 1, 1, {}).success);
  EXPECT_EQ(f.Terms(), (Terms{1, 1, 1}));
}

TEST(AppendEntries, TheCommitIndexStopsAtWhatTheRequestVouchesFor) {
  RaftFixture f;
  f.Append(1, 0, 0, {{1, "a"}, {1, "b"}, {1, "old"}, {1, "old"}});
  // A new leader has committed 9 entries; this request covers the first two.
  f.Append(2, 1, 1, {{1, "b"}}, /*commit=*/9);
  EXPECT_EQ(f.commit_index(), 2u);
  f.Append(2, 2, 1, {}, /*commit=*/1);
  EXPECT_EQ(f.commit_index(), 2u);  // never lowered
}

TEST(AppendEntries, EvenAFailedOneOfThisTermResetsTheDeadline) {
  RaftFixture f;
  f.now += kTiming.max_election_timeout;
  EXPECT_FALSE(f.Append(1, 5, 1, {}).success);
  EXPECT_GE(f.raft->election_deadline(), f.now + kTiming.min_election_timeout);
}

TEST(AppendEntries, ACandidateFollowsTheLeaderOfItsTerm) {
  RaftFixture f;
  f.raft->StartElection();
  EXPECT_EQ(f.role(), Role::kCandidate);
  EXPECT_TRUE(f.Append(/*term=*/1, 0, 0, {}).success);
  EXPECT_EQ(f.role(), Role::kFollower);
  EXPECT_EQ(f.raft->GetStatus().voted_for,
            0);  // its vote in this term is spent
}

TEST(AppendEntries, EntriesSurviveACrash) {
  RaftFixture f;
  f.Append(1, 0, 0, {{1, "a"}, {1, "b"}, {1, "c"}});
  f.Append(2, 1, 1, {{2, "B"}}, /*commit=*/2);
  const auto restarted = f.Restart();
  EXPECT_EQ(restarted->Terms(), (Terms{1, 2}));
  EXPECT_EQ(restarted->raft->GetState().term, 2u);
  EXPECT_EQ(restarted->commit_index(), 0u);  // volatile
  EXPECT_EQ(restarted->raft->GetStatus().last_applied, 0u);
  EXPECT_EQ(restarted->raft->GetStatus().durable_index, 2u);
}

TEST(AppendEntries, TheCommittedAreDeliveredOnceAndInOrder) {
  RaftFixture f;
  f.Append(1, 0, 0, {{1, "a"}, {1, "b"}, {1, "c"}}, /*commit=*/2);
  std::vector<ApplyMsg> messages = TakeDelivered(&f);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].index, 1u);
  EXPECT_EQ(messages[0].command, "a");
  EXPECT_EQ(messages[1].index, 2u);
  EXPECT_EQ(messages[1].term, 1u);

  f.Append(1, 3, 1, {}, /*commit=*/3);
  messages = TakeDelivered(&f);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].index, 3u);
  EXPECT_EQ(messages[0].command, "c");
}

// A handler may be called late, by a network that still knows the server.
TEST(KilledRaft, AnswersNothing) {
  RaftFixture f;
  f.Append(3, 0, 0, {{3, "x"}});
  f.raft->Kill();
  EXPECT_EQ(f.AskVote(9, 1, 9, 9).term, 0u);
  EXPECT_EQ(f.Append(9, 0, 0, {}).term, 0u);
  EXPECT_FALSE(f.raft->Start("y").is_leader);
  EXPECT_EQ(f.raft->GetState().term, 3u);
}

TEST(KilledRaft, LeadsNoMoreAndTakesNothing) {
  RaftFixture f;
  f.Elect();
  f.raft->Start("taken");
  const base::Rope saved = f.disk->ReadRaftState();
  f.raft->Kill();
  const StartResult refused = f.raft->Start("late");
  EXPECT_FALSE(refused.is_leader);
  EXPECT_FALSE(refused.too_large);
  EXPECT_FALSE(f.raft->GetState().is_leader);
  EXPECT_EQ(f.role(), Role::kFollower);
  EXPECT_TRUE(f.raft->GetStatus().followers.empty());
  EXPECT_EQ(f.Terms(), (Terms{1}));
  EXPECT_EQ(f.disk->ReadRaftState(), saved);
  f.Beat(kTiming.heartbeat_interval);
  EXPECT_EQ(f.ends[1]->pending(), 0u);
}

// --- What only a bug can bring about ----------------------------------------

TEST(ReceiverDeathTest, TwoLeadersInOneTerm) {
  RaftFixture f;
  f.Elect();
  EXPECT_DEATH(f.Append(/*term=*/1, 0, 0, {}), "leads term 1 too");
}

TEST(ReceiverDeathTest, LosingACommittedEntry) {
  RaftFixture f;
  f.Append(1, 0, 0, {{1, "a"}, {1, "b"}}, /*commit=*/2);
  EXPECT_DEATH(f.Append(2, 1, 1, {{2, "B"}}),
               "a committed entry would be lost");
}

}  // namespace
}  // namespace raft
