// Our own tests of part 2C: crashes between two chosen messages, in every phase
// of a server's work, and very many of them.
//
// Each is a scenario (tests/harness/scenario.h): it decides by a tap on the
// network which servers are heard, so that the fault that it looks for must
// show, not may. Each runs on its test's main thread, with a cluster of its
// own.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
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
using harness::Retry;
using harness::Scenario;
using harness::Tap;
using harness::TapMessage;
using raft::Index;
using raft::ServerId;
using raft::Term;
using Clock = std::chrono::steady_clock;

const auto kSuite = runner::Suite::OfScenarios("Raft2CScenario", "raft", "2C");

// Fails if a server has voted for two candidates of one term, in any
// incarnation.
void CheckOneVotePerTerm(const Tap& tap, Place place = Place::Here()) {
  std::map<std::pair<ServerId, Term>, ServerId> votes;
  for (const TapMessage& vote : tap.Seen(RequestVoteReplies().Agreeing())) {
    const auto [known, is_new] =
        votes.try_emplace({vote.from(), vote.RequestTerm()}, vote.to());
    if (is_new || known->second == vote.to()) continue;
    Fail(Kind::kSafety,
         absl::StrCat("S", vote.from(), " votes for both S", known->second,
                      " and S", vote.to(), " in term ", vote.RequestTerm(),
                      ": its one vote in a term is saved before it answers, ",
                      "and outlives a restart (5.2, Figure 2)"),
         place);
  }
}

// 5.2, Figure 2: a vote outlives its server. S1 grants its vote to S2, crashes,
// and restarts; then S3 asks it, in the same term. Finds a vote that is not on
// the disk, or not read back.
TEST(Raft2CScenario, VoteSurvivesRestart) {
  Scenario scenario(/*servers=*/4,
                    "Test (2C+): a voter restarts between two candidates");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  const Term term = scenario.Elect(0) + 1;

  // S2 and S3 hear no leader; both start an election in the next term. S1 hears
  // the leader until both have asked it.
  for (const ServerId candidate : {2, 3}) {
    tap.Drop(AnyRequest().From(candidate));
    tap.Drop(AnyRequest().To(candidate));
  }
  tap.Hold(RequestVotes().To(1).InTerm(term));
  const TapMessage first = tap.AwaitHeld(RequestVotes().From(2).To(1));
  const TapMessage second = tap.AwaitHeld(RequestVotes().From(3).To(1));
  tap.Drop(AnyRequest());

  scenario.Expect(scenario.Answer(first).Agrees(),
                  "S1, which heard the leader so far, to vote for S2");
  cluster.Restart(1);
  EXPECT_FALSE(scenario.Answer(second).Agrees())
      << "S1 has voted for S2 in term " << term << ", and after a restart for "
      << "S3: votedFor is on the disk before it answers (Figure 2)";
  CheckOneVotePerTerm(tap);

  scenario.Heal();
  cluster.Agree(100, /*servers=*/4, Retry::kYes);
  cluster.End();
}

// 5.2, Figure 2: so does a candidate's vote for itself. S1 and S2 start
// elections; the one whose term is lower, one that the other has been in as
// well, crashes and restarts, and is asked for its vote in that term.
TEST(Raft2CScenario, OwnVoteSurvivesRestart) {
  Scenario scenario(/*servers=*/3,
                    "Test (2C+): a candidate restarts and is asked");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  // Neither has given a vote that could still stand on its disk.
  const Term term = scenario.Elect(0);

  // No server hears another.
  tap.Drop(AnyRequest());
  const Match asks = RequestVotes().Where(
      "in a newer term",
      [term](const TapMessage& m) { return m.RequestTerm() > term; });
  tap.Hold(asks.From(1).To(2));
  tap.Hold(asks.From(2).To(1));
  std::optional<TapMessage> request;
  scenario.WaitUntil(
      "S1 to be in a term that S2 has stood in, or S2 in one of S1's", [&] {
        for (const ServerId victim : {1, 2}) {
          const auto same = asks.InTerm(cluster.GetState(victim).term);
          if (tap.Count(same.From(victim)) == 0) continue;
          for (const TapMessage& held : tap.Held(same.To(victim)))
            request = held;
        }
        return request.has_value();
      });

  cluster.Restart(request->to());
  EXPECT_FALSE(scenario.Answer(*request).Agrees())
      << "S" << request->to() << " stood itself in term "
      << request->RequestTerm() << ", restarted, and votes for another: its "
      << "vote for itself is on the disk before it asks (Figure 2)";

  scenario.Heal();
  cluster.Agree(100, /*servers=*/3, Retry::kYes);
  cluster.End();
}

