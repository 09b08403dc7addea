// Looks into a Raft of ours: its state, beyond what the public API tells, and
// the steps that its threads would take, for instances without threads.
//
// For the demo's table and for unit tests; the suite itself sees the public API
// only, so that other people's Rafts can take the place of ours.
//
// Thread safety: the getters are safe, each true at one moment.

#ifndef TESTS_HARNESS_RAFT_PEEK_H_
#define TESTS_HARNESS_RAFT_PEEK_H_

#include <chrono>
#include <vector>

#include "base/mutex.h"
#include "raft/raft.h"

namespace raft {

class RaftPeek {
 public:
  explicit RaftPeek(Raft* raft) : raft_(raft) {}

  // What ElectionLoop() does when the deadline has passed.
  void StandForElection() {
    RequestVoteArgs args;
    {
      base::MutexLock lock(&raft_->mu_);
      args = raft_->StartElectionLocked();
    }
    for (size_t i = 0; i < raft_->peers_.size(); ++i) {
      if (raft_->IsPeer(i)) {
        raft_->SendRequestVote(static_cast<ServerId>(i), args);
      }
    }
  }

  // Stops the clock of an instance without threads; from now on its time passes
  // by Pass() and Beat() alone.
  void StopClock() {
    base::MutexLock lock(&raft_->mu_);
    now_ = raft_->clock_();
    raft_->clock_ = [this] { return now_; };
  }
  void Pass(std::chrono::milliseconds time) {
    base::MutexLock lock(&raft_->mu_);
    now_ += time;
  }
  Clock::time_point now() const {
    base::MutexLock lock(&raft_->mu_);
    return now_;
  }

  // What HeartbeatLoop() does when `time` has passed.
  void Beat(std::chrono::milliseconds time = kHeartbeatInterval) {
    Pass(time);
    Raft::AppendEntriesCalls calls;
    {
      base::MutexLock lock(&raft_->mu_);
      calls = raft_->TakeDueCallsLocked();
    }
    raft_->SendAppendEntries(calls);
  }

  // What ApplyLoop() takes for delivery next. REQUIRES: something is committed.
  std::vector<ApplyMsg> TakeCommitted() {
    return Raft::MakeMessages(*raft_->AwaitCommitted());
  }

  // What a table of servers shows, all true at one moment.
  struct Snapshot {
    Role role;
    Term term;
    Index last_log_index;
    Index commit_index;
    Index last_applied;
  };
  Snapshot Take() const {
    base::MutexLock lock(&raft_->mu_);
    return {raft_->role_, raft_->current_term_, raft_->log_.LastIndex(),
            raft_->commit_index_, raft_->last_applied_};
  }

  Role role() const { return Get(&Raft::role_); }
  ServerId voted_for() const { return Get(&Raft::voted_for_); }
  Index commit_index() const { return Get(&Raft::commit_index_); }
  Index last_applied() const { return Get(&Raft::last_applied_); }
  Clock::time_point election_deadline() const {
    return Get(&Raft::election_deadline_);
  }
  Index next_index(ServerId peer) const { return Follower(peer).next_index; }
  Index match_index(ServerId peer) const { return Follower(peer).match_index; }

  // The terms of the whole log, in order: {1, 1, 2}.
  std::vector<Term> Terms() const {
    base::MutexLock lock(&raft_->mu_);
    std::vector<Term> terms;
    for (Index i = 1; i <= raft_->log_.LastIndex(); ++i) {
      terms.push_back(raft_->log_.TermAt(i));
    }
    return terms;
  }

 private:
  template <typename T>
  T Get(T Raft::*field) const {
    base::MutexLock lock(&raft_->mu_);
    return raft_->*field;
  }
  Raft::Peer Follower(ServerId peer) const {
    base::MutexLock lock(&raft_->mu_);
    return raft_->followers_[static_cast<size_t>(peer)];
  }

  Raft* const raft_;
  Clock::time_point now_;  // once the clock is stopped; guarded by its mu_
};

}  // namespace raft

#endif  // TESTS_HARNESS_RAFT_PEEK_H_
