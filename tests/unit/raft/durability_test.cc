// A server whose storage takes time: what waits for it, and what does not
// (Figure 2, "updated on stable storage before responding to RPCs"; the thesis,
// 10.2.1). The test says when something is durable.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "gtest/gtest.h"
#include "tests/unit/raft/raft_fixture.h"

namespace raft {
namespace {

using base::MutexLock;
using persister::Recovered;
using persister::Storage;
using Changes = std::vector<std::string>;

class ControlledStorage : public Storage {
 public:
  Recovered TakeRecovered() override { return {}; }
  void OnDurable(std::function<void(Ticket)> function) override {
    on_durable_ = std::move(function);
  }
  Ticket SetVote(uint64_t term, int64_t voted_for) override {
    return Add(absl::StrCat("term ", term, " vote ", voted_for));
  }
  Ticket Append(uint64_t first_index, std::string_view) override {
    return Add(absl::StrCat("append ", first_index));
  }
  Ticket TruncateFrom(uint64_t index) override {
    return Add(absl::StrCat("truncate ", index));
  }
  Ticket InstallSnapshot(uint64_t index, uint64_t, base::Rope) override {
    return Add(absl::StrCat("snapshot ", index));
  }
  Ticket last() const override {
    MutexLock lock(&mu_);
    return changes_.size();
  }
  bool HasRoom() const override {
    MutexLock lock(&mu_);
    was_asked_for_room_ = true;
    changed_.SignalAll();
    return has_room;
  }
  bool WaitDurable(Ticket ticket) override {
    base::Mutex::AssertNoneHeld("WaitDurable()");
    MutexLock lock(&mu_);
    ++waiting_;
    changed_.SignalAll();
    while (durable_ < ticket && !closed_) changed_.Wait(&mu_);
    --waiting_;
    return durable_ >= ticket;
  }
  void Close() override {
    MutexLock lock(&mu_);
    closed_ = true;
    changed_.SignalAll();
  }

  void MakeDurable(Ticket ticket) {
    {
      MutexLock lock(&mu_);
      durable_ = ticket;
      changed_.SignalAll();
    }
    on_durable_(ticket);
  }
  void MakeAllDurable() { MakeDurable(last()); }
  void AwaitWaiter() {
    MutexLock lock(&mu_);
    while (waiting_ == 0) changed_.Wait(&mu_);
  }
  void AwaitQuestionForRoom() {
    MutexLock lock(&mu_);
    while (!was_asked_for_room_) changed_.Wait(&mu_);
  }
  Changes TakeChanges(size_t from) const {
    MutexLock lock(&mu_);
    return {changes_.begin() + static_cast<ptrdiff_t>(from), changes_.end()};
  }

  std::atomic<bool> has_room = true;

 private:
  Ticket Add(std::string change) {
    MutexLock lock(&mu_);
    changes_.push_back(std::move(change));
    return changes_.size();
  }

  mutable base::Mutex mu_;
  mutable base::CondVar changed_;
  std::function<void(Ticket)> on_durable_;
  Changes changes_ ABSL_GUARDED_BY(mu_);
  Ticket durable_ ABSL_GUARDED_BY(mu_) = 0;
  int waiting_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  mutable bool was_asked_for_room_ ABSL_GUARDED_BY(mu_) = false;
};

// Server 0 of three on such a storage.
struct Durability : RaftFixture, testing::Test {
  Durability() {
    channel = std::make_shared<ApplyChannel>(1024);
    Options options;
    options.clock = [this] { return now; };
    raft = std::make_unique<RaftServer>(
        std::vector<std::shared_ptr<rpc::ClientEnd>>(ends.begin(), ends.end()),
        /*me=*/0, storage, channel, std::move(options));
  }

