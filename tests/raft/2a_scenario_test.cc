// Our own tests of part 2A: elections in which a chosen message is late, lost
// or doubled. They need no log.
//
// Each is a scenario (tests/harness/scenario.h): it decides by a tap on the
// network which servers are heard, so that the fault that it looks for must
// show, not may. Each runs on its test's main thread, with a cluster of its
// own.

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/harness/raft_cluster.h"
#include "tests/harness/scenario.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::AnyMessage;
using harness::AnyRequest;
using harness::AppendEntries;
using harness::AppendEntriesReplies;
using harness::Fail;
using harness::Kind;
using harness::Match;
using harness::Place;
using harness::RaftCluster;
using harness::RequestVoteReplies;
using harness::RequestVotes;
using harness::Scenario;
using harness::Tap;
using harness::TapMessage;
using raft::ServerId;
using raft::Term;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

const auto kSuite = runner::Suite::OfScenarios("Raft2AScenario", "raft", "2A");

// 5.2: a vote counts in the election that it was asked for. S1 grants its vote
// to S0; the reply is so late that S0 stands in a later term by then, in which
// it has one vote, its own. Finds replies used without comparing terms.
TEST(Raft2AScenario, LateVoteReply) {
  Scenario scenario(/*servers=*/3,
                    "Test (2A+): a vote that arrives an election late");
  Tap& tap = scenario.tap;

  // The votes for S0 are late.
  tap.Drop(AnyRequest().NotFrom(0));
  tap.Hold(RequestVoteReplies().To(0).Agreeing());
  tap.AwaitHeld(RequestVoteReplies().To(0));

  // No other server hears of the elections that it starts then.
  tap.Drop(RequestVotes());
  const Term old_term = tap.Seen(RequestVotes().From(0)).back().RequestTerm();
  const auto newer = [](Term term) {
    return RequestVotes().From(0).Where(absl::StrCat("of a term above ", term),
                                        [term](const TapMessage& request) {
                                          return request.RequestTerm() > term;
                                        });
  };
  const Term term = tap.Await(newer(old_term)).RequestTerm();

  // Each old vote comes; S0 goes on as a candidate, and stands once more.
  const size_t before = tap.Now();
  tap.ReleaseAll(&scenario.cluster, AnyMessage());
  scenario.Require(
      "S0 to stand again", "its election came to nothing (5.2)", [&] {
        if (scenario.cluster.GetState(0).is_leader ||
            tap.Count(AppendEntries().From(0).After(before)) > 0) {
          Fail(Kind::kSafety,
               absl::StrCat(
                   "S0 leads by votes that it got until term ", old_term,
                   ": a vote counts in the election it was asked for in ",
                   "(5.2)"));
        }
        return tap.Count(newer(term).After(before)) > 0;
      });

  scenario.Heal();
  scenario.cluster.CheckOneLeader();
  scenario.cluster.End();
}

// Fails if S0 sent a follower no heartbeat for longer than two intervals of the
// slowest Raft, and a grace period for the machine.
void CheckSilence(Clock::time_point from, Clock::time_point to,
                  ServerId follower, Place place = Place::Here()) {
  constexpr milliseconds kMostSilence(600);
  const auto silence = std::chrono::duration_cast<milliseconds>(to - from);
  if (silence <= kMostSilence) return;
  Fail(Kind::kLiveness,
       absl::StrCat("S0, the leader, sent S", follower, " nothing for ",
                    silence.count(), " ms, since it waits for another: RPCs ",
                    "are issued in parallel (5.1, 5.2)"),
       place);
}

// 5.2: heartbeats go to all servers at the same time. First one, then two of
// five can never be reached, and calls to them end after up to 7 s, or not at
// all. Finds a leader that sends its heartbeats one after another, and waits.
TEST(Raft2AScenario, HeartbeatsDespiteADeadPeer) {
  Scenario scenario(/*servers=*/5, "Test (2A+): heartbeats beside dead peers");
  Tap& tap = scenario.tap;
  RaftCluster& cluster = scenario.cluster;

  // S0 leads, so that calls are made to the dead before and after the living.
  const Term term = scenario.Elect(0);

  std::set<ServerId> living = {1, 2, 3, 4};
  for (const ServerId dead : {1, 3}) {
    // Its requests are never answered, and it can reach no server. The calls to
    // S3 end after a random time instead, as those to any lost server.
    living.erase(dead);
    tap.Hold(AnyRequest().To(dead));
    tap.Drop(AnyRequest().From(dead));
    if (dead == 3) cluster.Disconnect(dead);

    // Two seconds: no timeout is longer.
    const size_t begin = tap.Now();
    const Clock::time_point start = Clock::now();
    const Clock::time_point end = start + milliseconds(2000);
    scenario.WaitUntil("two seconds to pass", [&] {
      const raft::State state = cluster.GetState(0);
      if (!state.is_leader || state.term != term) {
        Fail(Kind::kLiveness,
             absl::StrCat("S0 does not lead term ", term, " any more, though ",
                          "a majority can hear it: its heartbeats keep ",
                          "followers from starting an election (5.2)"));
      }
      return Clock::now() > end;
    });
    for (const ServerId follower : living) {
      Clock::time_point before = start;
      for (const TapMessage& beat :
           tap.Seen(AppendEntries().From(0).To(follower).After(begin))) {
        CheckSilence(before, beat.sent, follower);
        before = beat.sent;
      }
      CheckSilence(before, end, follower);
    }
  }

  cluster.End();
}

