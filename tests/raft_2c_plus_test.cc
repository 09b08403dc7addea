// What we add to part 2C: crashes at the worst moment, and very many of them.
// Exact scenarios (tests/harness/stage.h), for any Raft.

#include <chrono>
#include <functional>
#include <vector>

#include "gtest/gtest.h"
#include "tests/harness/stage.h"

namespace tests {
namespace {

using raft::Index;
using raft::ServerId;
using raft::Term;

void Restart(Cluster* cluster, ServerId server) {
  cluster->StartServer(server);
  cluster->Connect(server);
}

// 5.2, Figure 2: a vote survives a crash. The voter restarts between the
// requests of two candidates of one term.
TEST(Raft2CPlus, VoteSurvivesRestart) {
  Stage stage(/*servers=*/4);
  Cluster& cluster = stage.cluster;
  Tap& tap = stage.tap;
  cluster.Begin("Test (2C+): a voter restarts between two candidates");
  const Term old_term = stage.Elect(0);

  // Servers 2 and 3 hear nothing any more. Both ask server 1, which still hears
  // the leader, for its vote in the next term.
  stage.OnlyAmong({0, 1});
  const auto asks = [old_term](ServerId candidate) {
    return [=](const Message& m) {
      return m.AsksForVote() && m.from == candidate && m.to == 1 &&
             m.term() == old_term + 1;
    };
  };
  tap.Hold(asks(2));
  tap.Hold(asks(3));
  const Message first = tap.AwaitHeld(asks(2));
  const Message second = tap.AwaitHeld(asks(3));

  cluster.Release(first.call);
  const Message vote = tap.AwaitSeen(
      [&](const Message& m) { return m.is_reply && m.call == first.call; });
  EXPECT_TRUE(vote.agreed) << "the first candidate should have got the vote";
  Restart(&cluster, 1);
  cluster.Release(second.call);
  const Message refusal = tap.AwaitSeen(
      [&](const Message& m) { return m.is_reply && m.call == second.call; });
  EXPECT_FALSE(refusal.agreed)
      << "server 1 has voted twice in term " << second.term();

  stage.Recover(101);
  cluster.End();
}

// 5.1: the term survives a crash. A restarted server gets a late message of an
// old leader.
TEST(Raft2CPlus, TermSurvivesRestart) {
  Stage stage(/*servers=*/3);
  Cluster& cluster = stage.cluster;
  Tap& tap = stage.tap;
  cluster.Begin("Test (2C+): an old leader's message to a restarted server");
  stage.Elect(0);
  const auto is_late = [](const Message& m) {
    return m.Appends() && m.from == 0 && m.to == 1;
  };
  tap.Hold(is_late);
  const Message late = tap.AwaitHeld(is_late);

  const Term term = stage.ElectAmong(2, {1, 2});
  stage.OnlyAmong({});
  Restart(&cluster, 1);
  cluster.Release(late.call);
  tap.Pass([&](const Message& m) { return m.call == late.call; });
  const Message answer = tap.AwaitSeen(
      [&](const Message& m) { return m.is_reply && m.call == late.call; });
  EXPECT_FALSE(answer.agreed) << "server 1 follows a leader of an old term";
  EXPECT_GE(answer.reply_term, term);

  stage.Recover(101);
  cluster.End();
}

// 5.3, Figure 2: what a server acknowledges survives its crash right behind the
// answer, for it may have been the one that made the majority.
TEST(Raft2CPlus, AcknowledgedEntrySurvivesRestart) {
  Stage stage(/*servers=*/3);
  Cluster& cluster = stage.cluster;
  Tap& tap = stage.tap;
  cluster.Begin("Test (2C+): a crash right behind an acknowledgement");
  for (int i = 0; i < 5; ++i) {
    const Index before = cluster.Agree(100 * i, /*servers=*/3, Retry::kYes);
    stage.Elect(0);
    tap.Drop([](const Message& m) { return m.HasEntries() && m.to == 2; });
    const Index index = stage.Start(0, 100 * i + 1);
    EXPECT_EQ(index, before + 1);
    tap.AwaitSeen([index](const Message& m) { return m.Acknowledges(index); });
    cluster.CrashServer(1);
    cluster.Wait(index, /*servers=*/1);
    cluster.CrashServer(0);
    Restart(&cluster, 1);
    tap.Reset();
    EXPECT_EQ(cluster.Agree(100 * i + 2, /*servers=*/2, Retry::kYes),
              index + 1);
    EXPECT_EQ(cluster.CommittedAt(index).command, Command(100 * i + 1));
    Restart(&cluster, 0);
  }

  stage.Recover(1000);
  cluster.End();
}

// A server restarts a thousand times while the others go on.
TEST(Raft2CPlus, ThousandRestarts) {
  constexpr int kRounds = 50;
  constexpr int kRestarts = 20;
  Cluster cluster(/*servers=*/3);
  cluster.Begin("Test (2C+): a thousand restarts of one server");
  for (int round = 0; round < kRounds; ++round) {
    const ServerId victim = 2;
    for (int i = 0; i < kRestarts; ++i) Restart(&cluster, victim);
    cluster.Agree(100 + round, /*servers=*/2, Retry::kYes);
  }

  cluster.Agree(1000, /*servers=*/3, Retry::kYes);
  cluster.End();
}

// A crash at any moment of an election or a replication leaves a server that
// restarts, and a cluster that goes on. What was on its way arrives, late.
TEST(Raft2CPlus, CrashInEveryPhase) {
  struct Phase {
    const char* name;
    Tap::Match at;  // the message that is on its way then
    bool starts;    // a command is needed for it
  };
  const std::vector<Phase> phases = {
      {"asks for votes", [](const Message& m) { return m.AsksForVote(); },
       false},
      {"has been voted for", [](const Message& m) { return m.GrantsVote(); },
       false},
      {"leads, and nobody knows", [](const Message& m) { return m.Appends(); },
       false},
      {"leads, and was answered",
       [](const Message& m) { return m.Acknowledges(0); }, false},
      {"sends entries", [](const Message& m) { return m.HasEntries(); }, true},
      {"gets entries acknowledged",
       [](const Message& m) { return m.Acknowledges(1); }, true},
  };
  Stage stage(/*servers=*/3);
  Cluster& cluster = stage.cluster;
  Tap& tap = stage.tap;
  cluster.Begin("Test (2C+): crashes in every phase");
  int command = 100;
  for (const Phase& phase : phases) {
    for (const bool crash_sender : {true, false}) {
      SCOPED_TRACE(phase.name);
      tap.Reset();
      const ServerId leader = cluster.CheckOneLeader();
      tap.Forget();
      tap.Hold(phase.at);
      if (phase.starts) {
        cluster.Start(leader, ++command);
      } else {
        cluster.Disconnect(leader);
      }
      const Message held = tap.AwaitHeld(phase.at);
      const ServerId victim = crash_sender ? held.from : held.to;
      cluster.CrashServer(victim);
      for (const Message& m : tap.Held(phase.at)) cluster.Release(m.call);
      tap.Reset();
      Restart(&cluster, victim);
      cluster.Connect(leader);
      cluster.Agree(++command, /*servers=*/3, Retry::kYes);
    }
  }

  // All of them while they deliver.
  const ServerId leader = cluster.CheckOneLeader();
  for (int i = 0; i < 200; ++i) cluster.Start(leader, ++command);
  for (ServerId i = 0; i < cluster.size(); ++i) cluster.CrashServer(i);
  for (ServerId i = 0; i < cluster.size(); ++i) Restart(&cluster, i);
  stage.Recover(++command);
  cluster.End();
}

}  // namespace
}  // namespace tests
