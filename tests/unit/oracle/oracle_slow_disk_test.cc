// The oracle's rules where saves are told of when they are durable, some time
// after they were made: a history that breaks each rule, and one that comes as
// near as a correct Raft may.

#include "gtest/gtest.h"
#include "tests/unit/oracle/oracle_fixture.h"

namespace oracle {
namespace {

using Fate = Story::Fate;

class SlowStory : public Story {
 public:
  explicit SlowStory(int servers = 3)
      : Story(servers, /*reads_disks=*/true, /*slow_disks=*/true) {}
};

TEST(OracleSlowDisk, AServicesOwnServerMayShowItWhatIsNotDurable) {
  SlowStory story;
  story.Wins(0, 1, {1});
  story.State(1, 3, false);
  story.Start(0, 1, 1);
  story.Restart(1);  // which loses the term
  story.State(1, 1, false);
  EXPECT_EQ(story.verdict(), "");
  story.State(1, 3, false);
  story.State(1, 2, false);
  EXPECT_TRUE(story.Broke(kTermsGrow)) << story.verdict();
}

TEST(OracleSlowDisk, OtherServersMayNot) {
  SlowStory vote;
  vote.SaveVote(0, 1, 0);
  const uint64_t asked = vote.Ask(0, 1, 1);
  vote.AnswerVote(asked, 1, true);
  EXPECT_TRUE(vote.Broke(kSavedBefore)) << vote.verdict();

  SlowStory refusal;
  refusal.SaveVote(0, 1, 0);
  refusal.AnswerVote(refusal.Ask(0, 1, 1), 2, false);
  EXPECT_TRUE(refusal.Broke(kSavedBefore)) << refusal.verdict();

  SlowStory candidate;
  candidate.State(0, 1, false);
  candidate.Ask(0, 1, 1);
  EXPECT_TRUE(candidate.Broke(kSavedBefore)) << candidate.verdict();

  SlowStory entries;
  entries.Wins(0, 1, {1});
  entries.AnswerAppend(entries.Appends(0, 1, {.term = 1, .entries = {1}}), 1,
                       true);
  EXPECT_TRUE(entries.Broke(kSavedBefore)) << entries.verdict();
}

TEST(OracleSlowDisk, ALeaderSendsBeforeItsOwnFlush) {
  SlowStory story;
  story.Wins(0, 1, {1});
  story.Start(0, 1, 1);
  story.Takes(0, 1, {.term = 1, .entries = {1}}, {1});
  story.Save(0, 1, 0, {1});
  story.Apply(0, 1, 1);
  EXPECT_EQ(story.verdict(), "");
}

TEST(OracleSlowDisk, ALeaderCountsItselfWhenItIsDurable) {
  SlowStory story;
  story.Wins(0, 1, {1});
  story.Takes(0, 1, {.term = 1, .entries = {1}}, {1});
  story.Appends(0, 2, {.term = 1, .entries = {1}, .commit = 1});
  EXPECT_TRUE(story.Broke(kCommitByMajority)) << story.verdict();
  EXPECT_NE(story.verdict().find("can know of 1 servers that hold entry 1, not "
                                 "itself before"),
            std::string::npos)
      << story.verdict();
}

TEST(OracleSlowDisk, ALeaderCountsWhatItHasDurableAlone) {
  SlowStory story;
  story.Wins(0, 1, {1});
  story.Save(0, 1, 0, {1});  // and not yet the second
  story.Takes(0, 1, {.term = 1, .entries = {1, 1}}, {1, 1});
  story.Apply(0, 1, 1);
  EXPECT_EQ(story.verdict(), "");
  story.Apply(0, 2, 1);
  EXPECT_TRUE(story.Broke(kCommitByMajority)) << story.verdict();
}

TEST(OracleSlowDisk, TheOthersCommitWithoutTheirLeader) {
  SlowStory story;
  story.Wins(0, 1, {1});
  story.Takes(0, 1, {.term = 1, .entries = {1}}, {1});
  story.Takes(0, 2, {.term = 1, .entries = {1}}, {1});
  story.Apply(0, 1, 1);
  EXPECT_EQ(story.verdict(), "");
}

// It has the entry of its first term durable, and none of its second.
TEST(OracleSlowDisk, ALeaderCountsInItsOwnTerm) {
  SlowStory story(/*servers=*/5);
  story.Wins(0, 1, {1, 2});
  story.Save(0, 1, 0, {1});
  story.Takes(0, 1, {.term = 1, .entries = {1}}, {1});
  story.Wins(0, 2, {1, 2}, 1, 1);
  for (const raft::ServerId follower : {1, 2}) {
    story.Takes(0, follower, {.term = 2, .entries = {1, 2}}, {1, 2});
  }
  story.Apply(0, 1, 1);
  EXPECT_TRUE(story.Broke(kCommitByMajority)) << story.verdict();
}

// The entries of term 1 are flushed when the leader of term 2 has sent, too.
TEST(OracleSlowDisk, EntriesAreStoredInTheTermInWhichTheyCame) {
  SlowStory near(/*servers=*/5);
  near.Wins(0, 1, {1, 2});
  near.Appends(0, 1, {.term = 1, .entries = {1}});
  near.Wins(3, 2, {2, 4});
  near.Appends(3, 1, {.term = 2, .entries = {2}});
  near.SaveLog(1, 1, {1});
  near.SaveLog(1, 2, {2});
  EXPECT_EQ(near.verdict(), "");

  SlowStory story(/*servers=*/5);
  story.Wins(0, 1, {1, 2});
  story.Appends(0, 1, {.term = 1, .entries = {1}});
  story.Wins(3, 2, {2, 4});
  story.SaveVote(1, 2, raft::kNobody);
  story.SaveLog(1, 2, {1});
  EXPECT_TRUE(story.Broke(kStoresWhatIsSent)) << story.verdict();
}

// A crash keeps saves of which none was told of before.
TEST(OracleSlowDisk, ARestartFindsSeveralSaves) {
  for (const bool was_sent : {true, false}) {
    SlowStory story(/*servers=*/5);
    story.Wins(0, 1, {1, 2});
    if (was_sent) story.Appends(0, 1, {.term = 1, .entries = {1}});
    story.Wins(3, 2, {2, 4});
    story.Restart(1);
    story.Save(1, 2, raft::kNobody, {1});
    EXPECT_EQ(story.Broke(kStoresWhatIsSent), !was_sent) << story.verdict();
  }
}

TEST(OracleSlowDisk, AVoteThatACrashLostWasNone) {
  SlowStory story;
  story.SaveVote(0, 1, 0);
  story.Ask(0, 1, 1);  // the vote is not durable when its server crashes
  story.Restart(1);
  story.SaveVote(2, 1, 2);
  const uint64_t call = story.Ask(2, 1, 1);
  story.SaveVote(1, 1, 2);
  story.AnswerVote(call, 1, true);
  EXPECT_EQ(story.verdict(), "");
}

// It voted while its log was being repaired, which is seen later.
TEST(OracleSlowDisk, TheLogOfAVoterIsTheOneItHadWhenItVoted) {
  for (const bool repaired : {true, false}) {
    SlowStory story(/*servers=*/5);
    story.Wins(0, 3, {1, 2});
    story.Takes(0, 1, {.term = 3, .entries = {1, 1, 3, 3}}, {1, 1, 3, 3});
    story.Wins(2, 4, {3, 4}, 3, 2);
    story.Appends(2, 1, {.term = 4, .entries = {1, 1, 2, 4}});
    story.Wins(3, 5, {2, 4}, 3, 2);
    const uint64_t call = story.Ask(3, 1, 5, /*last=*/3, /*last_term=*/2);
    if (repaired) story.SaveLog(1, 4, {1, 1, 2});
    story.SaveVote(1, 5, 3);
    if (repaired) {
      story.Appends(3, 1, {.term = 5, .entries = {1, 1, 2, 5}});
      story.SaveLog(1, 5, {1, 1, 2, 5});
    }
    story.AnswerVote(call, 5, true);
    EXPECT_EQ(story.Broke(kElectionRestriction), !repaired) << story.verdict();
  }
}

}  // namespace
}  // namespace oracle
