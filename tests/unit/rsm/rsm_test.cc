// Which outcome a submitted command has, whatever Raft delivers.

#include "rsm/rsm.h"

#include <chrono>
#include <filesystem>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/rsm/rsm_fixture.h"

namespace rsm {
namespace {

TEST(Rsm, ACommandIsAnsweredByItsOwnExecution) {
  RsmFixture f;
  f.raft->Lead(/*term=*/1, /*next_index=*/1);
  std::future<Result> a = f.Submit("a");
  std::future<Result> b = f.Submit("b");
  f.raft->Deliver({CommandAt(1, 1, "a"), CommandAt(2, 1, "b")});

  const Result result = a.get();
  EXPECT_EQ(result.outcome, Outcome::kDone);
  EXPECT_EQ(result.value, "a!");
  EXPECT_EQ(b.get().value, "b!");
}

TEST(Rsm, SubmitWaitsForTheResult) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::thread raft;
  f.raft->WhenStarted([&](raft::StartResult started) {
    raft = std::thread(
        [&f, started] { f.raft->Deliver({CommandAt(started.index, 1, "a")}); });
  });
  EXPECT_EQ(f.rsm->Submit("a").value, "a!");
  raft.join();
}

// A follower executes what others have submitted.
TEST(Rsm, ExecutesWithoutWaiters) {
  RsmFixture f;
  f.raft->Deliver({CommandAt(1, 1, "a"), CommandAt(2, 1, "b")});
  EXPECT_EQ(f.AwaitExecuted(2), (std::vector<std::string>{"1a", "2b"}));
}

// Raft may commit and deliver an entry before Start() has returned. The reader
// must not look for the waiter before it is there: it gets 50 ms to do so.
TEST(Rsm, AppliedBeforeStartReturns) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  f.raft->WhenStarted([&](raft::StartResult) {
    std::thread([&] { f.raft->Deliver({CommandAt(1, 1, "a")}); }).join();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  EXPECT_EQ(f.rsm->Submit("a").value, "a!");
}

// The leader of a newer term put another command there.
TEST(Rsm, AnotherTermAtTheIndexIsNoAnswer) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> a = f.Submit("a");
  f.raft->Deliver({CommandAt(1, 2, "x")});
  const Result result = a.get();
  EXPECT_EQ(result.outcome, Outcome::kLost);
  EXPECT_EQ(result.value, "");
}

// Even if it is the same command, its execution answers another call.
TEST(Rsm, TheSameCommandInAnotherTermIsNoAnswer) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> a = f.Submit("a");
  f.raft->Deliver({CommandAt(1, 2, "a")});
  EXPECT_EQ(OutcomeOf(&a), Outcome::kLost);
}

// An entry of a newer term shows that all of this server's log after it, which
// is older, is gone.
TEST(Rsm, AnEntryOfANewerTermLosesAllAfterIt) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> a = f.Submit("a");
  std::future<Result> b = f.Submit("b");
  std::future<Result> c = f.Submit("c");
  f.raft->Deliver({CommandAt(1, 1, "a"), CommandAt(2, 2, "x")});
  EXPECT_EQ(a.get().value, "a!");
  EXPECT_EQ(OutcomeOf(&b), Outcome::kLost);
  EXPECT_EQ(OutcomeOf(&c), Outcome::kLost);
}

// This server led in term 1, was deposed, and leads again in term 3: Start()
// returns an index that it has returned before. Only the newer one commits.
TEST(Rsm, AnIndexThatIsUsedAgain) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> old = f.Submit("old");
  f.raft->Lead(3, 1);
  std::future<Result> young = f.Submit("young");
  f.raft->Deliver({CommandAt(1, 3, "young")});
  EXPECT_EQ(OutcomeOf(&old), Outcome::kLost);
  EXPECT_EQ(young.get().value, "young!");
}

// Against all rules; each of the two must be answered all the same, and one of
// them alone by the execution.
TEST(Rsm, ARaftThatUsesAnEntryTwice) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> first = f.Submit("a");
  f.raft->Lead(1, 1);
  std::future<Result> second = f.Submit("a");
  f.raft->Deliver({CommandAt(1, 1, "a")});
  EXPECT_EQ(OutcomeOf(&first), Outcome::kDone);
  EXPECT_EQ(OutcomeOf(&second), Outcome::kLost);
}

TEST(Rsm, AnEntryDeliveredTwiceIsExecutedOnce) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> a = f.Submit("a");
  f.raft->Deliver({CommandAt(1, 1, "a"), CommandAt(1, 1, "a")});
  f.Settle(2, 1);
  EXPECT_EQ(a.get().value, "a!");
  EXPECT_EQ(f.AwaitExecuted(2), (std::vector<std::string>{"1a", "2settle"}));
}

void DeliverAGap() {
  RsmFixture f;
  f.raft->Deliver({CommandAt(1, 1, "a"), CommandAt(3, 1, "c")});
  f.AwaitExecuted(2);
}

