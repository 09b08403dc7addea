// Scenario tests of part 2B (tests/harness/scenario.h): logs diverge and meet
// again while chosen messages are late or lost. A tap on the network decides
// which are, so that the fault a test looks for must show. No server crashes.

#include <algorithm>
#include <chrono>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/harness/raft_cluster.h"
#include "tests/harness/scenario.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::AnyMessage, harness::AnyRequest;
using harness::AppendEntries, harness::AppendEntriesReplies;
using harness::Fail, harness::Kind;
using harness::RaftCluster;
using harness::RequestVoteReplies, harness::RequestVotes;
using harness::Retry;
using harness::Scenario;
using harness::Tap;
using harness::TapMessage;
using raft::Index;
using raft::ServerId;
using raft::Term;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

const auto kSuite = runner::Suite::OfScenarios("Raft2BScenario", "raft", "2B");

// 5.3, Figure 2: a follower drops its entries only when they conflict with
// those that it gets. An AppendEntries that a newer one has overtaken arrives
// last, and so does an old heartbeat; then the leader is lost, so that it
// cannot repair. Finds a follower that truncates always.
TEST(Raft2BScenario, OldAppendAfterNewer) {
  Scenario scenario(/*servers=*/3,
                    "Test (2B+): an AppendEntries that arrives last");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.Elect(0);
  scenario.AwaitApplied(scenario.Submit(0, 100), 100, /*servers=*/3);

  // A heartbeat to S1 is late, though not the next ones.
  const int first = tap.Hold(AppendEntries().From(0).To(1));
  const TapMessage beat = tap.AwaitHeld(AppendEntries().From(0).To(1));
  tap.Forget(first);
  scenario.AwaitTwoHeartbeats(0, 1);

  // S2 gets nothing. S1 gets the second entry and the third together; what
  // carries the second alone is late.
  tap.Drop(AppendEntries().From(0).To(2).WithEntries());
  const int late = tap.Hold(AppendEntries().To(1).WithEntries());
  EXPECT_EQ(scenario.Submit(0, 101), 2U);
  const TapMessage old = tap.AwaitHeld(AppendEntries().To(1).WithEntries());
  EXPECT_EQ(old.LastIndex(), 2U);
  EXPECT_EQ(scenario.Submit(0, 102), 3U);
  tap.Forget(late);
  tap.Hold(AppendEntries().To(1).WithEntries().Where(
      "up to the second",
      [](const TapMessage& m) { return m.LastIndex() == 2; }));
  scenario.AwaitApplied(3, 102, /*servers=*/1);

  // Nothing of S0 comes any more but those two.
  tap.Drop(AnyRequest().From(0));
  const int silence = tap.Drop(AnyRequest());
  for (const TapMessage& late_one : {old, beat}) {
    tap.Release(&cluster, late_one);
    tap.Await(AppendEntriesReplies().From(1).Where(
        "to what was late", [&late_one](const TapMessage& reply) {
          return reply.call == late_one.call;
        }));
  }
  cluster.Disconnect(0);

  // S1 has what it acknowledged.
  tap.Forget(silence);
  scenario.Elect(1);
  EXPECT_EQ(scenario.Submit(1, 103), 4U);
  scenario.AwaitApplied(4, 103, /*servers=*/2);
  scenario.AwaitApplied(3, 102, /*servers=*/2);

  scenario.Heal();
  scenario.AwaitApplied(4, 103, /*servers=*/3);
  cluster.End();
}

// 5.1, 5.4.1: a server that has voted in a term takes nothing of an older one,
// and one that has taken an entry does not vote for a log without it. Both
// requests reach S1 at the same time; it cannot say yes to both. Finds a lock
// that is opened between a check and the act.
TEST(Raft2BScenario, VoteMeetsAppendEntries) {
  constexpr int kRounds = 5;
  Scenario scenario(/*servers=*/3,
                    "Test (2B+): a vote and an entry at one moment");
  Tap& tap = scenario.tap;
  for (int round = 0; round < kRounds; ++round) {
    const Term term = scenario.Elect(0);
    // S2 hears no leader and asks S1, which is content with its leader.
    const auto asks = RequestVotes().From(2).To(1).After(tap.Now());
    const auto sends = AppendEntries().From(0).To(1).InTerm(term).WithEntries();
    tap.Drop(RequestVotes());
    tap.Drop(AppendEntries().To(2));
    tap.Hold(asks);
    tap.Hold(sends);
    const TapMessage vote = tap.AwaitHeld(asks);
    // The entries of the rounds before, which S2 has too, may be sent again.
    const Index index = scenario.Submit(0, 100 + round);
    const TapMessage append = tap.AwaitHeld(sends.Reaching(index));

    const size_t now = tap.Now();
    for (const bool first : {true, false}) {
      tap.Release(&scenario.cluster, first == (round % 2 == 0) ? vote : append);
    }
    const TapMessage voted = tap.Await(
        RequestVoteReplies().From(1).InTerm(vote.RequestTerm()).After(now));
    const TapMessage appended =
        tap.Await(AppendEntriesReplies().From(1).InTerm(term).After(now).Where(
            "to that request", [&append](const TapMessage& reply) {
              return reply.call == append.call;
            }));
    if (voted.Agrees() && appended.Agrees()) {
      Fail(Kind::kSafety,
           absl::StrCat("S1 took index ", index, " of term ", term,
                        " and voted in term ", vote.RequestTerm(),
                        " for S2, which lacks it: with the entry its log is ",
                        "more up-to-date (5.4.1), after the vote the request ",
                        "is of an older term (5.1)"));
    }
    scenario.Heal();
  }
  scenario.cluster.Agree(200, /*servers=*/3, Retry::kYes);
  scenario.cluster.End();
}

