// The applier: delivers committed entries to the service, once each and in
// order (Figure 2, all servers: if commit_index_ > last_applied_, apply); a
// snapshot in place of those that the log has no more (Figure 13, rule 8); and
// the server's term and role, for a service that wants to know.

#include <optional>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "raft/server.h"

namespace raft {

using base::MutexLock;

namespace {

// How many bytes of committed entries the applier copies at a time: as messages
// they are several times as long, and should not leave the cache.
constexpr size_t kMaxApplyBytes = size_t{64} << 10;

}  // namespace

// Delivery may block for as long as the service likes, so it happens on a
// thread of its own and without the lock.
void RaftServer::ApplyLoop() {
  while (Deliver()) {
  }
}

bool RaftServer::Deliver() {
  std::optional<Delivery> delivery = AwaitDelivery();
  return delivery.has_value() &&
         apply_channel_->SendBatch(MakeMessages(*std::move(delivery)));
}

// Waits until entries are committed that were not applied, or the state has
// changed, and returns what comes next; returns nothing once the instance is
// killed.
std::optional<RaftServer::Delivery> RaftServer::AwaitDelivery() {
  MutexLock lock(&mu_);
  while (!killed_ && last_applied_ == commit_index_ && !HasNewStateLocked())
    delivery_due_.Wait(&mu_);
  if (killed_) return std::nullopt;

  Delivery delivery{.snapshot = {}, .first = last_applied_ + 1};
  if (delivery.first < log_.FirstIndex()) {
    last_applied_ = log_.last_included_index();
    delivery.snapshot = ApplyMsg{.kind = ApplyMsg::Kind::kSnapshot,
                                 .index = log_.last_included_index(),
                                 .term = log_.last_included_term(),
                                 .command = {},
                                 .snapshot = snapshot_};
    VLOG(2) << TraceLocked(Topic::kApply)
            << "deliver snapshot up to=" << last_applied_;
  } else {  // none, if only the state has changed
    delivery.entries =
        log_.Slice(delivery.first, commit_index_, kMaxApplyBytes);
    last_applied_ += delivery.entries.size();
    VLOG(3) << TraceLocked(Topic::kApply) << "deliver up to=" << last_applied_
            << " entries=" << delivery.entries.size();
  }
  if (HasNewStateLocked() && last_applied_ >= state_follows_) {
    delivery.state = announced_ = StateLocked();
  }
  return delivery;
}

bool RaftServer::HasNewStateLocked() const {
  return announce_state_ && announced_ != StateLocked();
}

std::vector<ApplyMsg> RaftServer::MakeMessages(Delivery delivery) {
  std::vector<ApplyMsg> messages;
  messages.reserve(delivery.entries.size() + 1);
  if (delivery.snapshot.has_value()) {
    messages.push_back(*std::move(delivery.snapshot));
  }
  for (const EntryView entry : delivery.entries) {
    ApplyMsg& message = messages.emplace_back();
    message.kind = ApplyMsg::Kind::kCommand;
    message.index = delivery.first + messages.size() - 1;
    message.term = entry.term;
    message.command = entry.command;
  }
  if (delivery.state.has_value()) {
    ApplyMsg& message = messages.emplace_back();
    message.kind = ApplyMsg::Kind::kState;
    message.term = delivery.state->term;
    message.is_leader = delivery.state->is_leader;
  }
  return messages;
}

}  // namespace raft
