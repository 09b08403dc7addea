// When an Rsm takes a snapshot, and what it does with those that it gets.

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "rsm/rsm.h"
#include "tests/unit/rsm/rsm_fixture.h"

namespace rsm {
namespace {

using Snapshots = std::vector<std::pair<raft::Index, base::Rope>>;

// Raft's part of the disk, as a Raft would have saved it.
void SaveState(const RsmFixture& f, size_t bytes) {
  f.disk->SaveRaftState(std::string(bytes, 'x'));
}

// Raft's part of the disk grows to the limit with the third command.
TEST(RsmSnapshot, IsTakenWhenTheStateHasTheLimit) {
  RsmFixture* fixture = nullptr;
  RsmFixture f({.max_raft_state = 100,
                .hooks = {.on_apply = [&](const raft::ApplyMsg& message) {
                  if (message.index == 3) SaveState(*fixture, 100);
                }}});
  fixture = &f;
  SaveState(f, 99);
  f.raft->Deliver({CommandAt(1, 1, "a")});
  f.raft->Deliver({CommandAt(2, 1, "b")});
  f.raft->Deliver({CommandAt(3, 1, "c")});
  f.AwaitExecuted(3);
  f.rsm->Kill();  // the reader has done all then
  const Snapshots snapshots = f.raft->snapshots();
  ASSERT_EQ(snapshots.size(), 1u);
  EXPECT_EQ(snapshots[0].first, 3u);
  EXPECT_EQ(snapshots[0].second, MakeSnapshot(3, "a b c "));
}

// A machine that executes "delete" has no more what takes 60 bytes in the last
// snapshot.
class DeletingMachine : public TextMachine {
 public:
  std::string Apply(std::string_view command) override {
    if (command == "delete") garbage_ += 60;
    return TextMachine::Apply(command);
  }
  base::Rope Snapshot() override {
    garbage_ = 0;
    return TextMachine::Snapshot();
  }
  size_t Garbage() const override { return garbage_; }

