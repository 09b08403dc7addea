// Log replication: AppendEntries, as heartbeat too, and its replies (5.3, and
// the commit rule of 5.4.2).

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "base/logging.h"
#include "raft/server.h"

namespace raft {

namespace {

// How many bytes of entries one AppendEntries carries; one entry is sent
// whatever its size. With what stands around them they stay below a million.
constexpr size_t kMaxBatchBytes = 999'000;

}  // namespace

// --- Leader -----------------------------------------------------------------

// Figure 2, AppendEntries RPC, arguments.
RaftServer::AppendEntriesCall RaftServer::FillAppendEntriesLocked(
    ServerId peer, Clock::time_point now) {
  Progress& follower = followers_[static_cast<size_t>(peer)];
  AppendEntriesArgs args;
  args.term = current_term_;
  args.leader_id = me_;
  // What comes next may have been discarded; a heartbeat then asks only
  // whether the follower is there.
  args.prev_log_index =
      std::max(follower.next() - 1, log_.last_included_index());
  args.prev_log_term = log_.TermAt(args.prev_log_index);
  args.leader_commit = commit_index_;
  if (follower.next() > log_.last_included_index() &&
      follower.WantsEntries(now, log_.LastIndex(), timing_)) {
    args.entries =
        log_.Slice(follower.next(), log_.LastIndex(), kMaxBatchBytes);
  }
  const Progress::Request request{++calls_filled_, args.prev_log_index,
                                  args.entries.size(), follower.match()};
  follower.OnSent(now, request, commit_index_);
  VLOG(2) << TraceLocked(Topic::kAppend) << "send to=S" << peer << " prev=("
          << args.prev_log_index << "," << args.prev_log_term
          << ") entries=" << args.entries.size()
          << " commit=" << args.leader_commit;
  return {peer, request, std::move(args)};
}

void RaftServer::SendAppendEntries(const AppendEntriesCall& call) {
  CallPeer(call.peer, kAppendEntries, call.args,
           [this, peer = call.peer, request = call.request](
               const std::optional<AppendEntriesReply>& reply) {
             mu_.AssertHeld();
             OnAppendEntriesReplyLocked(peer, request, reply);
           });
}

// Of the current term, so this server still leads: a leader steps down in a
// newer term only.
void RaftServer::OnAppendEntriesReplyLocked(
    ServerId peer, const Progress::Request& request,
    const std::optional<AppendEntriesReply>& reply) {
  Progress& follower = followers_[static_cast<size_t>(peer)];
  // No running server answers below the term it was asked in: that is the empty
  // answer of a killed one.
  if (!reply.has_value() || reply->term < current_term_) {
    follower.OnLost(request.number);
    return;
  }
  if (reply->success) {
    follower.OnAccepted(request);
    AdvanceLeaderCommitLocked();
    return;
  }
  // Figure 2, leaders: if AppendEntries fails because of log inconsistency,
  // decrement next_index and retry; a whole term at a time (end of 5.3).
  const bool had_lost_log = follower.lost_log();
  follower.OnRejected(request, log_.NextAfterConflict(request.prev_log_index,
                                                      {reply->conflict_term,
                                                       reply->conflict_index}));
  VLOG(2) << TraceLocked(Topic::kAppend) << "rejected by=S" << peer
          << " prev=" << request.prev_log_index << " next=" << follower.next();
  if (follower.lost_log() && !had_lost_log) ReportLostLogLocked(peer);
}

// Says, once in a term, what no log can repair.
void RaftServer::ReportLostLogLocked(ServerId peer) {
  LOG(ERROR) << TraceLocked(Topic::kAppend) << "S" << peer
             << " lacks entries that it had acknowledged, up to "
             << followers_[static_cast<size_t>(peer)].match()
             << ": its disk was lost or replaced. What it has voted and stored "
                "counts no more; entries may be lost";
}

// Figure 2, leaders: commit what a majority holds, but by counting only
// entries of the current term; older ones commit with them (5.4.2, Figure 8).
// This server, too, holds what is durable.
void RaftServer::AdvanceLeaderCommitLocked() {
  absl::InlinedVector<Index, 8> matches;
  for (size_t i = 0; i < followers_.size(); ++i) {
    matches.push_back(IsPeer(i) ? followers_[i].match() : durable_.value());
  }
  std::sort(matches.begin(), matches.end(), std::greater<>());
  const Index held_by_majority = matches[Majority() - 1];
  if (held_by_majority <= commit_index_) return;
  if (log_.TermAt(held_by_majority) != current_term_) return;
  SetCommitIndexLocked(held_by_majority);
}

// --- Follower ---------------------------------------------------------------

// Counts the request if no peer that works can have sent it.
bool RaftServer::IsMalformedLocked(const AppendEntriesArgs& args) {
  Term last_term = args.prev_log_term;
  bool terms_grow = (args.prev_log_index == 0) == (args.prev_log_term == 0);
  for (const EntryView entry : args.entries) {
    terms_grow = terms_grow && last_term <= entry.term;
    last_term = entry.term;
  }
  if (IsOther(args.leader_id) && args.term <= kMaxTerm && terms_grow &&
      last_term <= args.term) {
    return false;
  }
  CountMalformedLocked("AppendEntries", args.leader_id);
  return true;
}

// Figure 2, AppendEntries RPC, receiver implementation.
AppendEntriesReply RaftServer::AppendEntriesLocked(
    const AppendEntriesArgs& args) {
  if (args.term > current_term_) BecomeFollowerLocked(args.term);

  AppendEntriesReply reply;
  reply.term = current_term_;
  // 1. Reply false if term < current_term_ (5.1).
  if (args.term < current_term_) return reply;

  FollowLocked(args.leader_id);
  // 2. Reply false if the log has no entry at prev_log_index with
  // prev_log_term (5.3).
  if (!log_.Matches(args.prev_log_index, args.prev_log_term)) {
    const Conflict conflict = log_.ConflictAt(args.prev_log_index);
    reply.conflict_term = conflict.term;
    reply.conflict_index = conflict.index;
    VLOG(2) << TraceLocked(Topic::kAppend) << "reject from=S" << args.leader_id
            << " prev=(" << args.prev_log_index << "," << args.prev_log_term
            << ") conflict=(" << conflict.index << "," << conflict.term << ")";
    return reply;
  }
  // New entries that find no room are as if they had been lost. Those before
  // may be committed, for the service may come to a snapshot, which makes room.
  if (!storage_->HasRoom()) {
    const Index known =
        log_.FirstNewIndex(args.prev_log_index, args.entries) - 1;
    if (known < args.prev_log_index + args.entries.size()) {
      SetCommitIndexLocked(std::min(args.leader_commit, known));
      return {};
    }
  }
  StoreEntriesLocked(args);
  // 5. Advance commit_index_, but not beyond the last entry that this request
  // vouches for: what follows it here may be anything.
  SetCommitIndexLocked(std::min<Index>(
      args.leader_commit, args.prev_log_index + args.entries.size()));
  reply.success = true;
  return reply;
}

// A request came from the leader of this term: follow it (5.2).
void RaftServer::FollowLocked(ServerId leader) {
  CHECK(role_ != Role::kLeader)
      << "S" << leader << " leads term " << current_term_ << " too";
  if (role_ == Role::kCandidate) BecomeFollowerLocked(current_term_);
  leader_ = leader;
  ResetElectionDeadlineLocked();
}

// 3. Delete an entry that conflicts with a new one, and all that follow it;
// 4. append those not in the log. A log that is longer but has no conflict
// stays: the request may be an old one (5.3).
void RaftServer::StoreEntriesLocked(const AppendEntriesArgs& args) {
  const Index first_new = log_.FirstNewIndex(args.prev_log_index, args.entries);
  const size_t known = first_new - args.prev_log_index - 1;
  if (known == args.entries.size()) return;
  CHECK_GT(first_new, commit_index_) << "a committed entry would be lost";
  log_.TruncateFrom(first_new);
  PersistTruncationLocked(first_new);
  log_.AppendFrom(args.entries, /*skip=*/known);
  PersistEntriesLocked(first_new);
  VLOG(2) << TraceLocked(Topic::kAppend) << "store from=S" << args.leader_id
          << " first=" << first_new << " last=(" << log_.LastIndex() << ","
          << log_.LastTerm() << ")";
}

// Never lowers it.
void RaftServer::SetCommitIndexLocked(Index index) {
  if (index <= commit_index_) return;
  VLOG(1) << TraceLocked(Topic::kCommit) << "advance " << commit_index_ << "->"
          << index;
  commit_index_ = index;
  if (incoming_.has_value() && incoming_->last_included_index <= index) {
    incoming_.reset();  // the log has it all
  }
  commit_advanced_at_ = clock_();
  delivery_due_.Signal();
}

}  // namespace raft