// A service takes its time; its Raft goes on: it answers, leads and replicates
// meanwhile. Finds a Raft that holds its lock while it delivers.
TEST(Raft2BScenario, SlowService) {
  Scenario scenario(/*servers=*/3, "Test (2B+): a service that takes its time");
  RaftCluster& cluster = scenario.cluster;
  const Term term = scenario.Elect(0);
  for (const ServerId slow : {0, 1}) cluster.PauseService(slow, true);
  Index last = 0;
  for (int i = 0; i < 20; ++i) last = scenario.Submit(0, 100 + i);
  scenario.AwaitApplied(last, 119, /*servers=*/1);
  scenario.AwaitTwoHeartbeats(/*leader=*/0, /*follower=*/1);
  if (!cluster.GetState(0).is_leader || cluster.GetState(1).term != term) {
    Fail(Kind::kLiveness,
         absl::StrCat("S0 does not lead term ", term, " any more, while the ",
                      "services of S0 and S1 take their time: what is slow ",
                      "outside must not hold the lock"));
  }

  for (const ServerId slow : {0, 1}) cluster.PauseService(slow, false);
  scenario.AwaitApplied(last, 119, /*servers=*/3);
  scenario.Heal();
  cluster.End();
}

// 5.2, Figure 2: only an AppendEntries of the leader, or giving a vote, puts a
// follower's election off. S1 alone has the newest entry, and the leader is
// lost; servers with older logs ask S1 for votes, all the time and in vain.
// Finds an election timer that every RequestVote resets.
TEST(Raft2BScenario, DisturbedElectionTimer) {
  // Far more often than any election timeout, and for longer than any.
  constexpr milliseconds kPeriod(120);
  constexpr size_t kMostRequests = 40;
  constexpr size_t kStock = 12;
  Scenario scenario(/*servers=*/5, "Test (2B+): an election that is disturbed");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.Elect(0);
  const Term old_term = cluster.GetState(0).term;
  tap.Drop(AppendEntries().From(0).WithEntries().NotTo(1));
  const Index newest = scenario.Submit(0, 100);
  tap.Await(AppendEntriesReplies().From(1).Reaching(newest).Agreeing());

  // S2, S3 and S4 hear no leader, and start elections again and again. S1 hears
  // the leader, and will hear of them.
  for (const ServerId other : {2, 3, 4}) {
    tap.Drop(AnyRequest().From(other));
    tap.Drop(AnyRequest().To(other));
  }
  const auto vain = RequestVotes().To(1).Where(
      "in vain", [](const TapMessage& m) { return m.from() >= 2; });
  tap.Hold(vain);
  scenario.WaitUntil("a stock of vain requests",
                     [&] { return tap.Held(vain).size() >= kStock; });

  // The leader is lost. S1 must stand though it is asked for votes meanwhile.
  scenario.Expect(cluster.GetState(1).term == old_term,
                  "S1, which hears the leader, to start no election so far");
  cluster.Disconnect(0);
  const auto own = RequestVotes().From(1).After(tap.Now());
  Clock::time_point due = Clock::now();
  size_t released = 0;
  scenario.Require(
      "S1 to start an election", "it hears no leader and grants no vote (5.2)",
      [&] {
        const std::vector<TapMessage> held = tap.Held(vain);
        if (Clock::now() >= due && !held.empty()) {
          if (++released > kMostRequests) {
            Fail(Kind::kLiveness,
                 absl::StrCat(
                     "S1 starts no election while S2 to S4 ask for votes ",
                     "in vain: only a vote that it grants puts its own ",
                     "election off (5.2)"));
          }
          // In the order of their terms, so that S1 hears of a newer one each
          // time.
          tap.Release(
              &cluster,
              *std::min_element(held.begin(), held.end(),
                                [](const TapMessage& a, const TapMessage& b) {
                                  return a.RequestTerm() < b.RequestTerm();
                                }));
          due = Clock::now() + kPeriod;
        }
        return tap.Count(own) > 0;
      });

  // And is elected, since its log is the newest.
  tap.ForgetAll();
  scenario.Elect(1);
  EXPECT_EQ(scenario.Submit(1, 101), newest + 1);
  scenario.AwaitApplied(newest + 1, 101, /*servers=*/4);
  scenario.AwaitApplied(newest, 100, /*servers=*/4);

  scenario.Heal();
  scenario.AwaitApplied(newest + 1, 101, /*servers=*/5);
  cluster.End();
}

// Figure 2: RPCs are idempotent. Every request arrives twice, over three
// leaders and twenty commands; nothing is appended, applied or counted twice.
TEST(Raft2BScenario, DuplicateAppends) {
  Scenario scenario(/*servers=*/5, "Test (2B+): every request arrives twice");
  RaftCluster& cluster = scenario.cluster;
  scenario.tap.Duplicate(AnyRequest());
  Index last = 0;
  for (const ServerId leader : {0, 1, 2, 3}) {
    scenario.Elect(leader);
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(scenario.Submit(leader, 100 * leader + i), last + 1);
      ++last;
    }
    scenario.AwaitApplied(last, 100 * leader + 4, /*servers=*/5);
  }

  scenario.CheckNotApplied(last + 1);
  cluster.End();
}

}  // namespace
}  // namespace tests
