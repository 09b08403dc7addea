// The applier: delivers committed entries to the service, once each and in
// order (Figure 2, all servers: if commit_index_ > last_applied_, apply); and a
// snapshot in place of those that the log has no more (Figure 13, rule 8).

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
  std::optional<Committed> committed = AwaitCommitted();
  return committed.has_value() &&
         apply_channel_->SendBatch(MakeMessages(*std::move(committed)));
}

// Waits until entries are committed that were not applied, and returns the next
// of them; returns nothing once the instance is killed.
std::optional<RaftServer::Committed> RaftServer::AwaitCommitted() {
  MutexLock lock(&mu_);
  while (!killed_ && last_applied_ == commit_index_)
    commit_advanced_.Wait(&mu_);
  if (killed_) return std::nullopt;

  Committed committed{.snapshot = {}, .first = last_applied_ + 1};
  if (committed.first < log_.FirstIndex()) {
    last_applied_ = log_.last_included_index();
    committed.snapshot = ApplyMsg{.kind = ApplyMsg::Kind::kSnapshot,
                                  .index = log_.last_included_index(),
                                  .term = log_.last_included_term(),
                                  .command = {},
                                  .snapshot = snapshot_};
    VLOG(2) << TraceLocked(Topic::kApply)
            << "deliver snapshot up to=" << last_applied_;
    return committed;
  }
  committed.entries =
      log_.Slice(committed.first, commit_index_, kMaxApplyBytes);
  last_applied_ += committed.entries.size();
  VLOG(3) << TraceLocked(Topic::kApply) << "deliver up to=" << last_applied_
          << " entries=" << committed.entries.size();
  return committed;
}

std::vector<ApplyMsg> RaftServer::MakeMessages(Committed committed) {
  std::vector<ApplyMsg> messages;
  if (committed.snapshot.has_value()) {
    messages.push_back(*std::move(committed.snapshot));
    return messages;
  }
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