 private:
  size_t garbage_ = 0;
};

TEST(RsmSnapshot, IsTakenWhenStateAndGarbageHaveTheLimit) {
  RsmFixture f({.max_raft_state = 100}, std::make_unique<DeletingMachine>());
  SaveState(f, 39);
  f.raft->Deliver({CommandAt(1, 1, "delete")});
  f.AwaitExecuted(1);
  f.raft->Deliver({CommandAt(2, 1, "delete")});
  f.AwaitExecuted(2);
  f.raft->Deliver({CommandAt(3, 1, "delete")});
  f.AwaitExecuted(3);
  f.rsm->Kill();
  EXPECT_EQ(f.raft->snapshots(),
            (Snapshots{{2, MakeSnapshot(2, "delete delete ")}}));
}

TEST(RsmSnapshot, IsNeverTakenWithoutALimit) {
  RsmFixture f;
  SaveState(f, 1'000'000);
  f.raft->Deliver({CommandAt(1, 1, "a")});
  f.AwaitExecuted(1);
  f.rsm->Kill();
  EXPECT_EQ(f.raft->snapshots(), Snapshots());
}

// The state stays above the limit: another snapshot would not shrink it.
TEST(RsmSnapshot, IsTakenOnlyAfterACommand) {
  RsmFixture f({.max_raft_state = 100});
  SaveState(f, 200);
  f.raft->Deliver({StateOf(1, true)});
  f.raft->Deliver({CommandAt(1, 1, "a")});
  f.AwaitExecuted(1);
  f.raft->Deliver({StateOf(2, true)});
  f.raft->Deliver({StateOf(3, true)});
  f.rsm->Kill();
  EXPECT_EQ(f.raft->snapshots(), (Snapshots{{1, MakeSnapshot(1, "a ")}}));
}

// 10 entries stand in the log, and what is not executed cannot be discarded. A
// snapshot of the first four would leave more than it takes.
TEST(RsmSnapshot, DiscardsAtLeastHalfOfTheLog) {
  RsmFixture f({.max_raft_state = 100});
  SaveState(f, 200);
  f.raft->SetLastIndex(10);
  for (raft::Index i = 1; i <= 4; ++i) {
    f.raft->Deliver({CommandAt(i, 1, "a")});
  }
  f.raft->Deliver({CommandAt(5, 1, "b")});
  f.AwaitExecuted(5);
  f.rsm->Kill();
  EXPECT_EQ(f.raft->snapshots(),
            (Snapshots{{5, MakeSnapshot(5, "a a a a b ")}}));
}

// Hooks of tests see it first.
TEST(RsmSnapshot, IsShownToTheHook) {
  Snapshots seen;
  Options options{.max_raft_state = 1};
  options.hooks.on_snapshot = [&](raft::Index index, const base::Rope& bytes) {
    seen.emplace_back(index, bytes);
  };
  RsmFixture f(std::move(options));
  SaveState(f, 1);
  f.raft->Deliver({CommandAt(1, 1, "a")});
  f.AwaitExecuted(1);
  f.rsm->Kill();
  EXPECT_EQ(seen, f.raft->snapshots());
}

TEST(RsmSnapshot, OnTheDiskIsRestoredFirst) {
  RsmFixture f({.max_raft_state = 1});
  f.disk->Save("state", MakeSnapshot(7, "a b "));
  f.Restart();
  // Raft delivers it once more, and commands that it covers, and goes on.
  f.raft->Deliver({SnapshotAt(7, 1, MakeSnapshot(7, "other ")),
                   CommandAt(7, 1, "b"), CommandAt(8, 1, "c")});
  EXPECT_EQ(f.AwaitExecuted(1), (std::vector<std::string>{"8c"}));
  f.rsm->Kill();
  EXPECT_EQ(f.raft->snapshots(), (Snapshots{{8, MakeSnapshot(8, "a b c ")}}));
}

TEST(RsmSnapshot, ReplacesTheState) {
  RsmFixture f({.max_raft_state = 1});
  f.raft->Deliver({CommandAt(1, 1, "a"),
                   SnapshotAt(5, 2, MakeSnapshot(5, "x ")),
                   CommandAt(6, 2, "b")});
  f.AwaitExecuted(2);
  f.rsm->Kill();
  EXPECT_TRUE(f.raft->snapshots().empty());  // nothing is on the disk
  f.disk->SaveRaftState("state");
  f.Restart();
  f.raft->Deliver(
      {SnapshotAt(5, 2, MakeSnapshot(5, "x ")), CommandAt(6, 2, "b")});
  f.AwaitExecuted(3);
  f.rsm->Kill();
  EXPECT_EQ(f.raft->snapshots(), (Snapshots{{6, MakeSnapshot(6, "x b ")}}));
}

TEST(RsmSnapshot, OlderThanWhatWasExecutedIsIgnored) {
  RsmFixture f({.max_raft_state = 1});
  f.raft->Deliver({CommandAt(1, 1, "a"), CommandAt(2, 1, "b"),
                   SnapshotAt(1, 1, MakeSnapshot(1, "wrong ")),
                   SnapshotAt(2, 1, MakeSnapshot(2, "wrong "))});
  f.Settle(3, 1);
  f.disk->SaveRaftState("state");
  f.raft->Deliver({CommandAt(4, 1, "d")});
  f.AwaitExecuted(4);
  f.rsm->Kill();
  EXPECT_EQ(f.raft->snapshots().back().second,
            MakeSnapshot(4, "a b settle d "));
}

// Their results are in it, unseen.
TEST(RsmSnapshot, OverCommandsThatWait) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> a = f.Submit("a");
  std::future<Result> b = f.Submit("b");
  std::future<Result> c = f.Submit("c");
  f.raft->Deliver({SnapshotAt(2, 1, MakeSnapshot(2, "a b "))});
  EXPECT_EQ(OutcomeOf(&a), Outcome::kLost);
  EXPECT_EQ(OutcomeOf(&b), Outcome::kLost);
  f.raft->Deliver({CommandAt(3, 1, "c")});
  EXPECT_EQ(c.get().value, "c!");
}

// Death tests begin their threads in the process that is to die.
void StartFrom(const base::Rope& snapshot) {
  RsmFixture f;
  f.disk->Save("state", snapshot);
  f.Restart();
}

void Install(const base::Rope& snapshot) {
  RsmFixture f;
  f.raft->Deliver({SnapshotAt(3, 1, snapshot)});
  f.AwaitExecuted(1);
}

TEST(RsmSnapshotDeathTest, WhatCannotBeRestoredEndsTheProcess) {
  const std::string on_disk = "S0: the snapshot on the disk cannot be restored";
  EXPECT_DEATH(StartFrom("RSM"), on_disk + ": truncated");
  EXPECT_DEATH(StartFrom("something else, and long enough"),
               on_disk + ": it is not of an Rsm");
  EXPECT_DEATH(StartFrom(MakeSnapshot(3, "broken")),
               on_disk + ": it is broken");

  const std::string delivered =
      "S0: the snapshot of index 3 cannot be restored";
  EXPECT_DEATH(Install(""), delivered + ": truncated");
  EXPECT_DEATH(Install(MakeSnapshot(4, "")), delivered + ": it is of index 4");
  EXPECT_DEATH(Install(MakeSnapshot(3, "broken")),
               delivered + ": it is broken");
}

}  // namespace
}  // namespace rsm
