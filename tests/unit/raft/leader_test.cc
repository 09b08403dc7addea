// The sender's side of Figure 2, rule by rule, on one server without threads:
// counting votes, replicating, backing up, committing, and judging late
// replies.

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/raft/raft_fixture.h"

namespace raft {
namespace {

const Timing kTiming;

constexpr AppendEntriesReply Success(Term term) {
  return {term, /*success=*/true, 0, 0};
}
constexpr AppendEntriesReply Conflicts(Term term, Term conflict_term,
                                       Index conflict_index) {
  return {term, /*success=*/false, conflict_term, conflict_index};
}

// --- Candidates -------------------------------------------------------------

TEST(Candidate, ANewServerWaitsForALeaderFirst) {
  RaftFixture f;
  EXPECT_GE(f.raft->election_deadline(), f.now + Timing().min_election_timeout);
}

TEST(Candidate, AsksEverybodyElseWithItsLastEntry) {
  RaftFixture f(/*servers=*/5);
  f.Append(/*term=*/4, 0, 0, {{2, "a"}, {4, "b"}});
  f.raft->StartElection();
  EXPECT_EQ(f.ends[0]->pending(), 0u);
  for (size_t i = 1; i < 5; ++i) {
    const RequestVoteArgs args = f.ends[i]->Peek(kRequestVote);
    EXPECT_EQ(args.term, 5u);
    EXPECT_EQ(args.candidate_id, 0);
    EXPECT_EQ(args.last_log_index, 2u);
    EXPECT_EQ(args.last_log_term, 4u);
  }
}

TEST(Candidate, LeadsWithAMajorityAndNotBefore) {
  RaftFixture f(/*servers=*/5);
  f.raft->StartElection();
  f.ends[1]->Answer(kRequestVote, {1, false});
  f.ends[2]->Answer(kRequestVote, {1, true});
  EXPECT_EQ(f.role(), Role::kCandidate);
  f.ends[4]->Answer(kRequestVote, {1, true});
  EXPECT_EQ(f.role(), Role::kLeader);
}

TEST(Candidate, ALeaderSpeaksToEverybodyAtOnce) {
  RaftFixture f;
  f.Append(/*term=*/1, 0, 0, {{1, "a"}});
  f.Elect();
  for (size_t i = 1; i < 3; ++i) {
    const AppendEntriesArgs args = f.ends[i]->Peek(kAppendEntries);
    EXPECT_EQ(args.term, 2u);
    EXPECT_EQ(args.leader_id, 0);
    EXPECT_EQ(args.prev_log_index, 1u);
    EXPECT_EQ(args.prev_log_term, 1u);
    EXPECT_TRUE(args.entries.empty());
  }
  // No entry of the leader's own: the next command's index is the next one.
  EXPECT_EQ(f.raft->Start("b").index, 2u);
}

TEST(Candidate, VotesOfAnEarlierElectionDoNotCount) {
  RaftFixture f;
  f.raft->StartElection();
  const RecordingEnd::Sent late = f.ends[1]->Take();
  f.raft->StartElection();
  late.done(rpc::Encode(RequestVoteReply{1, true}));
  EXPECT_EQ(f.role(), Role::kCandidate);
  EXPECT_EQ(f.raft->GetState().term, 2u);
}

TEST(Candidate, TheSameVoterCountsOnce) {
  RaftFixture f(/*servers=*/5);
  f.raft->StartElection();
  const RecordingEnd::Sent sent = f.ends[1]->Take();
  for (int i = 0; i < 3; ++i) {
    sent.done(rpc::Encode(RequestVoteReply{1, true}));
  }
  EXPECT_EQ(f.role(), Role::kCandidate);
}

TEST(Candidate, ANewerTermInAReplyEndsTheCandidacy) {
  RaftFixture f;
  f.raft->StartElection();
  f.ends[1]->Answer(kRequestVote, {6, false});
  EXPECT_EQ(f.role(), Role::kFollower);
  EXPECT_EQ(f.raft->GetState().term, 6u);
  EXPECT_EQ(f.Restart()->raft->GetState().term, 6u);
}

TEST(Candidate, AClusterOfOneElectsItselfAndCommits) {
  RaftFixture f(/*servers=*/1);
  f.raft->StartElection();
  EXPECT_TRUE(f.raft->GetState().is_leader);
  EXPECT_EQ(f.raft->Start("a").index, 1u);
  EXPECT_EQ(f.commit_index(), 1u);
}

// --- Leaders: commitment ----------------------------------------------------

TEST(Leader, StartIsRefusedByOthers) {
  RaftFixture f;
  EXPECT_FALSE(f.raft->Start("a").is_leader);
  f.raft->StartElection();
  EXPECT_FALSE(f.raft->Start("a").is_leader);
  EXPECT_TRUE(f.Terms().empty());
}

TEST(Leader, StartIsOnTheDiskBeforeItReturns) {
  RaftFixture f;
  f.Elect();
  f.raft->Start("a");
  f.raft->Start("b");
  EXPECT_EQ(f.Restart()->Terms(), (std::vector<Term>{1, 1}));
}

TEST(Leader, CommitsWhatAMajorityHolds) {
  RaftFixture f(/*servers=*/5);
  f.Elect();
  for (size_t i = 1; i < 5; ++i) f.ends[i]->Answer(kAppendEntries, Success(1));
  f.raft->Start("a");
  EXPECT_EQ(f.ends[1]->Answer(kAppendEntries, Success(1)).entries.size(), 1u);
  EXPECT_EQ(f.commit_index(), 0u);
  f.ends[2]->Answer(kAppendEntries, Success(1));
  EXPECT_EQ(f.commit_index(), 1u);
}

// Figure 8: an entry of an older term is on a majority, and may still be lost;
// it commits with the first one of the leader's own term.
TEST(Leader, CommitsByCountingOnlyEntriesOfItsTerm) {
  RaftFixture f;
  f.Append(/*term=*/2, 0, 0, {{2, "old"}});
  f.raft->StartElection();  // term 3
  f.ends[1]->Answer(kRequestVote, {3, true});
  f.ends[1]->Answer(kAppendEntries, Success(3));
  EXPECT_EQ(f.follower(1).match_index, 1u);
  EXPECT_EQ(f.commit_index(), 0u);

  f.raft->Start("new");
  f.ends[1]->Answer(kAppendEntries, Success(3));
  EXPECT_EQ(f.commit_index(), 2u);
}

TEST(Leader, TellsFollowersOfTheCommitIndexSoon) {
  RaftFixture f;
  f.Elect();
  for (size_t i = 1; i < 3; ++i) f.ends[i]->Answer(kAppendEntries, Success(1));
  f.raft->Start("a");
  f.Beat(
      kTiming.laggard_interval);  // the peer that decides nothing gets it too
  for (size_t i = 1; i < 3; ++i) f.ends[i]->Answer(kAppendEntries, Success(1));
  EXPECT_EQ(f.ends[1]->pending(), 0u);

  f.Beat(kTiming.commit_notice_delay);
  for (size_t i = 1; i < 3; ++i) {
    const AppendEntriesArgs args = f.ends[i]->Peek(kAppendEntries);
    EXPECT_EQ(args.leader_commit, 1u);
    EXPECT_TRUE(args.entries.empty());
  }
}

// --- Leaders: replication ---------------------------------------------------

TEST(Leader, EntriesSubmittedMeanwhileGoTogether) {
  RaftFixture f;
  f.Elect();
  f.ends[1]->Answer(kAppendEntries, Success(1));
  f.raft->Start("a");
  f.raft->Start("b");
  f.raft->Start("c");
  EXPECT_EQ(f.ends[1]->pending(), 1u);
  EXPECT_EQ(f.ends[1]->Answer(kAppendEntries, Success(1)).entries.size(), 1u);
  const AppendEntriesArgs next = f.ends[1]->Peek(kAppendEntries);
  EXPECT_EQ(next.prev_log_index, 1u);
  EXPECT_EQ(next.entries.size(), 2u);
}

// A peer that does not answer holds up neither the others nor its heartbeats.
TEST(Leader, BeatsOnTheClockWhateverIsOutstanding) {
  RaftFixture f;
  f.Elect();
  for (size_t beat = 1; beat <= 3; ++beat) {
    f.Beat(kTiming.heartbeat_interval);
    EXPECT_EQ(f.ends[1]->pending(), 1 + beat);
    EXPECT_EQ(f.ends[2]->pending(), 1 + beat);
  }
}

TEST(Leader, ABeatRepeatsEntriesOnlyOnceTheyAreOld) {
  RaftFixture f;
  f.Elect();
  for (size_t i = 1; i < 3; ++i) f.ends[i]->Answer(kAppendEntries, Success(1));
  f.raft->Start("a");
  EXPECT_EQ(f.ends[1]->pending(), 1u);
  f.Beat(kTiming.heartbeat_interval / 2);
  EXPECT_EQ(f.ends[1]->pending(), 1u);  // young
  f.Beat(kTiming.heartbeat_interval / 2);
  EXPECT_EQ(f.ends[1]->pending(), 2u);
  f.ends[1]->Take();
  EXPECT_EQ(f.ends[1]->Peek(kAppendEntries).entries.size(), 1u);
}

TEST(Leader, ALostOneIsSentAgainButNotInATightLoop) {
  RaftFixture f;
  f.Elect();
  for (size_t i = 1; i < 3; ++i) f.ends[i]->Answer(kAppendEntries, Success(1));
  f.raft->Start("a");
  f.ends[1]->Lose();
  EXPECT_EQ(f.ends[1]->pending(), 0u);
  f.Beat(kTiming.laggard_interval);
  EXPECT_EQ(f.ends[1]->Peek(kAppendEntries).entries.size(), 1u);
}

TEST(Leader, BacksUpByATermAtATime) {
  const struct {
    const char* what;
    Term conflict_term;
    Index conflict_index;
    Index next;
  } kCases[] = {
      {"too short", 0, 4, 4},
      {"empty", 0, 1, 1},
      {"a term the leader has: after its last entry of it", 4, 4, 6},
      {"a term the leader never had", 3, 7, 7},
      {"a newer term than the leader's there", 7, 9, 9},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.what);
    RaftFixture f;  // Figure 7's leader
    f.Append(/*term=*/7, 0, 0,
             {{1, "x"},
              {1, "x"},
              {1, "x"},
              {4, "x"},
              {4, "x"},
              {5, "x"},
              {5, "x"},
              {6, "x"},
              {6, "x"},
              {6, "x"}});
    f.Elect();
    EXPECT_EQ(f.follower(1).next_index, 11u);
    f.ends[1]->Answer(kAppendEntries,
                      Conflicts(8, c.conflict_term, c.conflict_index));
    EXPECT_EQ(f.follower(1).next_index, c.next);

    // It tries again at once, with all that may be missing.
    const AppendEntriesArgs retry = f.ends[1]->Peek(kAppendEntries);
    EXPECT_EQ(retry.prev_log_index, c.next - 1);
    EXPECT_EQ(retry.entries.size(), 11 - c.next);
  }
}

// It has lost its disk: there is nothing to back up to, and it must not be
// asked again and again at full speed.
TEST(Leader, NeverBacksUpBelowWhatMatches) {
  RaftFixture f;
  f.Append(/*term=*/1, 0, 0, {{1, "x"}, {1, "x"}});
  f.Elect();
  f.ends[1]->Answer(kAppendEntries, Success(2));
  f.raft->Start("y");
  EXPECT_EQ(
      f.ends[1]->Answer(kAppendEntries, Conflicts(2, 0, 1)).prev_log_index, 2u);
  EXPECT_EQ(f.follower(1).match_index, 2u);
  EXPECT_EQ(f.follower(1).next_index, 3u);
  EXPECT_EQ(f.ends[1]->pending(), 0u);
  f.Beat(kTiming.laggard_interval);
  EXPECT_EQ(f.ends[1]->pending(), 1u);
}

// A killed server that the network still knows answers with nothing in it.
TEST(Leader, AnEmptyAnswerCountsAsNone) {
  RaftFixture f;
  f.Append(/*term=*/1, 0, 0, {{1, "x"}, {1, "x"}});
  f.Elect();
  f.raft->Start("y");
  f.ends[1]->Answer(kAppendEntries, AppendEntriesReply());
  EXPECT_EQ(f.follower(1).next_index, 3u);
  f.Beat(kTiming.heartbeat_interval);
  for (int i = 0; i < 2; ++i) {
    f.ends[1]->Answer(kAppendEntries, AppendEntriesReply());
  }
  EXPECT_EQ(f.ends[1]->pending(), 0u);
  f.Beat(kTiming.laggard_interval);
  EXPECT_EQ(f.ends[1]->pending(), 1u);
}

// --- Leaders: which followers get entries at once
// --------------------------------------

// A leader of five, all of whose followers have answered its first message.
std::unique_ptr<RaftFixture> SettledLeaderOfFive() {
  auto f = std::make_unique<RaftFixture>(/*servers=*/5);
  f->Elect();
  for (size_t i = 1; i < 5; ++i) {
    f->ends[i]->Answer(kAppendEntries, Success(1));
  }
  return f;
}

std::vector<size_t> Pending(const RaftFixture& f) {
  std::vector<size_t> pending;
  for (size_t i = 1; i < 5; ++i) pending.push_back(f.ends[i]->pending());
  return pending;
}

TEST(Leader, SendsToAMajorityAtOnceAndToTheOthersSoon) {
  const auto f = SettledLeaderOfFive();
  f->raft->Start("a");
  EXPECT_EQ(Pending(*f), (std::vector<size_t>{1, 1, 0, 0}));
  f->Beat(kTiming.laggard_interval);
  EXPECT_EQ(Pending(*f), (std::vector<size_t>{1, 1, 1, 1}));
}

TEST(Leader, OthersTakeThePlaceOfASilentPeer) {
  const auto f = SettledLeaderOfFive();
  f->raft->Start("a");
  f->ends[2]->Answer(kAppendEntries, Success(1));
  f->Beat(kTiming.responsive_time);  // 1 is silent; 3 and 4 have got it by now
  for (size_t i = 3; i < 5; ++i) {
    f->ends[i]->Answer(kAppendEntries, Success(1));
  }
  f->raft->Start("b");
  EXPECT_EQ(f->ends[2]->Peek(kAppendEntries).entries.size(), 1u);
  EXPECT_EQ(f->ends[3]->Peek(kAppendEntries).entries.size(), 1u);
  EXPECT_EQ(f->ends[4]->pending(), 0u);
}

TEST(Leader, MuchWaitsForNobody) {
  const auto f = SettledLeaderOfFive();
  f->raft->Start(std::string(kMaxLaggardBytes, 'x'));
  EXPECT_EQ(Pending(*f), (std::vector<size_t>{1, 1, 1, 1}));
}

TEST(Leader, NewsOfACommitRepeatsNoEntriesThatAreInFlight) {
  const auto f = SettledLeaderOfFive();
  f->raft->Start("a");
  f->ends[1]->Answer(kAppendEntries, Success(1));
  f->raft->Start("b");  // on its way to S1
  f->ends[2]->Answer(kAppendEntries, Success(1));
  EXPECT_EQ(f->commit_index(), 1u);
  f->Beat(kTiming.commit_notice_delay);
  ASSERT_EQ(f->ends[1]->pending(), 2u);
  f->ends[1]->Take();
  const AppendEntriesArgs news = f->ends[1]->Peek(kAppendEntries);
  EXPECT_EQ(news.leader_commit, 1u);
  EXPECT_TRUE(news.entries.empty());
}

TEST(Leader, TheFirstServerGetsEntriesAtOnceToo) {
  const auto first = std::make_shared<RecordingEnd>();
  RaftServer raft({first, nullptr}, /*me=*/1,
                  std::make_shared<persister::SimulatedDisk>(),
                  std::make_shared<ApplyChannel>(1), Options());
  raft.StartElection();
  first->Answer(kRequestVote, RequestVoteReply{1, true});
  first->Answer(kAppendEntries, Success(1));
  raft.Start("x");
  EXPECT_EQ(first->pending(), 1u);
}

// --- Leaders: late replies --------------------------------------------------

TEST(LateReply, MatchIsWhatItsOwnRequestSaid) {
  RaftFixture f;
  f.Elect();
  f.ends[1]->Answer(kAppendEntries, Success(1));
  f.raft->Start("a");
  const RecordingEnd::Sent first = f.ends[1]->Take();
  f.raft->Start("b");
  f.raft->Start("c");
  first.done(rpc::Encode(Success(1)));
  EXPECT_EQ(f.follower(1).match_index, 1u);  // not 3
}

TEST(LateReply, MatchNeverGoesBack) {
  RaftFixture f;
  f.Elect();
  const RecordingEnd::Sent heartbeat = f.ends[1]->Take();
  f.raft->Start("a");
  f.ends[1]->Answer(kAppendEntries, Success(1));
  EXPECT_EQ(f.follower(1).match_index, 1u);
  heartbeat.done(rpc::Encode(Success(1)));
  EXPECT_EQ(f.follower(1).match_index, 1u);
}

// The reply vouches for a log that this server had in an earlier term.
TEST(LateReply, OfAnEarlierTermIsIgnored) {
  RaftFixture f;
  f.Elect();  // term 1
  f.ends[1]->Answer(kAppendEntries, Success(1));
  f.raft->Start("a");
  const RecordingEnd::Sent late = f.ends[1]->Take();
  f.Append(/*term=*/2, 0, 0, {{2, "b"}});  // deposed, and overwritten
  f.Elect();                               // term 3
  late.done(rpc::Encode(Success(1)));
  EXPECT_EQ(f.follower(1).match_index, 0u);
  EXPECT_EQ(f.commit_index(), 0u);
}

TEST(LateReply, ANewerTermDeposesTheLeader) {
  RaftFixture f;
  f.Elect();
  f.now += kTiming.max_election_timeout;
  f.ends[2]->Answer(kAppendEntries, Conflicts(9, 0, 0));
  EXPECT_FALSE(f.raft->GetState().is_leader);
  EXPECT_EQ(f.raft->GetState().term, 9u);
  // Its clock runs again.
  EXPECT_GE(f.raft->election_deadline(), f.now + kTiming.min_election_timeout);
}

}  // namespace
}  // namespace raft
