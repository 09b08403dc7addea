// Log replication: AppendEntries, as heart-beat too, and its answers
// (5.3, and the commit rule of 5.4.2).
//
// One AppendEntries with entries is under way to each peer while all is well;
// what is submitted meanwhile goes with the next. Whatever goes unanswered for
// a heart-beat interval is sent again, so that repair depends on no single
// reply: replies may take seconds, or never come. Nothing but an answer moves
// next_index and match_index, and an answer is judged by its own request alone.

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "base/logging.h"
#include "raft/server.h"

namespace raft {

using base::MutexLock;

// --- Leader: when to send ---------------------------------------------------

void RaftServer::HeartbeatLoop() {
  AppendEntriesCalls calls;
  while (AwaitAppendEntriesDue(&calls)) SendAppendEntries(calls);
}

void RaftServer::SendDueAppendEntries() {
  AppendEntriesCalls calls;
  {
    MutexLock lock(&mu_);
    calls = TakeDueCallsLocked();
  }
  SendAppendEntries(calls);
}

// Waits, while this server leads, until some peer is due an AppendEntries, and
// fills `calls`. Returns false once the instance is killed.
bool RaftServer::AwaitAppendEntriesDue(AppendEntriesCalls* calls) {
  MutexLock lock(&mu_);
  while (!killed_) {
    if (role_ != Role::kLeader) {
      append_entries_due_.Wait(&mu_);
      continue;
    }
    *calls = TakeDueCallsLocked();
    if (!calls->empty()) return true;
    append_entries_due_.WaitUntil(&mu_, heartbeat_wakes_at_);
  }
  return false;
}

// Fills what is due now, and sees to it that the ticker wakes for the rest. All
// sending goes through here: Start() and replies call it, and so does the
// clock.
RaftServer::AppendEntriesCalls RaftServer::TakeDueCallsLocked() {
  AppendEntriesCalls calls;
  if (killed_ || role_ != Role::kLeader) return calls;
  const Clock::time_point now = clock_();
  Clock::time_point next_due = now + timing_.heartbeat_interval;
  size_t deciding = 1;  // this server, and the peers that get entries at once
  for (size_t i = 0; i < followers_.size(); ++i) {
    if (!IsPeer(i)) continue;
    Peer& peer = followers_[i];
    const bool responsive =
        !peer.lost_last && (peer.in_flight == 0 ||
                            now < peer.entries_sent + timing_.responsive_time);
    const bool decides = responsive && deciding < Majority();
    if (decides) ++deciding;
    Clock::time_point due = DueLocked(peer, decides, now);
    if (due <= now) {
      calls.push_back(FillAppendEntriesLocked(static_cast<ServerId>(i), now));
      due = DueLocked(peer, decides, now);
    }
    next_due = std::min(next_due, due);
  }
  // The ticker sleeps until heartbeat_wakes_at_; it need not be woken to find
  // that it should have slept longer.
  if (next_due < heartbeat_wakes_at_) append_entries_due_.Signal();
  heartbeat_wakes_at_ = next_due;
  return calls;
}

// Whether something is due sooner because of the entry at `index`, the newest.
// At high rates there is not: each peer lacks entries already, and waits for an
// answer or for more of them.
bool RaftServer::EntryIsNewsLocked(Index index) const {
  for (size_t i = 0; i < followers_.size(); ++i) {
    if (!IsPeer(i)) continue;
    const Peer& peer = followers_[i];
    if (peer.next_index == index) return true;
    if (peer.in_flight == 0 &&
        log_.BytesFrom(peer.next_index) > kMaxLaggardBytes) {
      return true;
    }
  }
  return false;
}

// Returns when `peer` should get its next AppendEntries. A peer that `decides`
// on commitment gets entries as soon as it may.
Clock::time_point RaftServer::DueLocked(const Peer& peer, bool decides,
                                        Clock::time_point now) const {
  Clock::time_point due = peer.last_sent + timing_.heartbeat_interval;
  if (MayCarryEntriesLocked(peer, now)) {
    const bool at_once =
        decides || log_.BytesFrom(peer.next_index) > kMaxLaggardBytes;
    due = std::min(due, at_once && !peer.lost_last
                            ? Clock::time_point()
                            : peer.last_sent + timing_.laggard_interval);
  }
  // An empty one says what it may of the commit index: F6 stops at match_index.
  if (std::min(commit_index_, peer.match_index) > peer.told_commit) {
    due = std::min(due, commit_advanced_at_ + timing_.commit_notice_delay);
  }
  return due;
}

// Entries go to a peer that lacks some, unless a young AppendEntries with
// entries is under way to it.
bool RaftServer::MayCarryEntriesLocked(const Peer& peer,
                                       Clock::time_point now) const {
  return peer.next_index <= log_.LastIndex() &&
         (peer.in_flight == 0 ||
          now >= peer.entries_sent + timing_.heartbeat_interval);
}

// --- Leader: sending, and judging answers -----------------------------------

// Figure 2, AppendEntries RPC, arguments.
RaftServer::AppendEntriesCall RaftServer::FillAppendEntriesLocked(
    ServerId id, Clock::time_point now) {
  Peer& peer = followers_[static_cast<size_t>(id)];
  AppendEntriesCall call{id, ++calls_filled_, {}};
  AppendEntriesArgs& args = call.args;
  args.term = current_term_;
  args.leader_id = me_;
  args.prev_log_index = peer.next_index - 1;
  args.prev_log_term = log_.TermAt(args.prev_log_index);
  args.leader_commit = commit_index_;

  peer.last_sent = now;
  if (MayCarryEntriesLocked(peer, now)) {
    args.entries =
        log_.Slice(peer.next_index, log_.LastIndex(), kMaxBatchBytes);
    peer.lost_last = peer.lost_last || peer.in_flight != 0;  // no answer so far
    peer.entries_sent = now;
    peer.in_flight = call.number;
  }
  peer.told_commit = std::max(
      peer.told_commit,
      std::min(commit_index_, args.prev_log_index + args.entries.size()));
  VLOG(2) << TraceLocked(Topic::kAppend) << "send to=S" << id << " prev=("
          << args.prev_log_index << "," << args.prev_log_term
          << ") entries=" << args.entries.size()
          << " commit=" << args.leader_commit;
  return call;
}

void RaftServer::SendAppendEntries(const AppendEntriesCalls& calls) {
  for (const AppendEntriesCall& call : calls) {
    const AppendEntriesRequest request{call.args.term, call.args.prev_log_index,
                                       call.args.entries.size(), call.number};
    // Capturing this is safe: Kill() closes the ends, which drains callbacks.
    peers_[static_cast<size_t>(call.peer)]->CallAsync(
        kAppendEntries, call.args,
        [this, id = call.peer,
         request](std::optional<AppendEntriesReply> reply) {
          AppendEntriesCalls next;
          {
            MutexLock lock(&mu_);
            if (reply.has_value()) {
              OnAppendEntriesReplyLocked(id, request, *reply);
            } else {
              OnAppendEntriesLostLocked(id, request);
            }
            next = TakeDueCallsLocked();
          }
          SendAppendEntries(next);
        });
  }
}

void RaftServer::OnAppendEntriesLostLocked(
    ServerId id, const AppendEntriesRequest& request) {
  if (role_ != Role::kLeader || request.term != current_term_) return;
  Peer& peer = followers_[static_cast<size_t>(id)];
  if (peer.in_flight != request.number) return;
  peer.in_flight = 0;
  peer.lost_last = true;
}

void RaftServer::OnAppendEntriesReplyLocked(ServerId id,
                                            const AppendEntriesRequest& request,
                                            const AppendEntriesReply& reply) {
  if (reply.term > current_term_) {  // Figure 2, all servers
    BecomeFollowerLocked(reply.term);
    return;
  }
  // Old news: the reply may be seconds late, to a request of another term.
  if (role_ != Role::kLeader || request.term != current_term_) return;
  // No living server answers below the term it was asked in: this is the empty
  // answer of a killed one.
  if (reply.term < request.term) {
    OnAppendEntriesLostLocked(id, request);
    return;
  }

  Peer& peer = followers_[static_cast<size_t>(id)];
  if (peer.in_flight == request.number) peer.in_flight = 0;
  peer.lost_last = false;
  if (!reply.success) {
    BackUpLocked(&peer, request, reply);
    return;
  }
  // What the follower holds is what this very request said, whatever has been
  // sent or appended since; replies come in any order.
  peer.match_index =
      std::max(peer.match_index, request.prev_log_index + request.entries);
  peer.next_index = std::max(peer.next_index, peer.match_index + 1);
  AdvanceLeaderCommitLocked();
}

// Figure 2, leaders: if AppendEntries fails because of log inconsistency,
// decrement next_index and retry; a whole term at a time (end of 5.3).
void RaftServer::BackUpLocked(Peer* peer, const AppendEntriesRequest& request,
                              const AppendEntriesReply& reply) {
  if (request.prev_log_index != peer->next_index - 1) return;  // old news
  Index next = reply.conflict_index;
  // If this log has entries of the conflicting term before that place, the two
  // may agree up to the last of them.
  const Index last_of_term =
      reply.conflict_term == 0 ? 0 : log_.LastIndexOf(reply.conflict_term);
  if (last_of_term != 0 && last_of_term < request.prev_log_index) {
    next = last_of_term + 1;
  }
  next = std::max(next, peer->match_index + 1);
  // A follower that rejects what it has acknowledged has lost its disk. There
  // is nothing to back up to, and no reason to ask it again at full speed.
  if (next > request.prev_log_index) {
    peer->lost_last = true;
    return;
  }
  peer->next_index = next;
  peer->in_flight = 0;  // what is under way will be rejected as well
  VLOG(2) << TraceLocked(Topic::kAppend)
          << "back up prev=" << request.prev_log_index
          << " next=" << peer->next_index;
}

// Figure 2, leaders: commit what a majority holds, but by counting only
// entries of the current term; older ones commit with them (5.4.2, Figure 8).
void RaftServer::AdvanceLeaderCommitLocked() {
  absl::InlinedVector<Index, 8> matches;
  for (size_t i = 0; i < followers_.size(); ++i) {
    matches.push_back(IsPeer(i) ? followers_[i].match_index : log_.LastIndex());
  }
  std::sort(matches.begin(), matches.end(), std::greater<>());
  const Index held_by_majority = matches[Majority() - 1];
  if (held_by_majority <= commit_index_) return;
  if (log_.TermAt(held_by_majority) != current_term_) return;
  SetCommitIndexLocked(held_by_majority);
}

// --- Follower ---------------------------------------------------------------

// Figure 2, AppendEntries RPC, receiver implementation.
AppendEntriesReply RaftServer::AppendEntries(const AppendEntriesArgs& args) {
  MutexLock lock(&mu_);
  if (killed_) return {};
  if (args.term > current_term_) BecomeFollowerLocked(args.term);

  AppendEntriesReply reply;
  reply.term = current_term_;
  // 1. Reply false if term < current_term_ (5.1).
  if (args.term < current_term_) return reply;

  // It comes from the leader of this term: follow it (5.2).
  CHECK(role_ != Role::kLeader)
      << "S" << args.leader_id << " leads term " << args.term << " too";
  if (role_ == Role::kCandidate) BecomeFollowerLocked(args.term);
  leader_ = args.leader_id;
  ResetElectionDeadlineLocked();

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
  StoreEntriesLocked(args);
  // 5. Advance commit_index_, but not beyond the last entry that this request
  // vouches for: what follows it here may be anything.
  SetCommitIndexLocked(std::min<Index>(
      args.leader_commit, args.prev_log_index + args.entries.size()));
  reply.success = true;
  return reply;
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
  log_.AppendFrom(args.entries, /*skip=*/known);
  PersistLocked();
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
  commit_advanced_at_ = clock_();
  commit_advanced_.Signal();
}

}  // namespace raft
