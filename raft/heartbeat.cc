// When a leader calls its followers: the heartbeat ticker (5.2), and all that
// is due sooner. When a follower is due what is in progress.h.

#include <algorithm>

#include "raft/server.h"

namespace raft {

using base::MutexLock;

void RaftServer::HeartbeatLoop() {
  DueCalls calls;
  while (AwaitDueCalls(&calls)) SendCalls(calls);
}

void RaftServer::SendDueCalls() {
  DueCalls calls;
  {
    MutexLock lock(&mu_);
    calls = TakeDueCallsLocked();
  }
  SendCalls(calls);
}

// Waits, while this server leads, until a follower is due a call, and fills
// `calls`. Returns false once the instance is killed.
bool RaftServer::AwaitDueCalls(DueCalls* calls) {
  MutexLock lock(&mu_);
  while (!killed_) {
    if (role_ != Role::kLeader) {
      append_entries_due_.Wait(&mu_);
      continue;
    }
    heartbeat_wakes_at_ = Clock::time_point::max();  // until it is known
    *calls = TakeDueCallsLocked();
    if (!calls->empty()) return true;
    append_entries_due_.WaitUntil(&mu_, heartbeat_wakes_at_);
  }
  return false;
}

// Fills what is due now, and sees to it that the ticker wakes for the rest. All
// sending goes through here, from Start(), from replies, from the clock, and
// before entries up to `discard_to` are discarded.
RaftServer::DueCalls RaftServer::TakeDueCallsLocked(Index discard_to) {
  DueCalls calls;
  if (killed_ || role_ != Role::kLeader) return calls;
  const Clock::time_point now = clock_();
  const Offer offer{log_, commit_index_, commit_advanced_at_, discard_to};
  const auto decides = QuorumFirst(followers_, me_, now, timing_);
  Clock::time_point next_due = now + timing_.heartbeat_interval;
  for (size_t i = 0; i < followers_.size(); ++i) {
    if (!IsPeer(i)) continue;
    Clock::time_point due =
        followers_[i].DueAt(now, decides[i], offer, timing_);
    if (due <= now) {
      FillDueCallLocked(static_cast<ServerId>(i), now, &calls);
      due = followers_[i].DueAt(now, decides[i], offer, timing_);
    }
    next_due = std::min(next_due, due);
  }
  // The ticker sleeps until heartbeat_wakes_at_. It is not woken to sleep
  // longer: that it finds out by itself.
  if (next_due < heartbeat_wakes_at_) {
    heartbeat_wakes_at_ = next_due;
    append_entries_due_.Signal();
  }
  return calls;
}

// Entries, or a snapshot if the log has discarded what comes next (7).
void RaftServer::FillDueCallLocked(ServerId peer, Clock::time_point now,
                                   DueCalls* calls) {
  Progress& follower = followers_[static_cast<size_t>(peer)];
  if (follower.NeedsSnapshot(now, log_, timing_)) {
    follower.BeginSnapshot(
        {log_.last_included_index(), log_.last_included_term(), snapshot_});
  }
  if (follower.WantsChunk(now, timing_)) {
    calls->install_snapshot.push_back(FillInstallSnapshotLocked(peer, now));
  } else {
    calls->append_entries.push_back(FillAppendEntriesLocked(peer, now));
  }
}

void RaftServer::SendCalls(const DueCalls& calls) {
  for (const AppendEntriesCall& call : calls.append_entries) {
    SendAppendEntries(call);
  }
  for (const InstallSnapshotCall& call : calls.install_snapshot) {
    SendInstallSnapshot(call);
  }
}

// Whether the log's last entry makes an AppendEntries due sooner.
bool RaftServer::LastEntryHastensLocked() const {
  for (size_t i = 0; i < followers_.size(); ++i) {
    if (IsPeer(i) && followers_[i].HastensWith(log_)) return true;
  }
  return false;
}

}  // namespace raft
