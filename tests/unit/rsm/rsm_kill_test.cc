// How an Rsm ends.

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "rsm/rsm.h"
#include "tests/unit/rsm/rsm_fixture.h"

namespace rsm {
namespace {

TEST(RsmKill, LosesWhatWaits) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> a = f.Submit("a");
  std::thread blocked(
      [&] { EXPECT_EQ(f.rsm->Submit("b").outcome, Outcome::kLost); });
  while (f.raft->next_index() < 3) std::this_thread::yield();

  f.rsm->Kill();
  EXPECT_TRUE(IsReady(a));
  EXPECT_EQ(OutcomeOf(&a), Outcome::kLost);
  blocked.join();
}

// Its Raft would have taken it.
TEST(RsmKill, RefusesWhatComesLater) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  f.raft->StayAlive();
  f.rsm->Kill();
  EXPECT_EQ(f.rsm->Submit("a").outcome, Outcome::kNotLeader);
  EXPECT_EQ(f.raft->next_index(), 1u);
}

// As the course's tester does it.
TEST(RsmKill, TheRaftAloneIsKilled) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  f.raft->StayAlive();
  std::future<Result> a = f.Submit("a");
  f.rsm->raft().Kill();
  EXPECT_EQ(OutcomeOf(&a), Outcome::kLost);
  // The reader has ended, so no command may wait for it, though this Raft would
  // take one.
  EXPECT_EQ(f.rsm->Submit("b").outcome, Outcome::kNotLeader);
}

// What was committed and delivered is executed, and answered.
TEST(RsmKill, WhatWasDeliveredIsDone) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> a = f.Submit("a");
  f.raft->Deliver({CommandAt(1, 1, "a")});
  f.rsm->Kill();
  EXPECT_EQ(OutcomeOf(&a), Outcome::kDone);
}

TEST(RsmKill, FromSeveralThreads) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> a = f.Submit("a");
  std::vector<std::thread> killers;
  for (int i = 0; i < 4; ++i) {
    killers.emplace_back([&] {
      f.rsm->Kill();
      // Not even the second caller returns earlier.
      EXPECT_TRUE(f.raft->was_killed());
    });
  }
  for (std::thread& killer : killers) killer.join();
  EXPECT_EQ(OutcomeOf(&a), Outcome::kLost);
  f.rsm->Kill();
}

// Every call returns, and none twice.
TEST(RsmKill, WhileCommandsAreSubmitted) {
  for (int round = 0; round < 10; ++round) {
    RsmFixture f;
    f.raft->Lead(1, 1);
    std::atomic<int> submitted = 0;
    std::atomic<int> answered = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&] {
        std::atomic<bool> refused = false;
        while (!refused) {
          ++submitted;
          f.rsm->SubmitAsync("a", [&](const Result& result) {
            ++answered;
            if (result.outcome == Outcome::kNotLeader) refused = true;
          });
        }
      });
    }
    while (submitted < 100) std::this_thread::yield();
    f.rsm->Kill();
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(answered, submitted);
  }
}

// A callback that asks again at once, while all that waits is lost.
TEST(RsmKill, ACallbackMaySubmit) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::promise<Outcome> second;
  f.rsm->SubmitAsync("a", [&](const Result& first) {
    EXPECT_EQ(first.outcome, Outcome::kLost);
    f.rsm->SubmitAsync(
        "a", [&](const Result& result) { second.set_value(result.outcome); });
  });
  f.rsm->Kill();
  EXPECT_EQ(second.get_future().get(), Outcome::kNotLeader);
}

TEST(RsmKill, TheDestructorKills) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::future<Result> a = f.Submit("a");
  f.rsm = nullptr;
  EXPECT_TRUE(IsReady(a));
  EXPECT_EQ(OutcomeOf(&a), Outcome::kLost);
}

// A callback of the reader's.
void CallFromTheReader(void (*call)(Rsm*)) {
  RsmFixture f;
  f.raft->Lead(1, 1);
  std::promise<void> done;
  f.rsm->SubmitAsync("a", [&](const Result&) {
    call(f.rsm.get());
    done.set_value();
  });
  f.raft->Deliver({StateOf(2, false)});
  done.get_future().wait();
}

TEST(RsmKillDeathTest, NotByTheReader) {
  EXPECT_DEATH(CallFromTheReader([](Rsm* rsm) { rsm->Kill(); }),
               "Rsm::Kill\\(\\) is called by the reader");
  EXPECT_DEATH(CallFromTheReader([](Rsm* rsm) { rsm->Submit("b"); }),
               "Rsm::Submit\\(\\) is called by the reader");
}

// A thread that comes later may have the id that the reader had.
TEST(RsmKill, AnyThreadMayKillAgain) {
  RsmFixture f;
  f.rsm->Kill();
  for (int i = 0; i < 20; ++i) {
    std::thread([&f] {
      f.rsm->Kill();
      EXPECT_EQ(f.rsm->Submit("a").outcome, Outcome::kNotLeader);
    }).join();
  }
}

void SubmitUnderALock() {
  RsmFixture f;
  base::Mutex mu;
  base::MutexLock lock(&mu);
  f.rsm->Submit("a");
}

TEST(RsmKillDeathTest, NoSubmitUnderALock) {
  EXPECT_DEATH(SubmitUnderALock(), "Rsm::Submit\\(\\) is called while");
}

}  // namespace
}  // namespace rsm
