// What we add to part 2A: elections in which single messages are late, lost or
// doubled. Exact scenarios (tests/harness/stage.h), for any Raft.

#include <chrono>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/harness/stage.h"

namespace tests {
namespace {

using raft::ServerId;
using raft::Term;
using std::chrono::milliseconds;
using std::this_thread::sleep_for;

// 5.2: a vote counts in the term that it was asked for. Finds a candidate that
// takes late votes of an earlier term for votes in its present one.
TEST(Raft2APlus, LateVoteReply) {
  Stage stage(/*servers=*/3);
  stage.cluster.Begin("Test (2A+): votes of an earlier term");
  stage.tap.Drop([](const Message& m) { return !m.is_reply && m.from != 0; });
  stage.tap.Hold([](const Message& m) { return m.GrantsVote(); });
  const Message vote =
      stage.tap.AwaitHeld([](const Message& m) { return m.GrantsVote(); });
  const Term old_term = vote.term();

  // Its next elections find no one; in one of them it gets the old votes.
  stage.tap.Drop([old_term](const Message& m) {
    return !m.is_reply && m.term() > old_term;
  });
  stage.tap.AwaitSeen([old_term](const Message& m) {
    return m.AsksForVote() && m.from == 0 && m.term() > old_term;
  });
  for (const Message& m :
       stage.tap.Held([](const Message& it) { return it.GrantsVote(); })) {
    stage.cluster.Release(m.call);
  }
  for (int i = 0; i < 100; ++i) {
    if (stage.cluster.GetState(0).is_leader) {
      Fail("server 0 leads by votes of an earlier term");
    }
    sleep_for(milliseconds(5));
  }

  stage.Recover(101);
  stage.cluster.End();
}

// 5.2, Figure 2: only a granted vote, not the mere request for one, postpones a
// follower's own election. Server 1 alone has the longest log; servers 3 and 4
// ask it for votes all the time, in vain.
TEST(Raft2APlus, DisturbedElectionTimer) {
  Stage stage(/*servers=*/5);
  Tap& tap = stage.tap;
  stage.cluster.Begin("Test (2A+): election under vain requests for votes");
  stage.Elect(0);
  tap.Drop([](const Message& m) { return m.HasEntries() && m.to != 1; });
  const raft::Index last = stage.Start(0, 101);
  tap.AwaitSeen([last](const Message& m) { return m.Acknowledges(last); });

  // A stock of such requests; meanwhile nobody wins, since none arrives.
  constexpr size_t kRequests = 25;
  const auto is_vain = [](const Message& m) {
    return m.AsksForVote() && m.from >= 3 && m.to == 1;
  };
  tap.Reset();
  tap.Drop([](const Message& m) { return !m.is_reply; });
  tap.Hold(is_vain);
  tap.AwaitHeld(is_vain, kRequests);

  // One every 100 ms: far more often than anybody's time-out.
  const std::vector<Message> stock = tap.Held(is_vain);
  const auto is_own = [](const Message& m) {
    return m.AsksForVote() && m.from == 1;
  };
  tap.Pass([](const Message& m) { return !m.is_reply && m.from == 1; });
  const size_t before = tap.Seen(is_own).size();
  for (const Message& m : stock) {
    stage.cluster.Release(m.call);
    sleep_for(milliseconds(100));
  }
  if (tap.Seen(is_own).size() == before) {
    Fail("server 1 stood for no election, for it was asked for votes");
  }
  stage.Await([&] { return stage.cluster.GetState(1).is_leader; },
              "the election of server 1");

  stage.Recover(102);
  stage.cluster.End();
}

// 5.2: a leader's heart-beats go to all, whatever has become of those before.
// Finds one that waits for the answer of one peer before it turns to the next.
TEST(Raft2APlus, HeartbeatsDespiteDeadPeers) {
  Stage stage(/*servers=*/5);
  stage.cluster.Begin("Test (2A+): heart-beats beside peers that never answer");
  const ServerId leader = stage.cluster.CheckOneLeader();
  const ServerId dead1 = leader == 0 ? 1 : 0;
  const ServerId dead2 = stage.cluster.Next(leader) == dead1
                             ? stage.cluster.Next(leader, 2)
                             : stage.cluster.Next(leader);
  const Term term = stage.cluster.GetState(leader).term;
  stage.tap.Hold([dead1, dead2](const Message& m) {
    return !m.is_reply && (m.Touches(dead1) || m.Touches(dead2));
  });

  for (int i = 0; i < 80; ++i) {
    sleep_for(milliseconds(50));
    const raft::State state = stage.cluster.GetState(leader);
    if (!state.is_leader || state.term != term) {
      Fail("the leader lost its office though a majority could hear it");
    }
  }
  for (ServerId i = 0; i < stage.cluster.size(); ++i) {
    if (i == dead1 || i == dead2) continue;
    if (stage.cluster.GetState(i).term != term) {
      Fail("a follower that could hear the leader stood for election");
    }
  }

  stage.Recover(101);
  stage.cluster.End();
}

// 5.1: whoever hears of a newer term follows, by a reply too. The old leader
// gets replies only: no request reaches it.
TEST(Raft2APlus, StepsDownOnReply) {
  Stage stage(/*servers=*/3);
  stage.cluster.Begin("Test (2A+): an old leader that hears replies only");
  const Term old_term = stage.Elect(0);
  const Term term = stage.ElectAmong(1, {1, 2});
  EXPECT_GT(term, old_term);

  stage.tap.Reset();
  stage.tap.Drop([](const Message& m) {
    return !m.is_reply && (m.to == 0 || m.AsksForVote());
  });
  stage.Await([&] { return !stage.cluster.GetState(0).is_leader; },
              "the old leader's end, of which replies have told it",
              Place::Here(), milliseconds(2000));

  stage.Recover(101);
  stage.cluster.End();
}

// 5.2: a server votes once, and is counted once, however often it is asked.
TEST(Raft2APlus, DoubledRequests) {
  Stage stage(/*servers=*/5);
  stage.cluster.Begin("Test (2A+): every request arrives twice");
  stage.tap.Duplicate([](const Message& m) { return !m.is_reply; });
  for (int round = 0; round < 3; ++round) {
    const ServerId leader = stage.cluster.CheckOneLeader();
    for (int i = 0; i < 5; ++i) {
      stage.cluster.Agree(100 * round + i, /*servers=*/4, Retry::kYes);
    }
    stage.cluster.Disconnect(leader);
    stage.cluster.CheckOneLeader();
    stage.cluster.Connect(leader);
  }

  stage.Recover(1000);
  stage.cluster.End();
}

// 5.2: two votes of five are no majority, also if one of them is given in many
// elections, or twice.
TEST(Raft2APlus, OneVoteIsCountedOnce) {
  Stage stage(/*servers=*/5);
  stage.cluster.Begin("Test (2A+): one voter is no majority");
  stage.tap.Drop([](const Message& m) {
    return !m.is_reply && (m.from != 0 || m.to != 1);
  });
  stage.tap.Duplicate([](const Message& m) {
    return m.AsksForVote() && m.from == 0 && m.to == 1;
  });
  // Several elections, with a vote in each.
  for (int i = 0; i < 600; ++i) {
    if (stage.cluster.GetState(0).is_leader) {
      Fail("server 0 leads by the votes of one other of five");
    }
    sleep_for(milliseconds(5));
  }

  stage.Recover(101);
  stage.cluster.End();
}

// 5.2: server 0 hears server 1, which does not hear it. Whoever hears a leader
// is content; whoever does not must not prevent the others from having one.
TEST(Raft2APlus, AsymmetricLinks) {
  Stage stage(/*servers=*/3);
  stage.cluster.Begin("Test (2A+): a link that works in one direction");
  for (const ServerId deaf : {1, 0}) {
    const ServerId mute = 1 - deaf;
    stage.tap.Reset();
    stage.tap.Drop([deaf, mute](const Message& m) {
      return m.from == mute && m.to == deaf;
    });
    // The third can talk with both, so a leader is possible at all times: the
    // third, or one of the two that the other need not hear.
    stage.cluster.CheckOneLeader();
    stage.cluster.Agree(100 + deaf, /*servers=*/2, Retry::kYes);
  }

  stage.Recover(200);
  stage.cluster.End();
}

}  // namespace
}  // namespace tests