// 5.1, Figure 2: a term outlives its server. S1 learns of a new term, crashes,
// and restarts; then an old leader and a candidate of a term between come to
// it. Finds a term that is not on the disk, or only with a vote, or not read
// back.
TEST(Raft2CScenario, RestartKeepsTerm) {
  Scenario scenario(/*servers=*/4,
                    "Test (2C+): a restarted server and an old leader");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  const Term old_term = scenario.Elect(0);
  const Term term = old_term + 3;

  // S2 and S3 lack an entry that S1 has, so that it will not vote for them.
  // They hear no leader, and start elections in term after term.
  tap.Drop(AppendEntries().NotTo(1).WithEntries());
  const Index index = scenario.Submit(0, 100);
  tap.Await(AppendEntriesReplies().From(1).Reaching(index).Agreeing());
  for (const ServerId candidate : {2, 3}) {
    tap.Drop(AnyRequest().From(candidate));
    tap.Drop(AnyRequest().To(candidate));
  }
  tap.Hold(RequestVotes().From(2).To(1).InTerm(term));
  tap.Hold(RequestVotes().From(3).To(1).InTerm(term - 1));
  const TapMessage newest = tap.AwaitHeld(RequestVotes().From(2).To(1));
  const TapMessage between = tap.AwaitHeld(RequestVotes().From(3).To(1));
  tap.Hold(AppendEntries().From(0).To(1));
  const TapMessage oldest = tap.AwaitHeld(AppendEntries().From(0).To(1));
  tap.Drop(AnyRequest());

  const TapMessage news = scenario.Answer(newest);
  EXPECT_FALSE(news.Agrees());
  EXPECT_EQ(news.ReplyTerm(), term);
  cluster.Restart(1);
  for (const TapMessage& request : {oldest, between}) {
    const TapMessage answer = scenario.Answer(request);
    EXPECT_FALSE(answer.Agrees())
        << "S1 was in term " << term << ", restarted, and takes part in term "
        << answer.RequestTerm() << ": currentTerm is on the disk before it "
        << "answers (Figure 2)";
    EXPECT_GE(answer.ReplyTerm(), term);
  }

  scenario.Heal();
  cluster.Agree(101, /*servers=*/4, Retry::kYes);
  cluster.End();
}

// 5.3, Figure 2: so does an entry that was acknowledged, for the server may be
// the one that made the majority. S1 crashes right after its reply, then S0,
// the leader: S1 alone can bring the entry to S2. Three times, since a log may
// be saved at some moments only.
TEST(Raft2CScenario, AckedEntrySurvivesRestart) {
  constexpr int kRounds = 3;
  Scenario scenario(/*servers=*/3, "Test (2C+): a crash right after a reply");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  for (int64_t command = 100; command < 100 + 10 * kRounds; command += 10) {
    const Term term = scenario.Elect(0);
    tap.Drop(AppendEntries().To(2).WithEntries());
    const Index index = scenario.Submit(0, command);
    tap.Await(
        AppendEntriesReplies().From(1).InTerm(term).Reaching(index).Agreeing());
    cluster.CrashServer(1);
    scenario.AwaitApplied(index, command, /*servers=*/1);

    cluster.CrashServer(0);
    cluster.Restart(1);
    tap.ForgetAll();
    scenario.Elect(1);
    EXPECT_EQ(scenario.Submit(1, command + 1), index + 1);
    scenario.AwaitApplied(index + 1, command + 1, /*servers=*/2);
    scenario.AwaitApplied(index, command, /*servers=*/2);

    cluster.Restart(0);
    scenario.AwaitApplied(index + 1, command + 1, /*servers=*/3);
  }

  cluster.End();
}

// 5.3, Figure 2: as OldAppendAfterNewer2B+, and what the follower has then is
// what it has after a crash. Finds a follower that truncates always, and one
// that saves something else than it keeps.
TEST(Raft2CScenario, OldAppendBeforeRestart) {
  Scenario scenario(/*servers=*/3,
                    "Test (2C+): an old AppendEntries before a crash");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.Elect(0);
  scenario.AwaitApplied(scenario.Submit(0, 100), 100, /*servers=*/3);

  // S2 gets nothing; S1 gets the second entry and the third together, and then
  // what carried the second alone.
  tap.Drop(AppendEntries().To(2).WithEntries());
  const int late = tap.Hold(AppendEntries().To(1).WithEntries());
  scenario.Submit(0, 101);
  const TapMessage old = tap.AwaitHeld(AppendEntries().To(1).WithEntries());
  EXPECT_EQ(scenario.Submit(0, 102), 3U);
  tap.Forget(late);
  scenario.AwaitApplied(3, 102, /*servers=*/1);
  tap.Drop(AnyRequest());
  scenario.Answer(old);

  // All crash; S1 and S2 come back.
  for (const ServerId server : {0, 1, 2}) cluster.CrashServer(server);
  tap.ForgetAll();
  for (const ServerId server : {1, 2}) cluster.Restart(server);
  scenario.Elect(1);
  EXPECT_EQ(scenario.Submit(1, 103), 4U);
  scenario.AwaitApplied(4, 103, /*servers=*/2);
  scenario.AwaitApplied(3, 102, /*servers=*/2);

  scenario.Heal();
  scenario.AwaitApplied(4, 103, /*servers=*/3);
  cluster.End();
}

