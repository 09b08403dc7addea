// What survives a crash: how changes of the persistent state (Figure 2) go to
// the storage, and come back after a restart.
//
// A change is made and given to the storage under one hold of the lock, which
// waits for no disk: the storage answers with a ticket (persister/storage.h).
// What is to be said to another server waits for the newest ticket, without the
// lock: AnswerWhenDurable() in server.h, SendRequestVotes(). Entries alone a
// leader sends at once, and counts itself when they are durable here (the
// thesis, 10.2.1).

#include <utility>

#include "base/logging.h"
#include "raft/server.h"

namespace raft {

using base::MutexLock;

void RaftServer::PersistVoteLocked() {
  NotePersistedLocked(storage_->SetVote(current_term_, voted_for_));
}

void RaftServer::PersistTruncationLocked(Index index) {
  storage_->TruncateFrom(index);
  durable_.OnTruncated(index);
}

void RaftServer::PersistEntriesLocked(Index first) {
  NotePersistedLocked(storage_->Append(first, log_.Newest(first)));
}

void RaftServer::PersistSnapshotLocked(base::Rope snapshot) {
  snapshot_ = std::move(snapshot);
  NotePersistedLocked(storage_->InstallSnapshot(
      log_.last_included_index(), log_.last_included_term(), snapshot_));
}

// All of the state is with the storage, and durable when `ticket` is.
void RaftServer::NotePersistedLocked(persister::Storage::Ticket ticket) {
  durable_.OnExtended(ticket, log_.LastIndex());
  checked_.persisted_term = current_term_;
  checked_.persisted_vote = voted_for_;
  checked_.persisted_log_version = log_.version();
  VLOG(3) << TraceLocked(Topic::kPersist) << "save last=(" << log_.LastIndex()
          << "," << log_.LastTerm() << ") vote=" << voted_for_;
}

// The storage's thread says so.
void RaftServer::OnDurable(persister::Storage::Ticket ticket) {
  DueCalls calls;
  {
    MutexLock lock(&mu_);
    durable_.OnDurable(ticket);
    if (role_ != Role::kLeader) return;
    AdvanceLeaderCommitLocked();
    calls = TakeDueCallsLocked();
  }
  SendCalls(calls);
}

void RaftServer::RestoreLocked() {
  persister::Recovered recovered = storage_->TakeRecovered();
  current_term_ = recovered.term;
  voted_for_ = static_cast<ServerId>(recovered.voted_for);
  log_ = Log(recovered.snapshot_index, recovered.snapshot_term,
             std::move(recovered.entries));
  CHECK_EQ(log_.LastIndex(), recovered.last_index);
  snapshot_ = std::move(recovered.snapshot);
  durable_ = DurableIndex(log_.LastIndex());
  // What the snapshot covers was committed, and is delivered first.
  commit_index_ = log_.last_included_index();

  checked_.persisted_term = current_term_;
  checked_.persisted_vote = voted_for_;
  checked_.persisted_log_version = log_.version();
}

}  // namespace raft