  // Runs it on a thread, and comes back when it waits for the storage.
  struct Waiter {
    std::atomic<bool> returned = false;
    std::thread thread;
  };
  std::unique_ptr<Waiter> Begin(const std::function<void()>& call) {
    auto waiter = std::make_unique<Waiter>();
    waiter->thread = std::thread([call, &returned = waiter->returned] {
      call();
      returned = true;
    });
    storage->AwaitWaiter();
    return waiter;
  }
  // It waits still, and returns when all is durable.
  void ExpectWaits(std::unique_ptr<Waiter> waiter) {
    EXPECT_FALSE(waiter->returned);
    storage->MakeAllDurable();
    waiter->thread.join();
  }
  void Lead() {
    ExpectWaits(Begin([this] { raft->StartElection(); }));
    ends[1]->Answer(kRequestVote, RequestVoteReply{1, true});
    ends[2]->Lose();
    ASSERT_EQ(role(), Role::kLeader);
    for (const auto& end : ends) end->Close();
  }
  // As an accepted AppendEntries up to `last` would.
  void Acknowledge(size_t peer, Index last) {
    Beat(kTiming.heartbeat_interval);
    while (ends[peer]->pending() > 0) {
      const AppendEntriesArgs args = ends[peer]->Peek(kAppendEntries);
      if (args.prev_log_index + args.entries.size() > last) {
        ends[peer]->Lose();
      } else {
        ends[peer]->Answer(kAppendEntries,
                           AppendEntriesReply{.term = 1, .success = true});
      }
    }
  }
  Index durable_index() const { return raft->GetStatus().durable_index; }