// 5.1, Figure 2: a server that learns of a newer term becomes a follower, also
// if the news is a reply. No request reaches S0. Finds a leader, then a
// candidate, that ignores the term of a reply.
TEST(Raft2AScenario, StepsDownOnReply) {
  Scenario scenario(/*servers=*/3, "Test (2A+): a newer term in a reply");
  Tap& tap = scenario.tap;
  RaftCluster& cluster = scenario.cluster;

  // S0 leads; the others cannot hear it, and elect S1.
  const Term old_term = scenario.Elect(0);
  tap.Drop(AnyRequest().To(0));
  const int mute = tap.Drop(AnyRequest().From(0));
  const Term term = scenario.Elect(1, {2});
  EXPECT_GT(term, old_term);

  // They hear S0 again, and answer. It may have begun a request or two to each
  // before it knows.
  tap.Drop(RequestVotes().From(0));
  tap.Forget(mute);
  const TapMessage news = tap.Await(AppendEntriesReplies().To(0).Refusing());
  EXPECT_GE(news.ReplyTerm(), term);
  scenario.Require(
      "S0 to step down",
      absl::StrCat("it leads term ", old_term, " and was told of term ",
                   news.ReplyTerm(), " (5.1)"),
      [&] { return !cluster.GetState(0).is_leader; });
  EXPECT_GE(cluster.GetState(0).term, term);
  tap.Await(AppendEntries().From(1).To(2).After(tap.Now()), /*count=*/4);
  const size_t sent =
      tap.Count(AppendEntries().From(0).InTerm(old_term).After(news.number));
  if (sent > 6) {
    Fail(Kind::kLiveness,
         absl::StrCat("S0 has sent ", sent, " requests of term ", old_term,
                      " since it was told of term ", news.ReplyTerm(),
                      ": it becomes a follower at once (5.1)"));
  }

  // S2 hears no leader, and is far ahead in terms. S0, when it does not hear
  // the leader any more, is a candidate of a term long gone.
  tap.ForgetAll();
  const Term ahead = scenario.Elect(1) + 3;
  tap.Drop(AnyRequest().From(2));
  tap.Drop(AnyRequest().To(2));
  tap.Await(RequestVotes().From(2).InTerm(ahead));
  tap.Drop(AnyRequest().To(0));
  tap.Drop(AnyRequest().From(0).To(1));
  tap.Hold(RequestVotes().From(0).To(2));
  tap.Require(RequestVotes().From(0).After(tap.Now()),
              "it hears no leader any more (5.2)");
  const TapMessage request = tap.AwaitHeld(RequestVotes().From(0));
  scenario.Expect(request.RequestTerm() < ahead - 1,
                  "S0 to stand in a term below S2's still");
  tap.Release(&cluster, request);

  // It may have begun one more election of its own before the answer comes.
  const TapMessage next = tap.Require(
      RequestVotes().From(0).Where("of a later term",
                                   [&](const TapMessage& message) {
                                     return message.RequestTerm() >
                                            request.RequestTerm() + 1;
                                   }),
      "its elections came to nothing (5.2)");
  if (next.RequestTerm() <= ahead) {
    Fail(Kind::kSafety,
         absl::StrCat("S0 stands in term ", next.RequestTerm(),
                      ", though a refused vote told it of term ", ahead,
                      ": a newer term in a reply is adopted (5.1)"));
  }

  scenario.Heal();
  cluster.CheckOneLeader();
  cluster.End();
}

// 5.1: what an old leader says is refused, and counts for nothing: it does not
// put an election off. S0 hears no other server, and so goes on as the leader
// of a term that is over; S2 hears it, but not the leader of its own term.
// Finds a follower that is quiet while any server sends AppendEntries.
TEST(Raft2AScenario, OldLeaderIgnored) {
  Scenario scenario(/*servers=*/3,
                    "Test (2A+): a leader of a term that is over");
  Tap& tap = scenario.tap;

  scenario.Elect(0);
  tap.Drop(AnyMessage().To(0));
  const int mute = tap.Drop(AnyRequest().From(0));
  const Term term = scenario.Elect(1, {2});

  tap.Drop(AnyMessage().From(1));
  tap.Forget(mute);
  const TapMessage request =
      tap.Require(RequestVotes().From(2).After(tap.Now()),
                  absl::StrCat("S2 hears no leader of its term ", term,
                               ", only one of a term that is over (5.1, 5.2)"));
  EXPECT_GT(request.RequestTerm(), term);

  scenario.Heal();
  scenario.cluster.CheckOneLeader();
  scenario.cluster.End();
}

