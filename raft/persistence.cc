// What survives a crash: how the state goes to the Persister and comes back
// (Figure 2, "persistent state on all servers").
//
// The value saved is a small header and then the log's own bytes. The bytes are
// shared, not copied (base/rope.h), so a save costs O(1) whatever the length of
// the log.

#include <string>
#include <tuple>
#include <utility>

#include "base/logging.h"
#include "raft/saved_state.h"
#include "raft/server.h"
#include "rpc/codec.h"

namespace raft {

void RaftServer::PersistLocked() {
  SavedHeader header;
  header.current_term = current_term_;
  header.voted_for = voted_for_;
  header.last_included_index = log_.FirstIndex() - 1;
  header.last_included_term = log_.TermAt(header.last_included_index);
  // Each entry is saved at once, but few change the header.
  if (saved_header_bytes_.empty() || header != saved_header_) {
    saved_header_ = header;
    saved_header_bytes_ = rpc::Encode(header);
  }
  base::Rope state = log_.bytes();
  state.Prepend(saved_header_bytes_);
  persister_->SaveRaftState(std::move(state));

  checked_.persisted_term = current_term_;
  checked_.persisted_vote = voted_for_;
  checked_.persisted_log_version = log_.version();
  VLOG(3) << TraceLocked(Topic::kPersist) << "save last=(" << log_.LastIndex()
          << "," << log_.LastTerm() << ") vote=" << voted_for_;
}

void RaftServer::RestoreLocked() {
  const std::string bytes = persister_->ReadRaftState().ToString();
  if (bytes.empty()) return;  // a new server

  // Only a bug can damage this disk, and a server that forgot what it promised
  // must not take part: so CHECK.
  absl::StatusOr<SavedState> saved = DecodeSavedState(bytes);
  CHECK(saved.ok()) << saved.status().message();
  current_term_ = saved->current_term;
  voted_for_ = saved->voted_for;
  log_ = Log(saved->last_included_index, saved->last_included_term);
  log_.AppendFrom(saved->entries, /*skip=*/0);

  checked_.persisted_term = current_term_;
  checked_.persisted_vote = voted_for_;
  checked_.persisted_log_version = log_.version();
}

}  // namespace raft
