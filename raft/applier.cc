// The applier: delivers committed entries to the service, once each and in
// order (Figure 2, all servers: if commit_index_ > last_applied_, apply).

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
  while (DeliverCommitted()) {
  }
}

bool RaftServer::DeliverCommitted() {
  const std::optional<Committed> committed = AwaitCommitted();
  return committed.has_value() &&
         apply_channel_->SendBatch(MakeMessages(*committed));
}

// Waits until entries are committed that were not applied, and returns the next
// of them; returns nothing once the instance is killed.
std::optional<RaftServer::Committed> RaftServer::AwaitCommitted() {
  MutexLock lock(&mu_);
  while (!killed_ && last_applied_ == commit_index_)
    commit_advanced_.Wait(&mu_);
  if (killed_) return std::nullopt;

  const Index first = last_applied_ + 1;
  Committed committed{first, log_.Slice(first, commit_index_, kMaxApplyBytes)};
  last_applied_ += committed.entries.size();
  VLOG(3) << TraceLocked(Topic::kApply) << "deliver up to=" << last_applied_
          << " entries=" << committed.entries.size();
  return committed;
}

std::vector<ApplyMsg> RaftServer::MakeMessages(const Committed& committed) {
  std::vector<ApplyMsg> messages;
  messages.reserve(committed.entries.size());
  for (const EntryView entry : committed.entries) {
    ApplyMsg& message = messages.emplace_back();
    message.kind = ApplyMsg::Kind::kCommand;
    message.index = committed.first + messages.size() - 1;
    message.term = entry.term;
    message.command = entry.command;
  }
  return messages;
}

}  // namespace raft