// 5.2: a server that hears a leader is content; one that does not may replace
// it, but not keep the others from having a leader. The link from S0 to S1 is
// dead, that from S1 to S0 works: S1 gets neither requests nor replies of S0.
TEST(Raft2AScenario, AsymmetricLinks) {
  Scenario scenario(/*servers=*/3,
                    "Test (2A+): links that work in one direction");
  Tap& tap = scenario.tap;
  RaftCluster& cluster = scenario.cluster;
  // Waits until one of `leaders` has led one term for 1.5 s.
  const auto await_peace = [&](const std::set<ServerId>& leaders) {
    Term term = 0;
    Clock::time_point since = Clock::now();
    scenario.Require("a leader to lead for 1.5 s",
                     "a majority can hear it, and it them (5.2)", [&] {
                       const ServerId leader =
                           scenario.AwaitLeader(/*above=*/0);
                       const raft::State state = cluster.GetState(leader);
                       if (!state.is_leader || state.term != term ||
                           !leaders.contains(leader)) {
                         term = state.term;
                         since = Clock::now();
                       }
                       return Clock::now() > since + milliseconds(1500);
                     });
    return term;
  };

  // S1 leads, hears no answer of S0 but those of S2, and S0 hears it: nothing
  // changes.
  const Term term = scenario.Elect(1);
  tap.Drop(AnyMessage().From(0).To(1));
  if (const Term now = await_peace({1}); now != term) {
    Fail(Kind::kLiveness,
         absl::StrCat("S1 led term ", term, " and leads term ", now, " now, ",
                      "though S0 and S2 heard its heartbeats, and a majority ",
                      "answered (5.2)"));
  }

  // S0 leads, and S1 does not hear it. S1 starts elections until a server leads
  // that all can hear: S1 itself, or S2.
  tap.ForgetAll();
  const Term next_term = scenario.Elect(0);
  tap.Drop(AnyMessage().From(0).To(1));
  EXPECT_GT(await_peace({1, 2}), next_term);

  scenario.Heal();
  cluster.CheckOneLeader();
  cluster.End();
}

// 5.2: a voter grants its one vote however often the candidate asks, and to
// no other; the candidate counts voters, not votes. Every request comes
// twice. Then S0 has one voter of five, in election after election.
TEST(Raft2AScenario, DuplicateVotes) {
  Scenario scenario(/*servers=*/5, "Test (2A+): every request arrives twice");
  Tap& tap = scenario.tap;
  RaftCluster& cluster = scenario.cluster;

  tap.Duplicate(AnyRequest());
  for (const ServerId leader : {0, 1}) {
    const Term term = scenario.Elect(leader);
    cluster.Disconnect(leader);
    scenario.AwaitLeader(term);
    cluster.Connect(leader);
  }

  // S0 and S1 hear only each other. One grants the other its vote in election
  // after election; some votes arrive late, when the next has begun.
  tap.ForgetAll();
  scenario.Elect(4);
  for (const ServerId other : {2, 3, 4}) cluster.Disconnect(other);
  tap.Duplicate(AnyRequest());
  // An election that was under way may have had votes of the others.
  const Term old_term =
      std::max(cluster.GetState(0).term, cluster.GetState(1).term);
  const auto is_new = [old_term](const TapMessage& message) {
    return message.RequestTerm() > old_term;
  };
  const Match granted =
      RequestVoteReplies().Agreeing().Where("in a new term", is_new);
  tap.Hold(granted.Where("in every other term", [](const TapMessage& vote) {
    return vote.RequestTerm() % 2 == 0;
  }));
  scenario.WaitUntil(
      "S0 or S1 to get three votes of the other, and to stand", [&] {
        for (const TapMessage& vote : tap.Held(granted)) {
          const auto stands = RequestVotes().From(vote.to());
          if (tap.Count(stands.After(vote.number)) > 0)
            tap.Release(&cluster, vote);
        }
        return std::ranges::any_of(std::array{0, 1}, [&](ServerId candidate) {
          const auto votes = tap.Seen(granted.To(candidate));
          return votes.size() >= 3 &&
                 tap.Count(
                     RequestVotes().From(candidate).After(votes[2].number)) > 0;
        });
      });
  if (tap.Count(AppendEntries().Where("in a new term", is_new)) > 0) {
    Fail(Kind::kSafety,
         "S0 or S1 leads with two votes of five, its own and one of the other: "
         "votes count once for each server, in one election (5.2)");
  }

  scenario.Heal();
  cluster.CheckOneLeader();
  cluster.End();
}

}  // namespace
}  // namespace tests