  static constexpr Timing kTiming = {};
  std::shared_ptr<ControlledStorage> storage =
      std::make_shared<ControlledStorage>();
};

TEST_F(Durability, AVoteWaits) {
  RequestVoteReply reply;
  ExpectWaits(Begin([&] { reply = AskVote(3, /*candidate=*/1, 0, 0); }));
  EXPECT_TRUE(reply.vote_granted);
  EXPECT_EQ(reply.term, 3u);
  EXPECT_EQ(storage->TakeChanges(0),
            (Changes{"term 3 vote -1", "term 3 vote 1"}));
}

// The term in it may be what another handler has just learned.
TEST_F(Durability, ARefusalWaitsToo) {
  auto first = Begin([&] { AskVote(3, /*candidate=*/1, 0, 0); });
  RequestVoteReply reply;
  auto second = std::make_unique<Waiter>();
  second->thread = std::thread([&, &returned = second->returned] {
    reply = AskVote(2, /*candidate=*/2, 0, 0);
    returned = true;
  });
  ExpectWaits(std::move(second));
  EXPECT_FALSE(reply.vote_granted);
  EXPECT_EQ(reply.term, 3u);
  first->thread.join();
}

TEST_F(Durability, AnAcknowledgementWaits) {
  AppendEntriesReply reply;
  ExpectWaits(Begin([&] { reply = Append(1, 0, 0, {{1, "x"}, {1, "y"}}); }));
  EXPECT_TRUE(reply.success);
  EXPECT_EQ(durable_index(), 2u);
}

TEST_F(Durability, AnInstalledSnapshotWaits) {
  InstallSnapshotReply reply;
  ExpectWaits(Begin([&] {
    reply = raft->InstallSnapshot({.term = 1,
                                   .leader_id = 1,
                                   .last_included_index = 5,
                                   .last_included_term = 1,
                                   .offset = 0,
                                   .data = "snapshot",
                                   .done = true});
  }));
  EXPECT_TRUE(reply.installed);
  EXPECT_EQ(storage->TakeChanges(1).back(), "snapshot 5");
}

// While handlers wait, the lock is free, and time goes on.
TEST_F(Durability, NothingElseWaits) {
  auto waiter = Begin([&] { Append(1, 0, 0, {{1, "x"}}); });
  EXPECT_EQ(raft->GetState().term, 1u);
  EXPECT_FALSE(raft->Start("refused").is_leader);
  EXPECT_EQ(raft->GetStatus().last_index, 1u);
  EXPECT_EQ(durable_index(), 0u);
  ExpectWaits(std::move(waiter));
}

TEST_F(Durability, WhatTheStorageWillNotHoldIsNotPromised) {
  RequestVoteReply vote;
  auto waiter = Begin([&] { vote = AskVote(3, /*candidate=*/1, 0, 0); });
  storage->Close();
  waiter->thread.join();
  EXPECT_EQ(vote.term, 0u);  // the empty answer of a killed server
  EXPECT_FALSE(vote.vote_granted);
}

TEST_F(Durability, KillEndsWhatWaits) {
  auto waiter = Begin([&] { AskVote(3, /*candidate=*/1, 0, 0); });
  raft->Kill();
  waiter->thread.join();
}

TEST_F(Durability, ACandidateWaitsForItsVote) {
  auto waiter = Begin([&] { raft->StartElection(); });
  EXPECT_EQ(role(), Role::kCandidate);
  EXPECT_EQ(ends[1]->pending(), 0u);
  ExpectWaits(std::move(waiter));
  EXPECT_EQ(ends[1]->pending(), 1u);
  EXPECT_EQ(ends[2]->pending(), 1u);
}

TEST_F(Durability, ACandidacyThatIsOverMeanwhileAsksForNoVote) {
  auto waiter = Begin([&] { raft->StartElection(); });
  auto other = std::thread([&] { AskVote(9, /*candidate=*/1, 0, 0); });
  while (raft->GetState().term < 9) std::this_thread::yield();
  ExpectWaits(std::move(waiter));
  other.join();
  EXPECT_EQ(ends[1]->pending(), 0u);
  EXPECT_EQ(role(), Role::kFollower);
}

TEST_F(Durability, ACandidateThatAnotherHasDefeatedMeanwhileAsksForNoVote) {
  auto waiter = Begin([&] { raft->StartElection(); });
  auto other = std::thread([&] { Append(1, 0, 0, {}); });
  while (role() != Role::kFollower) std::this_thread::yield();
  ExpectWaits(std::move(waiter));
  other.join();
  EXPECT_EQ(ends[1]->pending(), 0u);
}

// Else a server with a slow disk would never hear the others' votes in time.
TEST_F(Durability, ACandidateGivesTheOthersTheTimeThatItsDiskTook) {
  auto waiter = Begin([&] { raft->StartElection(); });
  const auto deadline = raft->election_deadline();
  now += std::chrono::milliseconds(400);
  ExpectWaits(std::move(waiter));
  EXPECT_EQ(raft->election_deadline(),
            deadline + std::chrono::milliseconds(1200));
}

TEST_F(Durability, ALeaderSendsBeforeItsOwnFlush) {
  Lead();
  raft->Start("x");
  Beat(kTiming.heartbeat_interval);
  EXPECT_EQ(durable_index(), 0u);
  EXPECT_EQ(ends[1]->Peek(kAppendEntries).entries.size(), 1u);
}

TEST_F(Durability, ALeaderCountsItselfWhenItsEntryIsDurable) {
  Lead();
  raft->Start("x");
  Acknowledge(1, /*last=*/1);
  EXPECT_EQ(commit_index(), 0u);
  storage->MakeAllDurable();
  EXPECT_EQ(commit_index(), 1u);
}

// With its own flush the entry commits, and a follower that is due hears of it.
TEST_F(Durability, ALeaderSendsWhatIsDueWhenItCountsItself) {
  Lead();
  raft->Start("x");
  Acknowledge(1, /*last=*/1);
  ASSERT_EQ(ends[1]->pending(), 0u);
  now += kTiming.heartbeat_interval;
  storage->MakeAllDurable();
  ASSERT_EQ(ends[1]->pending(), 1u);
  EXPECT_EQ(ends[1]->Peek(kAppendEntries).leader_commit, 1u);
}

TEST_F(Durability, TheOthersAreAMajorityWithoutTheLeader) {
  Lead();
  raft->Start("x");
  Acknowledge(1, /*last=*/1);
  Acknowledge(2, /*last=*/1);
  EXPECT_EQ(commit_index(), 1u);
  EXPECT_EQ(durable_index(), 0u);
}

TEST_F(Durability, ATruncatedEntrysTicketCountsForNoOther) {
  auto first = Begin([&] { Append(1, 0, 0, {{1, "a"}, {1, "b"}}); });
  const Storage::Ticket ticket = storage->last();
  auto second = std::thread([&] { Append(2, 1, 1, {{2, "c"}}); });
  while (raft->GetState().term < 2 || raft->log().LastTerm() < 2) {
    std::this_thread::yield();
  }
  storage->MakeDurable(ticket);
  EXPECT_EQ(durable_index(), 1u);
  storage->MakeAllDurable();
  EXPECT_EQ(durable_index(), 2u);
  first->thread.join();
  second.join();
}

// First what conflicts goes: a crash in between loses nothing (rule 7).
TEST_F(Durability, AConflictingSnapshotTruncatesFirst) {
  ExpectWaits(Begin([&] { Append(1, 0, 0, {{1, "a"}, {1, "b"}, {1, "c"}}); }));
  const size_t changes = storage->last();
  ExpectWaits(Begin([&] {
    raft->InstallSnapshot({.term = 2,
                           .leader_id = 2,
                           .last_included_index = 2,
                           .last_included_term = 2,
                           .offset = 0,
                           .data = "snapshot",
                           .done = true});
  }));
  EXPECT_EQ(storage->TakeChanges(changes),
            (Changes{"term 2 vote -1", "truncate 3", "snapshot 2"}));
  EXPECT_EQ(raft->GetStatus().last_index, 2u);
  EXPECT_EQ(raft->GetStatus().last_term, 2u);
}

TEST_F(Durability, WithoutRoomALeaderGivesUp) {
  Lead();
  EXPECT_TRUE(raft->Start("x").is_leader);
  storage->has_room = false;
  EXPECT_FALSE(raft->Start("y").is_leader);
  EXPECT_EQ(role(), Role::kFollower);
  EXPECT_EQ(raft->GetStatus().leader, kNobody);
  EXPECT_EQ(raft->GetStatus().last_index, 1u);
  EXPECT_EQ(raft->GetState().term, 2u);  // so what waits for term 1 is told
}

// It looks again after another election timeout.
TEST_F(Durability, WithoutRoomItStandsForNoElection) {
  storage->has_room = false;
  RaftServer server(
      std::vector<std::shared_ptr<rpc::ClientEnd>>(ends.begin(), ends.end()),
      /*me=*/0, storage, channel, Options());
  server.StartThreads();
  storage->AwaitQuestionForRoom();
  server.Kill();
  EXPECT_EQ(server.GetStatus().term, 0u);
}

TEST_F(Durability, WithoutRoomEntriesAreAsIfLost) {
  storage->has_room = false;
  AppendEntriesReply reply;
  ExpectWaits(Begin([&] { reply = Append(1, 0, 0, {{1, "x"}}); }));
  EXPECT_EQ(reply.term, 0u);
  EXPECT_EQ(raft->GetStatus().last_index, 0u);
  reply = Append(1, 0, 0, {});  // a heartbeat
  EXPECT_TRUE(reply.success);
}

// What is in the log is acknowledged again, and committed, which may lead to a
// snapshot and so to room.
TEST_F(Durability, WithoutRoomWhatIsKnownIsAcknowledged) {
  ExpectWaits(Begin([&] { Append(1, 0, 0, {{1, "x"}, {1, "y"}}); }));
  storage->has_room = false;
  EXPECT_TRUE(Append(1, 0, 0, {{1, "x"}, {1, "y"}}).success);
  // Only up to its first entry is the log the new leader's.
  AppendEntriesReply reply;
  ExpectWaits(Begin([&] {
    reply = Append(2, 0, 0, {{1, "x"}, {2, "z"}}, /*commit=*/2);
  }));
  EXPECT_FALSE(reply.success);
  EXPECT_EQ(raft->GetStatus().commit_index, 1u);
  EXPECT_FALSE(
      Append(2, 0, 0, {{1, "x"}, {1, "y"}, {2, "z"}}, /*commit=*/3).success);
  EXPECT_EQ(raft->GetStatus().commit_index, 2u);
  EXPECT_EQ(raft->GetStatus().last_index, 2u);
}

}  // namespace
}  // namespace raft
