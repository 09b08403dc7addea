// What survives a crash: how the state goes to the Persister and comes back
// (Figure 2, "persistent state on all servers").
//
// The value saved is a seal, a small header and then the log's own bytes. The
// bytes are shared, not copied (base/rope.h), and their checksum is kept with
// the log, so a save costs O(1) whatever the length of the log.

#include <exception>
#include <string>
#include <utility>

#include "base/logging.h"
#include "raft/saved_state.h"
#include "raft/saved_state_reader.h"
#include "raft/server.h"
#include "rpc/codec.h"

namespace raft {
namespace {

// Calls the disk. What it throws ends the process: what could not be saved must
// not be promised, and what was promised must not be forgotten.
template <typename Function>
auto CallDisk(const std::string& server, const char* failure,
              Function function) {
  std::string error = "what was thrown is no std::exception";
  try {
    return function();
  } catch (const std::exception& thrown) {
    error = thrown.what();
  } catch (...) {
  }
  LOG(FATAL) << server << ": the raft state " << failure << ": " << error;
}

}  // namespace

// Raft state and snapshot belong together, and change in one save.
void RaftServer::PersistSnapshotLocked(base::Rope snapshot, Checksum checksum) {
  snapshot_ = std::move(snapshot);
  snapshot_checksum_ = checksum;
  base::Rope state = EncodeStateLocked();
  CallDisk(log_name_, "was not saved", [&, saved = snapshot_]() mutable {
    persister_->Save(std::move(state), std::move(saved));
  });
}

void RaftServer::PersistLocked() {
  base::Rope state = EncodeStateLocked();
  CallDisk(log_name_, "was not saved",
           [&] { persister_->SaveRaftState(std::move(state)); });
}

// Returns what is to be saved, and counts it as saved.
base::Rope RaftServer::EncodeStateLocked() {
  SavedHeader header;
  header.current_term = current_term_;
  header.voted_for = voted_for_;
  header.last_included_index = log_.last_included_index();
  header.last_included_term = log_.last_included_term();
  header.discarded = log_.discarded_checksum();
  header.snapshot_size = snapshot_.size();
  header.snapshot_checksum = snapshot_checksum_;
  // Each entry is saved at once, but few change the header.
  if (saved_header_bytes_.empty() || header != saved_header_) {
    saved_header_ = header;
    saved_header_bytes_ = rpc::Encode(header);
  }
  base::Rope state = log_.bytes();
  state.Prepend(saved_header_bytes_);
  state.Prepend(rpc::Encode(
      SavedSeal{.checksum = Extend(log_.checksum(), saved_header_bytes_)}));

  checked_.persisted_term = current_term_;
  checked_.persisted_vote = voted_for_;
  checked_.persisted_log_version = log_.version();
  VLOG(3) << TraceLocked(Topic::kPersist) << "save last=(" << log_.LastIndex()
          << "," << log_.LastTerm() << ") vote=" << voted_for_;
  return state;
}

void RaftServer::RestoreLocked() {
  const base::Rope bytes = CallDisk(log_name_, "cannot be read", [this] {
    return persister_->ReadRaftState();
  });
  snapshot_ = CallDisk(log_name_, "cannot be read",
                       [this] { return persister_->ReadSnapshot(); });
  snapshot_checksum_ = ChecksumOf(snapshot_);
  if (bytes.empty() && snapshot_.empty()) return;  // a new server

  // A server that forgot what it promised must not take part.
  absl::StatusOr<SavedState> saved = SavedStateReader().Read(bytes);
  CHECK(saved.ok()) << log_name_ << ": the saved raft state is damaged: "
                    << saved.status().message();
  const absl::Status matches = CheckSnapshot(*saved, snapshot_);
  CHECK(matches.ok()) << log_name_ << ": the saved snapshot is damaged: "
                      << matches.message();
  current_term_ = saved->current_term;
  voted_for_ = saved->voted_for;
  log_ = Log(saved->last_included_index, saved->last_included_term,
             saved->discarded);
  log_.AppendFrom(saved->entries, /*skip=*/0);
  // What the snapshot covers was committed, and is delivered first.
  commit_index_ = log_.last_included_index();

  checked_.persisted_term = current_term_;
  checked_.persisted_vote = voted_for_;
  checked_.persisted_log_version = log_.version();
}

}  // namespace raft
