#include "raft/progress.h"

#include <algorithm>

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
  if (WantsEntries(now, offer.log.LastIndex(), timing)) {
    const bool at_once =
        decides || offer.log.BytesFrom(next_) > kMaxLaggardBytes;
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
  match_ = std::max(match_, request.prev_log_index + request.entries);
  next_ = std::max(next_, match_ + 1);
}

void Progress::OnRejected(const Request& request, Index next) {
  // A request that was sent before the acknowledgement proves nothing: what
  // rejected it may have been repaired since.
  lost_log_ = lost_log_ || (request.acknowledged > 0 &&
                            request.prev_log_index <= request.acknowledged);
  if (in_flight_ == request.number) in_flight_ = 0;
  lost_ = false;
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

void Progress::OnLost(const Request& request) {
  if (in_flight_ != request.number) return;
  in_flight_ = 0;
  lost_ = true;
}

absl::InlinedVector<bool, 8> QuorumFirst(const std::vector<Progress>& followers,
                                         ServerId leader, Clock::time_point now,
                                         const Timing& timing) {
  absl::InlinedVector<bool, 8> decides(followers.size(), false);
  size_t needed = followers.size() / 2;  // beside the leader
  for (size_t i = 0; i < followers.size() && needed > 0; ++i) {
    if (i == static_cast<size_t>(leader)) continue;
    decides[i] = followers[i].IsResponsive(now, timing);
    if (decides[i]) --needed;
  }
  return decides;
}

}  // namespace raft
