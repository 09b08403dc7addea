// The applier: delivers committed entries to the service, once each and in
// order (Figure 2, all servers: if commit_index_ > last_applied_, apply).

#include <utility>

#include "base/logging.h"
#include "raft/raft.h"

namespace raft {

using base::MutexLock;

// Delivery may block for as long as the service likes, so it happens on a
// thread of its own and without the lock.
void Raft::ApplyLoop() {
  while (true) {
    std::vector<ApplyMsg> messages = AwaitCommitted();
    if (messages.empty()) return;                                 // killed
    if (!apply_channel_->SendBatch(std::move(messages))) return;  // closed
  }
}

// Waits until entries are committed that were not applied, and returns the next
// of them; returns none once the instance is killed.
std::vector<ApplyMsg> Raft::AwaitCommitted() {
  MutexLock lock(&mu_);
  while (!killed_ && last_applied_ == commit_index_)
    commit_advanced_.Wait(&mu_);
  std::vector<ApplyMsg> messages;
  if (killed_) return messages;

  const Entries entries =
      log_.Slice(last_applied_ + 1, commit_index_, kMaxApplyBytes);
  messages.reserve(entries.size());
  for (const EntryView entry : entries) {
    ApplyMsg message;
    message.kind = ApplyMsg::Kind::kCommand;
    message.index = ++last_applied_;
    message.term = entry.term;
    message.command = std::string(entry.command);
    messages.push_back(std::move(message));
  }
  VLOG(3) << TraceLocked(Topic::kApply) << "deliver up to=" << last_applied_
          << " entries=" << messages.size();
  return messages;
}

}  // namespace raft
