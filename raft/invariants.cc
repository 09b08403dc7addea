#include "raft/invariants.h"

#include "base/logging.h"
#include "raft/server.h"

namespace raft {

void RaftServer::CheckInvariantsLocked() {
  // The term and the commit index only grow; one vote per term (5.2, 5.3).
  CHECK_GE(current_term_, checked_.current_term);
  CHECK_GE(commit_index_, checked_.commit_index);
  CHECK_GE(last_applied_, checked_.last_applied);
  if (current_term_ == checked_.current_term && checked_.voted_for != kNobody) {
    CHECK_EQ(voted_for_, checked_.voted_for) << "second vote in one term";
  }

  // A snapshot covers committed entries. Applied <= committed <= in the log,
  // and no entry is from the future.
  CHECK_LE(log_.last_included_index(), commit_index_);
  CHECK_LE(last_applied_, commit_index_);
  CHECK_LE(commit_index_, log_.LastIndex());
  CHECK_LE(log_.LastTerm(), current_term_);
  CHECK_LE(durable_.value(), log_.LastIndex());

  // The storage knows of everything, and a ticket tells when that is durable
  // (5.1: updated on stable storage before responding to RPCs).
  CHECK_EQ(checked_.persisted_term, current_term_) << "term not persisted";
  CHECK_EQ(checked_.persisted_vote, voted_for_) << "vote not persisted";
  CHECK_EQ(checked_.persisted_log_version, log_.version())
      << "log not persisted";

  // Roles: a candidate and a leader have voted for themselves, and a leader
  // stays one for the rest of its term.
  if (role_ != Role::kFollower) {
    CHECK_EQ(voted_for_, me_);
  }
  if (checked_.role == Role::kLeader && role_ != Role::kLeader) {
    CHECK_GT(current_term_, checked_.current_term)
        << "a leader stepped down without a newer term";
  }
  if (role_ == Role::kLeader) {
    for (size_t i = 0; i < followers_.size(); ++i) {
      if (!IsPeer(i)) continue;
      CHECK_LE(followers_[i].match(), log_.LastIndex());
      CHECK_GT(followers_[i].next(), followers_[i].match());
      CHECK_LE(followers_[i].next(), log_.LastIndex() + 1);
    }
  }

  checked_.current_term = current_term_;
  checked_.voted_for = voted_for_;
  checked_.role = role_;
  checked_.commit_index = commit_index_;
  checked_.last_applied = last_applied_;
}

}  // namespace raft