TEST(RsmDeathTest, AGapEndsTheProcess) {
  EXPECT_DEATH(DeliverAGap(), "S0: Raft delivers index 3 after 1");
}

// Nothing need ever be applied at the index: the new leader may be idle.
TEST(Rsm, ANewerTermLosesWithoutAnEntry) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> a = f.Submit("a");
  std::future<Result> b = f.Submit("b");
  f.raft->Deliver({StateOf(2, /*is_leader=*/false)});
  EXPECT_EQ(OutcomeOf(&a), Outcome::kLost);
  EXPECT_EQ(OutcomeOf(&b), Outcome::kLost);
}

// It was deposed and leads again, before it announced the first of the two.
TEST(Rsm, ANewerTermLosesThoughThisServerLeadsInIt) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> old = f.Submit("old");
  f.raft->Lead(3, 2);
  std::future<Result> young = f.Submit("young");
  f.raft->Deliver({StateOf(3, /*is_leader=*/true)});
  EXPECT_EQ(OutcomeOf(&old), Outcome::kLost);
  f.Settle(1, 3);
  EXPECT_FALSE(IsReady(young));
  f.raft->Deliver({CommandAt(2, 3, "young")});
  EXPECT_EQ(young.get().value, "young!");
}

// What is announced may be older than the command: that this server leads in
// its term, and what it was before.
TEST(Rsm, AnOlderOrEqualStateLosesNothing) {
  RsmFixture f;
  f.raft->Lead(2, 2);
  std::future<Result> a = f.Submit("a");
  f.raft->Deliver({StateOf(1, true), StateOf(1, false), StateOf(2, false),
                   StateOf(2, true)});
  f.Settle(1, 2);
  EXPECT_FALSE(IsReady(a));
  f.raft->Deliver({CommandAt(2, 2, "a")});
  EXPECT_EQ(a.get().value, "a!");
}

// What was committed before the change of term is delivered before it.
TEST(Rsm, WhatCommittedBeforeANewerTermIsDone) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> a = f.Submit("a");
  std::future<Result> b = f.Submit("b");
  f.raft->Deliver({CommandAt(1, 1, "a"), StateOf(2, false)});
  EXPECT_EQ(a.get().value, "a!");
  EXPECT_EQ(OutcomeOf(&b), Outcome::kLost);
}

TEST(Rsm, RefusalsComeAtOnce) {
  RsmFixture f;
  EXPECT_EQ(f.rsm->Submit("a").outcome, Outcome::kNotLeader);
  const std::string too_large(raft::kMaxCommandBytes + 1, 'x');
  EXPECT_EQ(f.rsm->Submit(too_large).outcome, Outcome::kTooLarge);

  const std::thread::id caller = std::this_thread::get_id();
  f.rsm->SubmitAsync("a", [caller](const Result& result) {
    EXPECT_EQ(result.outcome, Outcome::kNotLeader);
    EXPECT_EQ(std::this_thread::get_id(), caller);
  });
}

// A client's next command, when it has the answer of the first.
TEST(Rsm, ACallbackMaySubmit) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::promise<std::future<Result>> next;
  f.rsm->SubmitAsync("a",
                     [&](const Result&) { next.set_value(f.Submit("b")); });
  f.raft->Deliver({CommandAt(1, 1, "a")});
  std::future<Result> b = next.get_future().get();
  f.raft->Deliver({CommandAt(2, 1, "b")});
  EXPECT_EQ(b.get().value, "b!");
}

TEST(Rsm, AThousandCommandsWaitWithoutAThread) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                         {});
  };
  RsmFixture f;
  f.raft->Lead(1, 1);
  const auto before = threads();
  std::vector<std::future<Result>> results;
  std::vector<raft::ApplyMsg> batch;
  for (raft::Index i = 1; i <= 1000; ++i) {
    results.push_back(f.Submit("a"));
    batch.push_back(CommandAt(i, 1, "a"));
  }
  EXPECT_EQ(threads(), before);
  f.raft->Deliver(std::move(batch));
  for (std::future<Result>& result : results) {
    EXPECT_EQ(OutcomeOf(&result), Outcome::kDone);
  }
}

TEST(Rsm, HooksSeeWhatIsDeliveredAndExecuted) {
  std::vector<std::string> seen;  // by the reader, read when that is joined
  Options options;
  options.hooks.on_apply = [&](const raft::ApplyMsg& message) {
    seen.push_back(absl::StrCat("apply ", message.index));
  };
  {
    RsmFixture f(std::move(options));
    f.raft->Deliver({StateOf(1, false), CommandAt(1, 1, "a"),
                     SnapshotAt(5, 1, MakeSnapshot(5, "")),
                     CommandAt(6, 1, "b")});
    f.AwaitExecuted(2);
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"apply 1", "apply 5", "apply 6"}));
}

}  // namespace
}  // namespace rsm
