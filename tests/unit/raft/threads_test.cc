// A server's own threads, over ends that answer when the test says so: what
// wakes them, and how they end.

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "gtest/gtest.h"
#include "persister/simulated_disk.h"
#include "raft/server.h"
#include "rpc/rpc.h"

namespace raft {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

// Keeps what is sent until the test answers it. Its Close() may be held up.
class WaitingEnd : public rpc::ClientEnd {
 public:
  void Close() override {
    base::MutexLock lock(&mu_);
    is_closing_ = true;
    changed_.SignalAll();
    while (is_held_) changed_.Wait(&mu_);
    pending_.clear();
  }

  void HoldClose(bool yes) {
    base::MutexLock lock(&mu_);
    is_held_ = yes;
    changed_.SignalAll();
  }
  void AwaitClose() {
    base::MutexLock lock(&mu_);
    while (!is_closing_) changed_.Wait(&mu_);
  }

  // Waits for a call of `method`, answers the oldest one, and returns its
  // arguments; fails after ten seconds. Drops calls of other methods.
  template <typename Args, typename Reply>
  Args Answer(const rpc::Method<Args, Reply>& method, const Reply& reply) {
    const auto limit = Clock::now() + std::chrono::seconds(10);
    while (std::optional<Sent> sent = TakeOldest(limit)) {
      if (sent->method != method.name) continue;
      sent->done(rpc::Encode(reply));
      return *rpc::Decode<Args>(sent->args);
    }
    ADD_FAILURE() << "no " << method.name << " came";
    return {};
  }

 protected:
  std::optional<std::string> CallFrame(std::string_view, rpc::Frame) override {
    ADD_FAILURE() << "Raft must never block in a call";
    return std::nullopt;
  }
  void CallFrameAsync(std::string_view method, rpc::Frame args,
                      DoneBytes done) override {
    base::MutexLock lock(&mu_);
    pending_.push_back(
        {std::string(method), std::move(args).ToString(), std::move(done)});
    changed_.SignalAll();
  }

 private:
  struct Sent {
    std::string method;
    std::string args;
    DoneBytes done;
  };

  std::optional<Sent> TakeOldest(Clock::time_point limit) {
    base::MutexLock lock(&mu_);
    while (pending_.empty()) {
      if (!changed_.WaitUntil(&mu_, limit) && pending_.empty()) return {};
    }
    Sent sent = std::move(pending_.front());
    pending_.erase(pending_.begin());
    return sent;
  }

  base::Mutex mu_;
  base::CondVar changed_;
  std::vector<Sent> pending_ ABSL_GUARDED_BY(mu_);
  bool is_closing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_held_ ABSL_GUARDED_BY(mu_) = false;
};

// Server 0 of 3, with its threads.
class RaftThreads : public testing::Test {
 protected:
  void Make(const Timing& timing) {
    raft_ = std::make_shared<RaftServer>(
        std::vector<std::shared_ptr<rpc::ClientEnd>>{nullptr, first_, second_},
        /*me=*/0, std::make_shared<persister::SimulatedDisk>(), channel_,
        Options{.timing = timing});
    raft_->StartThreads();
  }

  const std::shared_ptr<WaitingEnd> first_ = std::make_shared<WaitingEnd>();
  const std::shared_ptr<WaitingEnd> second_ = std::make_shared<WaitingEnd>();
  const std::shared_ptr<ApplyChannel> channel_ =
      std::make_shared<ApplyChannel>(1024);
  std::shared_ptr<RaftServer> raft_;
};

// A timing by which nothing happens on the clock for an hour, except that the
// follower which does not decide gets its entries after 20 ms.
Timing Patient() {
  return {.heartbeat_interval = hours(1),
          .min_election_timeout = hours(2),
          .max_election_timeout = hours(2),
          .commit_notice_delay = hours(1),
          .laggard_interval = milliseconds(20)};
}

// It sleeps until the next heartbeat; entries for the laggard are due sooner.
TEST_F(RaftThreads, WhatIsDueSoonerWakesTheHeartbeatTicker) {
  Make(Patient());
  raft_->StartElection();
  first_->Answer(kRequestVote, {1, true});
  for (const auto& end : {first_, second_}) {
    end->Answer(kAppendEntries, {.term = 1, .success = true});
  }
  for (Index index = 1; index <= 5; ++index) {
    // Time for the ticker to fall asleep; less than the laggard's.
    std::this_thread::sleep_for(milliseconds(5));
    raft_->Start("x");
    // The laggard first: the other one's answer would wake the ticker too.
    for (const auto& end : {second_, first_}) {
      const AppendEntriesArgs args =
          end->Answer(kAppendEntries, {.term = 1, .success = true});
      ASSERT_EQ(args.prev_log_index + args.entries.size(), index);
    }
  }
}

// A chunk that was lost is due again after 20 ms, and nothing else is.
TEST_F(RaftThreads, TheHeartbeatTickerSendsASnapshotToo) {
  Make(Patient());
  raft_->StartElection();
  first_->Answer(kRequestVote, {1, true});
  first_->Answer(kAppendEntries, {.term = 1, .success = true});
  raft_->Start("x");
  first_->Answer(kAppendEntries, {.term = 1, .success = true});
  ASSERT_EQ(channel_->Receive()->index, 1u);
  raft_->Snapshot(1, "x");

  raft_->RequestVote({.term = 2, .candidate_id = 2});
  raft_->StartElection();  // term 3
  first_->Answer(kRequestVote, {3, true});
  const AppendEntriesReply has_nothing = {.term = 3, .conflict_index = 1};
  while (second_->Answer(kAppendEntries, has_nothing).term < 3) {
    ASSERT_FALSE(HasFailure());
  }
  second_->Answer(kInstallSnapshot, InstallSnapshotReply());  // as if lost
  EXPECT_TRUE(second_->Answer(kInstallSnapshot, {3, true}).done);
}

// A leader's election ticker waits without a deadline.
TEST_F(RaftThreads, ALostLeadershipWakesTheElectionTicker) {
  Make({.heartbeat_interval = milliseconds(5),
        .min_election_timeout = milliseconds(10),
        .max_election_timeout = milliseconds(20)});
  RequestVoteArgs asked;
  while (!raft_->GetState().is_leader) {
    asked = first_->Answer(kRequestVote, {0, false});
    second_->Answer(kRequestVote, {asked.term, true});
  }
  std::this_thread::sleep_for(milliseconds(5));  // it falls asleep
  AppendEntriesArgs newer;
  newer.term = asked.term + 100;
  newer.leader_id = 2;
  raft_->AppendEntries(newer);
  while (asked.term <= 100) {
    asked = first_->Answer(kRequestVote, {0, false});
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(RaftThreads, ASecondKillReturnsWhenTheFirstHasEnded) {
  Make(Patient());
  first_->HoldClose(true);
  std::thread killer([this] { raft_->Kill(); });
  first_->AwaitClose();

  std::atomic<bool> has_begun = false;
  std::atomic<bool> may_return = false;
  std::thread second_killer([&] {
    has_begun = true;
    raft_->Kill();
    EXPECT_TRUE(may_return) << "the first has not ended";
  });
  while (!has_begun) std::this_thread::yield();
  std::this_thread::sleep_for(milliseconds(10));  // one that does not wait is
                                                  // through by now
  may_return = true;
  first_->HoldClose(false);
  killer.join();
  second_killer.join();
}

}  // namespace
}  // namespace raft
