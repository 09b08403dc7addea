// The oracle's rules of terms, votes and leaders: a history that breaks each of
// them, and one that comes as near as a correct Raft may.

#include <chrono>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "tests/unit/oracle/oracle_fixture.h"

namespace oracle {
namespace {

using std::chrono::milliseconds;
using Fate = Story::Fate;

TEST(OracleElections, ElectionSafety) {
  Story story(/*servers=*/5);
  story.Wins(0, 1, {1, 2});
  story.Appends(0, 3, {.term = 1});
  story.Wins(3, 2, {1, 2});
  story.Appends(3, 0, {.term = 2});
  story.Appends(0, 4, {.term = 1});  // the old one does not know yet
  story.State(0, 1, true);
  EXPECT_EQ(story.verdict(), "");

  story.SaveVote(4, 2, 4);
  story.State(4, 2, true);
  EXPECT_TRUE(story.Broke(kElectionSafety)) << story.verdict();
  EXPECT_NE(story.verdict().find("S3 and S4 both lead term 2"),
            std::string::npos)
      << story.verdict();
}

TEST(OracleElections, ElectedByMajority) {
  Story near(/*servers=*/5);
  near.SaveVote(0, 1, 0);
  const uint64_t late = near.Ask(0, 1, 1);
  near.SaveVote(1, 1, 0);
  near.AnswerVote(late, 1, true, Fate::kReordered);  // it will hear of that
  near.Wins(0, 1, {2});
  near.Appends(0, 3, {.term = 1});
  EXPECT_EQ(near.verdict(), "");

  Story story(/*servers=*/5);
  story.Wins(0, 1, {1});
  const uint64_t lost = story.Ask(0, 2, 1);
  story.SaveVote(2, 1, 0);
  story.AnswerVote(lost, 1, true, Fate::kLost);
  story.Appends(0, 3, {.term = 1});
  EXPECT_TRUE(story.Broke(kElectedByMajority)) << story.verdict();
}

TEST(OracleElections, VotesOfAnEarlierTermElectNobody) {
  Story story;
  story.SaveVote(0, 1, 0);
  const uint64_t late = story.Ask(0, 1, 1);
  story.SaveVote(1, 1, 0);
  story.AnswerVote(late, 1, true, Fate::kReordered);
  story.SaveVote(0, 2, 0);
  story.Ask(0, 1, 2, 0, 0, Fate::kLost);
  EXPECT_EQ(story.verdict(), "");
  story.State(0, 2, true);
  EXPECT_TRUE(story.Broke(kElectedByMajority)) << story.verdict();
}

TEST(OracleElections, OneVoteByReplies) {
  Story story(/*servers=*/5, /*reads_disks=*/false);
  story.AnswerVote(story.Ask(0, 2, 1), 1, true);
  story.AnswerVote(story.Ask(0, 2, 1), 1, true);   // asked twice
  story.AnswerVote(story.Ask(1, 2, 1), 1, false);  // the other is refused
  story.AnswerVote(story.Ask(1, 2, 2), 2, true);   // and gets the next one
  EXPECT_EQ(story.verdict(), "");
  story.Restart(2);
  story.AnswerVote(story.Ask(0, 2, 2), 2, true);
  EXPECT_TRUE(story.Broke(kOneVote)) << story.verdict();
}

TEST(OracleElections, ACandidateHasVoted) {
  Story story(/*servers=*/5, /*reads_disks=*/false);
  story.Ask(1, 0, 3);
  EXPECT_EQ(story.verdict(), "");
  story.AnswerVote(story.Ask(0, 1, 3), 3, true);
  EXPECT_TRUE(story.Broke(kOneVote)) << story.verdict();
}

TEST(OracleElections, OneVoteOnTheDisk) {
  Story story;
  story.SaveVote(0, 1, 1);
  story.Restart(0);
  story.SaveVote(0, 1, 1);
  story.SaveVote(0, 2, raft::kNobody);
  EXPECT_EQ(story.verdict(), "");
  story.SaveVote(0, 2, 2);
  story.SaveVote(0, 2, raft::kNobody);
  EXPECT_TRUE(story.Broke(kOneVote)) << story.verdict();
}

TEST(OracleElections, ElectionRestriction) {
  Story near;
  near.Wins(0, 1, {1});
  near.Takes(0, 1, {.term = 1, .entries = {1, 1}}, {1, 1});
  // One that ends where the voter's own does.
  near.Save(0, 3, 0, {1, 1});
  const uint64_t call = near.Ask(0, 1, 3, 2, 1);
  near.SaveVote(1, 3, 0);
  near.AnswerVote(call, 3, true);
  EXPECT_EQ(near.verdict(), "");

  for (const auto& [last, last_term] :
       {std::pair<raft::Index, raft::Term>{1, 1}, {5, 1}, {1, 2}}) {
    Story story(/*servers=*/5);
    story.Save(1, 3, 1, {1, 1, 3});
    story.SaveVote(0, 4, 0);
    const uint64_t asked = story.Ask(0, 1, 4, last, last_term);
    story.SaveVote(1, 4, 0);
    story.AnswerVote(asked, 4, true);
    EXPECT_TRUE(story.Broke(kElectionRestriction)) << story.verdict();
  }
}

TEST(OracleElections, TermsGrowInReplies) {
  Story story(/*servers=*/3, /*reads_disks=*/false);
  const uint64_t first = story.Ask(0, 1, 1);
  const uint64_t second = story.Ask(2, 1, 5);
  story.AnswerVote(second, 5, false);
  story.AnswerVote(first, 1, false);  // reported late: it was asked before
  EXPECT_EQ(story.verdict(), "");
  story.AnswerVote(story.Ask(0, 1, 1), 4, false);
  EXPECT_TRUE(story.Broke(kTermsGrow)) << story.verdict();
}

TEST(OracleElections, TermsGrowAcrossRestarts) {
  Story story(/*servers=*/3, /*reads_disks=*/false);
  story.Ask(1, 2, 7);
  story.Restart(1);
  story.State(1, 7, false);
  EXPECT_EQ(story.verdict(), "");
  story.Restart(1);
  story.State(1, 6, false);
  EXPECT_TRUE(story.Broke(kTermsGrow)) << story.verdict();
}

// Only its service has seen the term: it may have crashed before it saved it.
TEST(OracleElections, AStateMayBeLost) {
  Story story(/*servers=*/3, /*reads_disks=*/false);
  story.State(1, 7, false);
  story.Restart(1);
  story.State(1, 6, false);
  EXPECT_EQ(story.verdict(), "");
  story.State(1, 5, false);
  EXPECT_TRUE(story.Broke(kTermsGrow)) << story.verdict();
}

TEST(OracleElections, TermsGrowOnTheDisk) {
  Story story;
  story.SaveVote(1, 7, 0);
  story.Restart(1);
  story.SaveVote(1, 7, 0);
  EXPECT_EQ(story.verdict(), "");
  story.SaveVote(1, 6, 0);
  EXPECT_TRUE(story.Broke(kTermsGrow)) << story.verdict();
}

TEST(OracleElections, AnswersInTerm) {
  Story near;
  near.SaveVote(0, 2, 0);
  const uint64_t call = near.Ask(0, 1, 2);
  near.SaveVote(1, 9, raft::kNobody);
  near.AnswerVote(call, 9, false);               // above, and no
  near.AnswerVote(near.Ask(0, 2, 2), 0, false);  // killed meanwhile
  EXPECT_EQ(near.verdict(), "");

  Story below;
  below.SaveVote(0, 2, 0);
  below.SaveVote(1, 1, raft::kNobody);
  below.AnswerVote(below.Ask(0, 1, 2), 1, false);
  EXPECT_TRUE(below.Broke(kRepliesInTerm)) << below.verdict();

  Story above;
  above.Wins(0, 2, {2});
  above.SaveVote(1, 3, raft::kNobody);
  above.AnswerAppend(above.Appends(0, 1, {.term = 2}), 3, true);
  EXPECT_TRUE(above.Broke(kRepliesInTerm)) << above.verdict();
}

TEST(OracleElections, StepsDown) {
  Story story;
  story.Wins(0, 1, {1});
  const uint64_t call = story.Appends(0, 2, {.term = 1});
  story.SaveVote(2, 4, 2);
  story.AnswerAppend(call, 4, false);
  story.Pass(milliseconds(299));
  story.Appends(0, 1, {.term = 1});  // filled before, and sent only now
  story.Pass(milliseconds(100));
  story.SetAge(milliseconds(100));
  story.Appends(0, 1, {.term = 1});  // sent then, and seen only now
  story.SetAge(milliseconds(0));
  EXPECT_EQ(story.verdict(), "");
  story.Appends(0, 1, {.term = 1});
  EXPECT_TRUE(story.Broke(kStepsDown)) << story.verdict();
}

TEST(OracleElections, WhatNobodyHeardBindsNobody) {
  for (const Fate fate : {Fate::kLost, Fate::kReordered, Fate::kRefused}) {
    Story story;
    story.Wins(0, 1, {1});
    const uint64_t call = story.Appends(0, 2, {.term = 1});
    story.SaveVote(2, 4, 2);
    story.AnswerAppend(call, 4, false, fate);
    story.Pass(milliseconds(5000));
    story.Appends(0, 1, {.term = 1});
    EXPECT_EQ(story.verdict(), "");
  }
}

TEST(OracleElections, StandsAfterSilence) {
  Story near(/*servers=*/5, /*reads_disks=*/false);
  near.AnswerVote(near.Ask(0, 1, 1), 1, true);
  near.AnswerVote(near.Ask(0, 2, 1), 1, true);
  near.Pass(milliseconds(30));
  near.AnswerVote(near.Ask(3, 1, 1), 1, false);  // puts nothing off
  near.Pass(milliseconds(20));
  near.Ask(1, 0, 2);
  EXPECT_EQ(near.verdict(), "");

  Story vote(/*servers=*/5, /*reads_disks=*/false);
  vote.AnswerVote(vote.Ask(0, 1, 1), 1, true);
  vote.Pass(milliseconds(49));
  vote.Ask(1, 2, 2);
  EXPECT_TRUE(vote.Broke(kElectionTimeout)) << vote.verdict();

  // A request of its own that was begun before it heard of the other's term.
  Story late(/*servers=*/5, /*reads_disks=*/false);
  late.Wins(0, 3, {2, 3});
  late.AnswerAppend(late.Appends(0, 1, {.term = 3}), 3, true);
  late.Ask(1, 2, 2);
  EXPECT_EQ(late.verdict(), "");
  late.Ask(1, 2, 4);
  EXPECT_TRUE(late.Broke(kElectionTimeout)) << late.verdict();
}

TEST(OracleElections, HeartbeatRate) {
  Story near;
  near.Wins(0, 1, {1});
  near.Appends(0, 1, {.term = 1});
  for (int i = 0; i < 200; ++i) {
    near.Pass(milliseconds(34));  // 29 or 30 in a second
    near.Appends(0, 1, {.term = 1});
    near.Appends(0, 2, {.term = 1, .prev = 0, .entries = {1}});  // news
  }
  EXPECT_EQ(near.verdict(), "");

  Story story;
  story.Wins(0, 1, {1});
  for (int i = 0; i < 40; ++i) {
    story.Pass(milliseconds(30));
    story.Appends(0, 1, {.term = 1});
  }
  EXPECT_TRUE(story.Broke(kHeartbeatRate)) << story.verdict();
  // It is told of once, and others are still judged.
  EXPECT_EQ(story.verdicts(), 1);
  story.Appends(1, 0, {.term = 1});
  EXPECT_EQ(story.verdicts(), 2);
}

// Under the simulator another thread may run then, and ask the oracle.
TEST(OracleClock, IsReadWithoutTheLock) {
  std::optional<Oracle> oracle;
  int asked = 0;
  Oracle::Options options;
  options.on_violation = [](const Violation&) {};
  options.now = [&] {
    if (oracle.has_value()) {
      EXPECT_EQ(oracle->TermSeen(1), 0);
      ++asked;
    }
    return Oracle::Clock::time_point();
  };
  oracle.emplace(3, options);
  oracle->OnIncarnationBegin(1, 1);
  oracle->OnIncarnationEnd(1);
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace oracle
