// What we add to part 2B: logs that part and meet again while single messages
// are late. Exact scenarios (tests/harness/stage.h), for any Raft.

#include <chrono>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/harness/stage.h"

namespace tests {
namespace {

using raft::Index;
using raft::ServerId;
using raft::Term;
using std::chrono::milliseconds;
using std::this_thread::sleep_for;

// Figure 8, (a) to (c); server i is the figure's S(i+1). Returns the index of
// the entry that stands on a majority, though it is not committed.
Index PlayFigure8(Stage* stage) {
  Cluster& cluster = stage->cluster;
  Tap& tap = stage->tap;
  cluster.Agree(100, /*servers=*/5, Retry::kYes);

  // (a) S1 leads, and has an entry on S2.
  stage->Elect(0);
  tap.Drop([](const Message& m) { return m.HasEntries() && m.to != 1; });
  const Index index = stage->Start(0, 201);
  tap.AwaitSeen([index](const Message& m) { return m.Acknowledges(index); });

  // (b) S1 crashes. S5 is elected by S3 and S4, and takes another entry.
  cluster.CrashServer(0);
  stage->ElectAmong(4, {2, 3, 4});
  tap.Drop([](const Message& m) { return m.HasEntries(); });
  EXPECT_EQ(stage->Start(4, 301), index);

  // (c) S5 crashes. S1 restarts, is elected and goes on: its old entry reaches
  // S3, and so a majority.
  cluster.CrashServer(4);
  cluster.StartServer(0);
  cluster.Connect(0);
  const Term term = stage->ElectAmong(0, {0, 1, 2, 3});
  tap.Drop([](const Message& m) { return m.HasEntries() && m.to == 3; });
  for (const ServerId follower : {1, 2}) {
    tap.AwaitSeen([=](const Message& m) {
      return m.Acknowledges(index) && m.from == follower && m.term() == term;
    });
  }
  return index;
}

// 5.4.2, Figure 8 (d): an entry of an older term on a majority is not committed
// by that; another leader may overwrite it.
TEST(Raft2BPlus, Figure8Overwritten) {
  Stage stage(/*servers=*/5);
  Cluster& cluster = stage.cluster;
  cluster.Begin("Test (2B+): Figure 8, (a) (b) (c) (d)");
  const Index index = PlayFigure8(&stage);
  stage.ExpectNotApplied(index);

  // (d) S1 crashes, S5 restarts: S2, S3 and S4 may vote for it.
  cluster.CrashServer(0);
  cluster.StartServer(4);
  cluster.Connect(4);
  stage.ElectAmong(4, {1, 2, 3, 4});
  stage.tap.Reset();
  cluster.Agree(302, /*servers=*/4, Retry::kYes);
  EXPECT_EQ(cluster.CommittedAt(index).command, Command(301));

  cluster.StartServer(0);
  cluster.Connect(0);
  stage.Recover(400);
  cluster.End();
}

// 5.4.2, Figure 8 (e): with an entry of the leader's own term the older one is
// committed too, and S5 cannot be elected any more.
TEST(Raft2BPlus, Figure8Committed) {
  Stage stage(/*servers=*/5);
  Cluster& cluster = stage.cluster;
  cluster.Begin("Test (2B+): Figure 8, (a) (b) (c) (e)");
  const Index index = PlayFigure8(&stage);

  // (e) S1 has an entry of its own term on a majority.
  EXPECT_EQ(stage.Start(0, 401), index + 1);
  cluster.Wait(index + 1, /*servers=*/3);
  EXPECT_EQ(cluster.CommittedAt(index).command, Command(201));

  cluster.CrashServer(0);
  cluster.StartServer(4);
  cluster.Connect(4);
  stage.tap.Reset();
  const ServerId leader = cluster.CheckOneLeader();
  EXPECT_NE(leader, 4);
  cluster.Agree(402, /*servers=*/4, Retry::kYes);

  cluster.StartServer(0);
  cluster.Connect(0);
  stage.Recover(500);
  cluster.End();
}

// 5.3: what an answer says holds for the request that it answers. An old leader
// is leader again in a later term, and gets an acknowledgement of its earlier
// one: the entries at those indexes are others by now.
TEST(Raft2BPlus, LateAcknowledgement) {
  Stage stage(/*servers=*/5);
  Cluster& cluster = stage.cluster;
  Tap& tap = stage.tap;
  cluster.Begin("Test (2B+): an acknowledgement of an earlier term");
  cluster.Agree(100, /*servers=*/5, Retry::kYes);

  // Server 0 has entries on server 1, which acknowledges them, but not now.
  stage.Elect(0);
  tap.Drop([](const Message& m) { return m.HasEntries() && m.to != 1; });
  tap.Hold([](const Message& m) { return m.Acknowledges(2); });
  Index last = 0;
  for (const int command : {101, 102, 103}) last = stage.Start(0, command);
  const auto is_late = [last](const Message& m) {
    return m.Acknowledges(last);
  };
  tap.AwaitHeld(is_late);

  // The others commit another entry there, and give it to both.
  stage.ElectAmong(2, {2, 3, 4});
  const Index index = stage.Start(2, 201);
  cluster.Wait(index, /*servers=*/3);
  stage.Elect(2);
  cluster.Wait(index, /*servers=*/5);

  // Server 0 leads again; what it takes now is on server 3 beside.
  const Term term = stage.Elect(0);
  tap.Drop([](const Message& m) { return m.HasEntries() && m.to != 3; });
  while (stage.Start(0, 301) < last) {
  }
  tap.AwaitSeen([=](const Message& m) {
    return m.Acknowledges(last) && m.from == 3 && m.term() == term;
  });
  for (const Message& m : tap.Held(is_late)) cluster.Release(m.call);
  stage.ExpectNotApplied(index + 1);

  stage.Recover(400);
  cluster.End();
}

// 5.3: a rejection that comes late moves the leader back at most for a while;
// what was acknowledged is not lost, and the log goes on.
TEST(Raft2BPlus, LateRejection) {
  Stage stage(/*servers=*/3);
  Cluster& cluster = stage.cluster;
  Tap& tap = stage.tap;
  cluster.Begin("Test (2B+): rejections that come late");
  cluster.Agree(100, /*servers=*/3, Retry::kYes);

  // Server 2 misses entries, and rejects what a new leader sends; late.
  stage.ElectAmong(0, {0, 1});
  for (int i = 0; i < 10; ++i) stage.Start(0, 101 + i);
  cluster.Wait(11, /*servers=*/2);
  const auto rejects = [](const Message& m) {
    return m.append_entries && m.is_reply && !m.agreed && m.from == 2 &&
           m.reply_term == m.term();
  };
  stage.HoldThroughout(rejects);
  stage.Elect(1);
  tap.AwaitHeld(rejects);
  tap.Pass(rejects);
  cluster.Wait(11, /*servers=*/3);
  for (const Message& m : tap.Held(rejects)) cluster.Release(m.call);
  for (int i = 0; i < 5; ++i) {
    cluster.Agree(201 + i, /*servers=*/3, Retry::kYes);
  }

  stage.Recover(300);
  cluster.End();
}

// 5.3, Figure 2: a follower deletes only what conflicts. An old AppendEntries
// arrives after a newer one: it must not take back what is acknowledged.
TEST(Raft2BPlus, OldAppendEntriesLast) {
  Stage stage(/*servers=*/3);
  Cluster& cluster = stage.cluster;
  Tap& tap = stage.tap;
  cluster.Begin("Test (2B+): an AppendEntries overtaken by a newer one");
  cluster.Agree(100, /*servers=*/3, Retry::kYes);

  // The first entry alone is on hold; both together arrive and commit.
  stage.Elect(0);
  tap.Drop([](const Message& m) { return m.HasEntries() && m.to == 2; });
  const auto is_old = [](const Message& m) {
    return m.HasEntries() && m.to == 1 && m.last_index() == 2;
  };
  tap.Hold(is_old);
  stage.Start(0, 101);
  tap.AwaitHeld(is_old);
  const Index last = stage.Start(0, 102);
  tap.AwaitSeen([last](const Message& m) { return m.Acknowledges(last); });
  cluster.Wait(last, /*servers=*/1);

  // The old one arrives; then the leader is gone, and cannot repair.
  tap.Drop([](const Message&) { return true; });
  const uint64_t old = tap.Held(is_old).front().call;
  tap.Pass([old](const Message& m) { return m.call == old; });
  cluster.Release(old);
  tap.AwaitSeen(
      [old](const Message& m) { return m.is_reply && m.call == old; });
  cluster.Disconnect(0);
  tap.Reset();
  EXPECT_EQ(cluster.Agree(103, /*servers=*/2, Retry::kYes), last + 1);
  EXPECT_EQ(cluster.CommittedAt(last).command, Command(102));

  cluster.Connect(0);
  stage.Recover(200);
  cluster.End();
}

// Figure 2, AppendEntries 5: a follower commits no further than the last entry
// that the request vouches for. Server 1 holds entries of an old leader; the
// new one tells it of a commit index beyond what it has sent.
TEST(Raft2BPlus, CommitIndexBeyondTheRequest) {
  Stage stage(/*servers=*/5);
  Cluster& cluster = stage.cluster;
  Tap& tap = stage.tap;
  cluster.Begin("Test (2B+): a commit index beyond what was sent");
  cluster.Agree(100, /*servers=*/5, Retry::kYes);
  stage.Elect(0);
  tap.Drop([](const Message& m) { return m.HasEntries() && m.to != 1; });
  stage.Start(0, 101);
  const Index last = stage.Start(0, 102);
  tap.AwaitSeen([last](const Message& m) { return m.Acknowledges(last); });

  // A new leader that does not know yet what is committed. Server 1 hears its
  // heart-beats, but gets none of its entries.
  stage.OnlyAmong({});
  for (const ServerId i : {2, 3, 4}) cluster.StartServer(i);
  for (const ServerId i : {2, 3, 4}) cluster.Connect(i);
  const Term term = stage.ElectAmong(2, {1, 2, 3, 4});
  tap.Hold([](const Message& m) { return m.HasEntries() && m.to == 1; });
  tap.AwaitSeen([term](const Message& m) {
    return m.Acknowledges(1) && m.from == 1 && m.term() == term;
  });
  const Index index = stage.Start(2, 201);
  EXPECT_LE(index, last);
  cluster.Wait(index, /*servers=*/3);
  sleep_for(milliseconds(500));
  EXPECT_EQ(cluster.CommittedAt(index).command, Command(201));

  stage.Recover(300);
  cluster.End();
}

// End of 5.3: a follower whose log parted many terms ago catches up in a few
// rounds: one rejection for each of its terms, not for each entry.
TEST(Raft2BPlus, BackUpByTerms) {
  constexpr int kTerms = 4;
  constexpr int kEntries = 20;
  Stage stage(/*servers=*/5);
  Cluster& cluster = stage.cluster;
  Tap& tap = stage.tap;
  cluster.Begin("Test (2B+): rejections until two logs meet");
  cluster.Agree(100, /*servers=*/5, Retry::kYes);

  // Servers 0 and 1 gather entries of several terms that nobody else has; the
  // others vote without getting them.
  for (int i = 0; i < kTerms; ++i) {
    stage.Elect(i % 2);
    tap.Drop([](const Message& m) { return m.HasEntries() && m.to > 1; });
    Index last = 0;
    for (int j = 0; j < kEntries; ++j) {
      last = stage.Start(i % 2, 1000 * (i + 1) + j);
    }
    tap.AwaitSeen([last](const Message& m) { return m.Acknowledges(last); });
  }
  stage.ElectAmong(2, {2, 3, 4});
  for (int j = 0; j < kTerms * kEntries; ++j) stage.Start(2, 9000 + j);
  cluster.Wait(1 + kTerms * kEntries, /*servers=*/3);

  tap.Forget();
  stage.Elect(2);
  cluster.Wait(1 + kTerms * kEntries, /*servers=*/5);
  const auto rejections = tap.Seen([](const Message& m) {
    return m.append_entries && m.is_reply && !m.agreed && m.from == 1;
  });
  // Requests may overlap, so that some rejections say the same.
  constexpr size_t kMost = 2 * (kTerms + 2);
  EXPECT_LE(rejections.size(), kMost);

  stage.Recover(300);
  cluster.End();
}

}  // namespace
}  // namespace tests
