#include "raft/progress.h"

#include <algorithm>
#include <utility>

namespace raft {

bool Progress::IsResponsive(Clock::time_point now, const Timing& timing) const {
  return !lost_ &&
         (in_flight_ == 0 || now < entries_sent_ + timing.responsive_time);
}

bool Progress::WantsEntries(Clock::time_point now, Index last_index,
                            const Timing& timing) const {
  return next_ <= last_index &&
         (in_flight_ == 0 || now >= entries_sent_ + timing.heartbeat_interval);
}

Clock::time_point Progress::DueAt(Clock::time_point now, bool decides,
                                  const Offer& offer,
                                  const Timing& timing) const {
  Clock::time_point due = last_sent_ + timing.heartbeat_interval;
  if (state_ == State::kSnapshot) {
    if (!WantsChunk(now, timing)) return due;
    return lost_ ? last_sent_ + timing.laggard_interval : Clock::time_point();
  }
  if (WantsEntries(now, offer.log.LastIndex(), timing)) {
    const bool at_once = decides || next_ < offer.log.FirstIndex() ||
                         next_ <= offer.discard_to ||
                         offer.log.BytesFrom(next_) > kMaxLaggardBytes;
    due =
        std::min(due, at_once && !lost_ ? Clock::time_point()
                                        : last_sent_ + timing.laggard_interval);
  }
  // An empty one tells of the commit index only up to match_: the follower
  // advances no further than the request vouches for.
  if (std::min(offer.commit_index, match_) > sent_commit_) {
    due = std::min(due, offer.commit_advanced_at + timing.commit_notice_delay);
  }
  return due;
}

bool Progress::HastensWith(const Log& log) const {
  if (state_ == State::kSnapshot) return false;
  return next_ == log.LastIndex() ||
         (in_flight_ == 0 && log.BytesFrom(next_) > kMaxLaggardBytes);
}

void Progress::OnSent(Clock::time_point now, const Request& request,
                      Index commit_index) {
  last_sent_ = now;
  if (request.entries > 0) {
    lost_ = lost_ || in_flight_ != 0;  // no answer so far
    entries_sent_ = now;
    in_flight_ = request.number;
  } else if (state_ == State::kSnapshot && in_flight_ != 0) {
    // The chunk before this heartbeat is as good as lost. It is sent again as
    // soon as the follower shows that it is there.
    OnLost(in_flight_);
  }
  sent_commit_ = std::max(
      sent_commit_,
      std::min(commit_index, request.prev_log_index + request.entries));
}

void Progress::OnAccepted(const Request& request) {
  if (in_flight_ == request.number) in_flight_ = 0;
  lost_ = false;
  // What the follower holds is what this very request said, whatever has been
  // sent or appended since; replies come in any order.
  OnMatch(request.prev_log_index + request.entries);
}

void Progress::OnMatch(Index index) {
  match_ = std::max(match_, index);
  next_ = std::max(next_, match_ + 1);
  if (state_ == State::kSnapshot && match_ >= transfer_.last_included_index) {
    state_ = State::kReplicate;
    transfer_ = {};
    in_flight_ = 0;
  }
}

void Progress::OnRejected(const Request& request, Index next) {
  // A request that was sent before the acknowledgement proves nothing: what
  // rejected it may have been repaired since.
  lost_log_ = lost_log_ || (request.acknowledged > 0 &&
                            request.prev_log_index <= request.acknowledged);
  if (in_flight_ == request.number) in_flight_ = 0;
  lost_ = false;
  if (state_ == State::kSnapshot) return;           // it is being repaired
  if (request.prev_log_index != next_ - 1) return;  // old news
  next = std::max(next, match_ + 1);
  // A follower that rejects what it has acknowledged has lost its disk. There
  // is nothing to back up to, and no reason to ask it again at full speed.
  if (next > request.prev_log_index) {
    lost_ = true;
    return;
  }
  next_ = next;
  in_flight_ = 0;  // what is in flight will be rejected as well
}

void Progress::OnLost(uint64_t number) {
  if (in_flight_ != number) return;
  in_flight_ = 0;
  lost_ = true;
}

bool Progress::WantsChunk(Clock::time_point now, const Timing& timing) const {
  if (state_ != State::kSnapshot) return false;
  if (transfer_.snapshot.size() > kSmallSnapshotBytes) {
    return in_flight_ == 0 && !lost_;
  }
  return in_flight_ == 0 || now >= entries_sent_ + timing.heartbeat_interval;
}

bool Progress::NeedsSnapshot(Clock::time_point now, const Log& log,
                             const Timing& timing) const {
  return state_ == State::kReplicate && next_ < log.FirstIndex() &&
         WantsEntries(now, log.LastIndex(), timing);
}

void Progress::BeginSnapshot(SnapshotTransfer transfer) {
  if (in_flight_ != 0) OnLost(in_flight_);  // entries without an answer so far
  state_ = State::kSnapshot;
  transfer_ = std::move(transfer);
}

void Progress::OnSent(Clock::time_point now, const Chunk& chunk) {
  lost_ = lost_ || in_flight_ != 0;  // no answer so far
  last_sent_ = now;
  entries_sent_ = now;
  in_flight_ = chunk.number;
}

void Progress::OnStored(const Chunk& chunk, uint64_t next_offset) {
  if (in_flight_ == chunk.number) in_flight_ = 0;
  lost_ = false;
  // It is news if it answers the chunk that the transfer has come to. A
  // follower that crashed on the way says that it begins again.
  if (chunk.last_included_index == transfer_.last_included_index &&
      chunk.offset == transfer_.offset) {
    transfer_.offset =
        std::min<uint64_t>(next_offset, transfer_.snapshot.size());
  }
}

void Progress::OnInstalled(const Chunk& chunk) {
  lost_ = false;
  OnMatch(chunk.last_included_index);
}

absl::InlinedVector<bool, 8> QuorumFirst(const std::vector<Progress>& followers,
                                         ServerId leader, Clock::time_point now,
                                         const Timing& timing) {
  absl::InlinedVector<bool, 8> decides(followers.size(), false);
  size_t needed = followers.size() / 2;  // beside the leader
  for (size_t i = 0; i < followers.size() && needed > 0; ++i) {
    if (i == static_cast<size_t>(leader)) continue;
    decides[i] = followers[i].IsResponsive(now, timing) &&
                 followers[i].state() == Progress::State::kReplicate;
    if (decides[i]) --needed;
  }
  return decides;
}

}  // namespace raft