// 5.1, Figure 2: a server crashes at any moment of its work, what it has sent
// comes late, the others go on without it, and it comes back. Finds a Kill()
// that hangs, state that was half saved, and answers of the dead that count.
TEST(Raft2CScenario, KillInEveryPhase) {
  Scenario scenario(/*servers=*/3, "Test (2C+): a crash in every phase");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  int64_t command = 100;

  // The first message of the phase, which is held. For an election the leader
  // is not heard.
  const auto elect = [&](const Match& moment) {
    const ServerId leader = scenario.AwaitLeader(/*above=*/0);
    tap.Hold(moment);
    tap.Drop(AppendEntries().InTerm(cluster.GetState(leader).term));
    return tap.AwaitHeld(moment);
  };
  const auto replicate = [&](const Match& moment) {
    const ServerId leader = scenario.AwaitLeader(/*above=*/0);
    tap.Hold(moment);
    scenario.Submit(leader, ++command);
    return tap.AwaitHeld(moment);
  };
  const auto survive = [&](const char* phase, ServerId victim) {
    SCOPED_TRACE(phase);
    cluster.CrashServer(victim);
    tap.ForgetAll();
    tap.ReleaseAll(&cluster, AnyMessage());
    cluster.Agree(++command, /*servers=*/2, Retry::kYes);
    scenario.Heal();
    cluster.Agree(++command, /*servers=*/3, Retry::kYes);
  };

  scenario.Elect(0);
  survive("a follower", 1);
  survive("a candidate that has asked for votes", elect(RequestVotes()).from());
  survive("a candidate that has a vote coming",
          elect(RequestVoteReplies().Agreeing()).to());
  survive("a voter", elect(RequestVoteReplies().Agreeing()).from());
  survive("a leader whose first heartbeat is on its way",
          elect(AppendEntries()).from());
  survive("a leader that has sent an entry",
          replicate(AppendEntries().WithEntries()).from());
  survive("a leader that has an entry acknowledged",
          replicate(AppendEntriesReplies().WithEntries()).to());
  survive("a follower that has acknowledged an entry",
          replicate(AppendEntriesReplies().WithEntries()).from());

  // Servers that deliver: the leader, then all of them.
  for (const ServerId last_victim : {0, 2}) {
    scenario.Elect(0);
    Index index = 0;
    for (int i = 0; i < 200; ++i) index = scenario.Submit(0, ++command);
    scenario.Require(
        "the first to be applied", "S0 leads and took them (5.3)",
        [&] { return cluster.CommittedAt(index - 190).servers > 0; });
    for (ServerId server = 0; server < last_victim; ++server) {
      cluster.CrashServer(server);
    }
    cluster.CrashServer(last_victim);
    scenario.Heal();
    cluster.Agree(++command, /*servers=*/3, Retry::kYes);
  }

  CheckOneVotePerTerm(tap);
  cluster.End();
}

// 5.1, Figure 2: what is applied stays the same over any number of restarts of
// one server, and it votes once in a term, while the others go on. S2 restarts
// at once, or when it has answered something, a thousand times or for a minute.
TEST(Raft2CScenario, ThousandRestarts) {
  constexpr int kRestarts = 1000;
  Scenario scenario(/*servers=*/3,
                    "Test (2C+): a thousand restarts of one server");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  Index last = 0;
  ServerId leader = 0;
  // A Kill() may take its time; then fewer will do.
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(60);
  for (int i = 0; i < kRestarts && Clock::now() < deadline; ++i) {
    if (i % 200 == 0) {
      leader = 1 - leader;
      scenario.Elect(leader);
    }
    if (i % 5 == 0) last = scenario.Submit(leader, i);
    const size_t now = tap.Now();
    cluster.Restart(2);
    if (i % 10 == 0) {
      tap.Require(AppendEntriesReplies().From(2).After(now),
                  "S2 has restarted, and its leader is there (5.2)");
    }
    if (i % 50 == 49) scenario.AwaitApplied(last, i - 4, /*servers=*/3);
  }

  scenario.AwaitApplied(scenario.Submit(leader, kRestarts), kRestarts,
                        /*servers=*/3);
  CheckOneVotePerTerm(tap);
  cluster.End();
}

}  // namespace
}  // namespace tests
