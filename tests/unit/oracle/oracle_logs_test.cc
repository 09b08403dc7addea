// The oracle's rules of logs and commitment: a history that breaks each of
// them, and one that comes as near as a correct Raft may. And the oracle's
// manners.

#include <string>

#include "gtest/gtest.h"
#include "tests/unit/oracle/oracle_fixture.h"

namespace oracle {
namespace {

using Fate = Story::Fate;

// Server 0 leads term 1 of five and has (1,1) on 1 and 2: committed. It goes on
// with (2,1) on 1 alone.
void Begin(Story* story) {
  story->Wins(0, 1, {1, 2});
  story->Save(0, 1, 0, {1, 1});
  for (const raft::ServerId follower : {1, 2}) {
    story->Takes(0, follower, {.term = 1, .entries = {1}}, {1});
  }
  story->Takes(0, 1, {.term = 1, .prev = 1, .prev_term = 1, .entries = {1}},
               {1, 1});
}

TEST(OracleLogs, LogMatching) {
  Story near(/*servers=*/5);
  Begin(&near);
  near.Wins(2, 2, {3, 4}, 1, 1);
  near.Save(2, 2, 2, {1, 2});  // another term at the same index
  near.Takes(2, 3, {.term = 2, .entries = {1, 2}}, {1, 2});
  EXPECT_EQ(near.verdict(), "");

  // The same position after another predecessor.
  Story story(/*servers=*/5);
  Begin(&story);
  story.Wins(2, 3, {3, 4}, 1, 1);
  story.Save(2, 3, 2, {1, 3, 3});
  story.Save(2, 3, 2, {1, 1, 3});
  EXPECT_TRUE(story.Broke(kLogMatching)) << story.verdict();
}

TEST(OracleLogs, LogMatchingOfCommands) {
  Story story(/*servers=*/3, /*reads_disks=*/false);
  story.Wins(0, 1, {1});
  story.Appends(0, 1, {.term = 1, .entries = {1}});
  story.Appends(0, 2, {.term = 1, .entries = {1}});
  EXPECT_EQ(story.verdict(), "");
  raft::AppendEntriesArgs args;
  args.term = 1;
  args.entries.Append(1, "another");
  story.Send(0, 1, raft::kAppendEntries.name, rpc::Encode(args));
  EXPECT_TRUE(story.Broke(kLogMatching)) << story.verdict();
}

TEST(OracleLogs, LeaderCompletenessAtTheElection) {
  Story near(/*servers=*/5, /*reads_disks=*/false);
  Begin(&near);
  near.Wins(2, 2, {3, 4}, 1, 1);  // has (1,1); (2,1) was not committed
  near.State(2, 2, true);
  EXPECT_EQ(near.verdict(), "");

  Story story(/*servers=*/5, /*reads_disks=*/false);
  Begin(&story);
  story.Wins(3, 2, {2, 4}, 0, 0);
  story.State(3, 2, true);
  EXPECT_TRUE(story.Broke(kLeaderCompleteness)) << story.verdict();
}

TEST(OracleLogs, LeaderCompletenessLater) {
  Story story(/*servers=*/5, /*reads_disks=*/false);
  Begin(&story);
  story.Wins(3, 3, {2, 4}, 2, 2);
  story.Appends(3, 4, {.term = 3, .prev = 2, .prev_term = 2});
  EXPECT_EQ(story.verdict(), "");  // nothing was committed at index 2
  story.Appends(3, 4, {.term = 3, .entries = {2, 2}});
  EXPECT_TRUE(story.Broke(kLeaderCompleteness)) << story.verdict();
}

TEST(OracleLogs, CommitByMajorityInRequests) {
  Story story(/*servers=*/5);
  Begin(&story);
  story.Appends(0, 3, {.term = 1, .entries = {1}, .commit = 1});
  EXPECT_EQ(story.verdict(), "");
  story.Appends(0, 3, {.term = 1, .entries = {1}, .commit = 2});
  EXPECT_TRUE(story.Broke(kCommitByMajority)) << story.verdict();
  EXPECT_NE(story.verdict().find("2 servers that hold entry 2, and 3 are a"),
            std::string::npos)
      << story.verdict();
}

TEST(OracleLogs, AcknowledgementsThatTheLeaderNeverGetsDoNotCommit) {
  for (const Fate fate : {Fate::kLost, Fate::kRefused, Fate::kReordered}) {
    Story story(/*servers=*/3);
    story.Wins(0, 1, {1});
    story.Save(0, 1, 0, {1});
    story.Takes(0, 1, {.term = 1, .entries = {1}}, {1}, fate);
    story.Apply(0, 1, 1);
    EXPECT_EQ(story.Broke(kCommitByMajority), fate != Fate::kReordered)
        << story.verdict();
  }
}

// Figure 8: the entry of term 2 is on a majority under the leader of term 4,
// and is committed only with one of term 4.
TEST(OracleLogs, CommitByMajorityOfTheOwnTermOnly) {
  Story story(/*servers=*/5, /*reads_disks=*/false);
  story.Wins(0, 2, {1, 2});
  story.Takes(0, 1, {.term = 2, .entries = {2}}, {2});
  story.Wins(0, 4, {1, 2}, 1, 2);
  story.Takes(0, 1, {.term = 4, .prev = 1, .prev_term = 2}, {2});
  story.Takes(0, 2, {.term = 4, .entries = {2}}, {2});
  EXPECT_EQ(story.verdict(), "");
  story.Apply(0, 1, 2);
  EXPECT_TRUE(story.Broke(kCommitByMajority)) << story.verdict();
  EXPECT_NE(story.verdict().find("counts only entries of term"),
            std::string::npos)
      << story.verdict();
}

TEST(OracleLogs, AnOlderEntryCommitsWithOneOfTheOwnTerm) {
  Story story(/*servers=*/5, /*reads_disks=*/false);
  story.Wins(0, 2, {1, 2});
  story.Takes(0, 1, {.term = 2, .entries = {2}}, {2});
  story.Wins(0, 4, {1, 2}, 1, 2);
  for (const raft::ServerId follower : {1, 2}) {
    story.Takes(0, follower, {.term = 4, .entries = {2, 4}}, {2, 4});
  }
  story.Apply(0, 1, 2);
  story.Apply(0, 2, 4);
  EXPECT_EQ(story.verdict(), "");
}

TEST(OracleLogs, CommitAsVouchedFor) {
  Story near(/*servers=*/5, /*reads_disks=*/false);
  Begin(&near);
  near.Takes(0, 2, {.term = 1, .prev = 1, .prev_term = 1, .commit = 1}, {1});
  near.Apply(2, 1, 1);
  near.Apply(0, 1, 1);  // the leader itself
  EXPECT_EQ(near.verdict(), "");

  Story story(/*servers=*/5, /*reads_disks=*/false);
  Begin(&story);
  story.Appends(0, 3, {.term = 1, .commit = 1});  // vouches for nothing
  story.Apply(3, 1, 1);
  EXPECT_TRUE(story.Broke(kFollowsCommit)) << story.verdict();
}

TEST(OracleLogs, ARestartedServerIsVouchedForAnew) {
  Story story(/*servers=*/5, /*reads_disks=*/false);
  Begin(&story);
  story.Appends(0, 1, {.term = 1, .entries = {1}, .commit = 1});
  story.Apply(1, 1, 1);
  EXPECT_EQ(story.verdict(), "");
  story.Restart(1);
  story.Apply(1, 1, 1);
  EXPECT_TRUE(story.Broke(kFollowsCommit)) << story.verdict();
}

TEST(OracleLogs, AppliesInOrderOnce) {
  for (const raft::Index next : {1, 2, 3}) {
    Story story(/*servers=*/5, /*reads_disks=*/false);
    Begin(&story);
    story.Takes(0, 2, {.term = 1, .entries = {1, 1, 1}}, {});
    story.Takes(0, 1, {.term = 1, .entries = {1, 1, 1}}, {});
    story.Apply(0, 1, 1);
    story.Apply(0, next, 1);
    EXPECT_EQ(story.Broke(kAppliesInOrder), next != 2) << story.verdict();
  }
  Story story(/*servers=*/5, /*reads_disks=*/false);
  Begin(&story);
  story.Apply(0, 1, 1);
  story.Restart(0);
  story.State(0, 1, true);
  story.Apply(0, 1, 1);  // a new incarnation begins again
  EXPECT_EQ(story.verdict(), "");
}

TEST(OracleLogs, StateMachineSafety) {
  for (const std::string& command :
       {Story::CommandOf(1, 1), std::string("another")}) {
    Story story(/*servers=*/5, /*reads_disks=*/false);
    Begin(&story);
    story.ApplyBytes(0, 1, /*term=*/0, command);  // 0: it does not say
    EXPECT_EQ(story.Broke(kStateMachineSafety), command == "another")
        << story.verdict();
  }
  Story story(/*servers=*/5, /*reads_disks=*/false);
  Begin(&story);
  story.ApplyBytes(0, 1, /*term=*/2, Story::CommandOf(1, 1));
  EXPECT_TRUE(story.Broke(kStateMachineSafety)) << story.verdict();
}

TEST(OracleLogs, SavedBeforeVisible) {
  {
    Story story;  // a term
    story.SaveVote(0, 2, raft::kNobody);
    story.State(0, 3, false);
    story.SaveVote(1, 3, 1);
    const uint64_t call = story.Ask(1, 0, 3);
    EXPECT_EQ(story.verdict(), "");
    story.AnswerVote(call, 3, false);
    EXPECT_TRUE(story.Broke(kSavedBefore)) << story.verdict();
  }
  {
    Story story;  // a vote
    story.SaveVote(0, 1, 0);
    const uint64_t call = story.Ask(0, 1, 1);
    story.SaveVote(1, 1, raft::kNobody);
    story.AnswerVote(call, 1, true);
    EXPECT_TRUE(story.Broke(kSavedBefore)) << story.verdict();
  }
  {
    Story story;  // a candidate's own vote
    story.SaveVote(0, 1, raft::kNobody);
    story.Ask(0, 1, 1);
    EXPECT_TRUE(story.Broke(kSavedBefore)) << story.verdict();
  }
  {
    Story story;  // an entry that was acknowledged
    story.Wins(0, 1, {1});
    const uint64_t call = story.Appends(0, 1, {.term = 1, .entries = {1, 1}});
    story.SaveLog(1, 1, {1});
    story.AnswerAppend(call, 1, true);
    EXPECT_TRUE(story.Broke(kSavedBefore)) << story.verdict();
  }
  {
    Story story;  // a command that was taken
    story.Wins(0, 1, {1});
    story.Save(0, 1, 0, {1});
    story.Start(0, 1, 1);
    EXPECT_EQ(story.verdict(), "");
    story.Start(0, 2, 1);
    EXPECT_TRUE(story.Broke(kSavedBefore)) << story.verdict();
  }
}

TEST(OracleLogs, WhatANewerTermOverwritesWasSaved) {
  Story story(/*servers=*/5);
  Begin(&story);
  const uint64_t call = story.Appends(
      0, 2, {.term = 1, .prev = 1, .prev_term = 1, .entries = {1}});
  story.SaveLog(2, 1, {1, 1});
  story.SaveLog(2, 2, {1});  // before the acknowledgement is reported
  story.AnswerAppend(call, 1, true);
  // The answer's term is not below: nothing can be said against it.
  EXPECT_EQ(story.verdict(), "");
}

TEST(OracleLogs, WhatWasKeptIsPartOfTheLog) {
  Story story(/*servers=*/5);
  Begin(&story);
  const uint64_t call = story.Appends(
      0, 1, {.term = 1, .prev = 2, .prev_term = 1, .entries = {1}});
  story.SaveMore(1, /*kept=*/2, {1});
  story.AnswerAppend(call, 1, true);
  EXPECT_EQ(story.verdict(), "");
  story.SaveMore(1, /*kept=*/3, {});
  EXPECT_EQ(story.verdict(), "");
  story.SaveMore(1, /*kept=*/2, {});
  EXPECT_TRUE(story.Broke(kAcknowledgedStays)) << story.verdict();
}

TEST(OracleLogs, AcknowledgedStays) {
  Story near(/*servers=*/5);
  Begin(&near);
  near.Appends(0, 1, {.term = 1, .prev = 2, .prev_term = 1, .entries = {1}});
  near.SaveLog(1, 1, {1, 1, 1});
  near.SaveLog(1, 1, {1, 1});  // was not acknowledged
  near.SaveLog(1, 2, {1});     // a newer leader may overwrite
  EXPECT_EQ(near.verdict(), "");

  Story story(/*servers=*/5);
  Begin(&story);
  story.SaveLog(1, 1, {1});
  EXPECT_TRUE(story.Broke(kAcknowledgedStays)) << story.verdict();
}

TEST(OracleLogs, TakesWhatFits) {
  Story near(/*servers=*/5);
  Begin(&near);
  // It does not fit; or it did not when it was asked; or the term is newer.
  near.AnswerAppend(near.Appends(0, 2, {.term = 1, .prev = 2, .prev_term = 1}),
                    1, false);
  const uint64_t early =
      near.Appends(0, 2, {.term = 1, .prev = 2, .prev_term = 1});
  near.Takes(0, 2, {.term = 1, .prev = 1, .prev_term = 1, .entries = {1}},
             {1, 1});
  near.AnswerAppend(early, 1, false);
  const uint64_t late =
      near.Appends(0, 2, {.term = 1, .prev = 2, .prev_term = 1});
  near.SaveVote(2, 2, raft::kNobody);
  near.AnswerAppend(late, 2, false);
  EXPECT_EQ(near.verdict(), "");

  Story story(/*servers=*/5);
  Begin(&story);
  story.AnswerAppend(
      story.Appends(0, 1, {.term = 1, .prev = 2, .prev_term = 1}), 1, false);
  EXPECT_TRUE(story.Broke(kConsistencyCheck)) << story.verdict();
}

TEST(OracleLogs, StoresWhatIsSent) {
  Story near(/*servers=*/5);
  Begin(&near);
  near.Wins(3, 2, {2, 4}, 1, 1);
  near.Save(3, 2, 3, {1, 2, 2});  // a leader's own
  const uint64_t first = near.Appends(3, 2, {.term = 2, .entries = {1, 2}});
  const uint64_t second = near.Appends(
      3, 2, {.term = 2, .prev = 2, .prev_term = 2, .entries = {2}});
  near.SaveLog(2, 2, {1, 2, 2});
  near.AnswerAppend(second, 2, true);
  near.AnswerAppend(first, 2, true);
  EXPECT_EQ(near.verdict(), "");

  // It takes what the leader of term 1 sent, then hears of term 2, and saves
  // both at once.
  Story both(/*servers=*/5);
  Begin(&both);
  both.Appends(0, 2, {.term = 1, .prev = 1, .prev_term = 1, .entries = {1}});
  both.Save(2, 2, raft::kNobody, {1, 1});
  EXPECT_EQ(both.verdict(), "");

  // It has voted in term 2, and then takes what the leader of term 1 sent.
  Story story(/*servers=*/5);
  Begin(&story);
  story.Appends(0, 2, {.term = 1, .prev = 1, .prev_term = 1, .entries = {1}});
  story.Wins(3, 2, {2, 4}, 1, 1);
  story.SaveLog(2, 2, {1, 1});
  EXPECT_TRUE(story.Broke(kStoresWhatIsSent)) << story.verdict();
}

TEST(OracleLogs, WellFormed) {
  Story near;
  near.Wins(0, 3, {1}, 0, 0);
  near.Appends(0, 1, {.term = 3, .entries = {1, 1, 3}});
  near.Send(0, 1, "Other.Method", "anything");
  EXPECT_EQ(near.verdict(), "");

  Story order(3, /*reads_disks=*/false);
  order.Wins(0, 3, {1});
  order.Appends(0, 1, {.term = 3, .entries = {2, 1}});
  EXPECT_TRUE(order.Broke(kWellFormed)) << order.verdict();

  Story future(3, /*reads_disks=*/false);
  future.Ask(0, 1, 3, /*last=*/4, /*last_term=*/3);
  EXPECT_TRUE(future.Broke(kWellFormed)) << future.verdict();

  Story name(3, /*reads_disks=*/false);
  raft::RequestVoteArgs args;
  args.term = 1;
  args.candidate_id = 2;
  name.Send(0, 1, raft::kRequestVote.name, rpc::Encode(args));
  EXPECT_TRUE(name.Broke(kWellFormed)) << name.verdict();

  Story bytes(3, /*reads_disks=*/false);
  bytes.Send(0, 1, raft::kAppendEntries.name, "short");
  EXPECT_TRUE(bytes.Broke(kWellFormed)) << bytes.verdict();

  Story disk;
  disk.SaveDisk(0, std::nullopt);
  EXPECT_TRUE(disk.Broke(kWellFormed)) << disk.verdict();

  Story log;
  log.Save(0, 1, raft::kNobody, {2});
  EXPECT_TRUE(log.Broke(kWellFormed)) << log.verdict();
}

// --- Manners ----------------------------------------------------------------

TEST(Oracle, OnlyTheFirstViolationIsTold) {
  Story story;
  story.State(0, 3, true);
  story.State(1, 4, true);
  EXPECT_TRUE(story.Broke(kElectedByMajority)) << story.verdict();
  EXPECT_EQ(story.verdicts(), 1);
}

TEST(Oracle, AViolationShowsTheLastEvents) {
  Story story;
  story.Wins(0, 1, {1});
  story.Appends(0, 2, {.term = 1, .commit = 3}, Fate::kLost);
  for (const char* const line :
       {"S0 starts, incarnation 1", "S0 -> S1 T1 RequestVote last=(0,0)",
        "S1 T1 saves vote=S0 last=(0,0)", "S1 -> S0 T1 vote granted",
        "S0 -> S2 T1 AppendEntries prev=(0,0) entries=0 commit=3 (lost)"}) {
    EXPECT_NE(story.verdict().find(line), std::string::npos)
        << line << " is missing in " << story.verdict();
  }
}

TEST(Oracle, AStaleInstanceDoesNotBindItsServer) {
  Story story(/*servers=*/3, /*reads_disks=*/false);
  story.oracle().OnIncarnationEnd(0);
  // It starts an election, cut off, while it is being killed.
  story.Ask(0, 1, 9, 0, 0, Fate::kUndeliverable);
  story.Restart(0);
  story.State(0, 1, false);
  EXPECT_EQ(story.verdict(), "");
}

TEST(Oracle, WithoutDisksTheirRulesAreOff) {
  Story story(/*servers=*/3, /*reads_disks=*/false);
  story.SaveDisk(0, std::nullopt);
  story.Wins(0, 1, {1});  // Story saves, and the oracle does not look
  story.Start(0, 1, 1);
  EXPECT_EQ(story.verdict(), "");
  EXPECT_EQ(Oracle::RulesOfTheDisk().size(), 7u);
}

TEST(Oracle, AClusterOfOneCommitsAlone) {
  Story story(/*servers=*/1);
  story.Save(0, 1, 0, {1});
  story.State(0, 1, true);
  story.Apply(0, 1, 1);
  EXPECT_EQ(story.verdict(), "");
}

}  // namespace
}  // namespace oracle
