// Log compaction: the service's snapshots, and InstallSnapshot (section 7 and
// Figure 13).
//
// A snapshot travels in chunks, one at a time. The follower keeps what it has
// of an incomplete one in memory only, and each of its replies says where to go
// on: a lost chunk, a repeated one, a crash and a new leader need nothing else.

#include <utility>

#include "base/logging.h"
#include "raft/server.h"

namespace raft {

using base::MutexLock;

namespace {

// How many bytes of a snapshot one InstallSnapshot carries. With what stands
// around them they stay below a million.
constexpr size_t kMaxChunkBytes = 999'000;

}  // namespace

void RaftServer::Snapshot(Index index, base::Rope snapshot) {
  storage_->PrepareSnapshot(snapshot);  // long; so not under the lock
  DueCalls calls;
  {
    MutexLock lock(&mu_);
    calls = SnapshotLocked(index, std::move(snapshot));
  }
  SendCalls(calls);
}

// A follower that only waits for its next entries gets them before they are
// discarded: it needs no snapshot.
RaftServer::DueCalls RaftServer::SnapshotLocked(Index index,
                                                base::Rope snapshot) {
  if (killed_ || index <= log_.last_included_index()) return {};
  CHECK_LE(index, last_applied_)
      << log_name_ << ": Snapshot(): the entry at " << index
      << " was not delivered; give the index of the last delivery that the "
         "snapshot has the effect of";
  DueCalls calls = TakeDueCallsLocked(/*discard_to=*/index);
  log_.DiscardUpTo(index);
  PersistSnapshotLocked(std::move(snapshot));
  VLOG(1) << TraceLocked(Topic::kSnapshot) << "discard up to=("
          << log_.last_included_index() << "," << log_.last_included_term()
          << ") bytes=" << snapshot_.size();
  return calls;
}

// --- Leader -----------------------------------------------------------------

// Figure 13, InstallSnapshot RPC, arguments.
RaftServer::InstallSnapshotCall RaftServer::FillInstallSnapshotLocked(
    ServerId peer, Clock::time_point now) {
  Progress& follower = followers_[static_cast<size_t>(peer)];
  const SnapshotTransfer& transfer = follower.transfer();
  const size_t offset = transfer.offset;
  const size_t size =
      std::min(kMaxChunkBytes, transfer.snapshot.size() - offset);
  InstallSnapshotArgs args;
  args.term = current_term_;
  args.leader_id = me_;
  args.last_included_index = transfer.last_included_index;
  args.last_included_term = transfer.last_included_term;
  args.offset = offset;
  args.data.reserve(size);
  transfer.snapshot.CopyTo(offset, size, &args.data);
  args.done = offset + size == transfer.snapshot.size();
  const Progress::Chunk chunk{++calls_filled_, args.last_included_index,
                              args.offset};
  follower.OnSent(now, chunk);
  VLOG(2) << TraceLocked(Topic::kSnapshot) << "send to=S" << peer << " last=("
          << args.last_included_index << "," << args.last_included_term
          << ") offset=" << offset << " bytes=" << size
          << (args.done ? " done" : "");
  return {peer, chunk, std::move(args)};
}

void RaftServer::SendInstallSnapshot(const InstallSnapshotCall& call) {
  CallPeer(call.peer, kInstallSnapshot, call.args,
           [this, peer = call.peer, chunk = call.chunk](
               const std::optional<InstallSnapshotReply>& reply) {
             mu_.AssertHeld();
             OnInstallSnapshotReplyLocked(peer, chunk, reply);
           });
}

// As OnAppendEntriesReplyLocked().
void RaftServer::OnInstallSnapshotReplyLocked(
    ServerId peer, const Progress::Chunk& chunk,
    const std::optional<InstallSnapshotReply>& reply) {
  Progress& follower = followers_[static_cast<size_t>(peer)];
  if (!reply.has_value() || reply->term < current_term_) {
    follower.OnLost(chunk.number);
  } else if (reply->installed) {
    // What the snapshot covers is committed: no commit index advances by this.
    follower.OnInstalled(chunk);
  } else {
    follower.OnStored(chunk, reply->next_offset);
  }
}

// --- Follower ---------------------------------------------------------------

// Counts the request if no peer that works can have sent it.
bool RaftServer::IsMalformedLocked(const InstallSnapshotArgs& args) {
  if (IsOther(args.leader_id) && args.term <= kMaxTerm &&
      args.last_included_index > 0 && args.last_included_index <= kMaxIndex &&
      args.last_included_term > 0 && args.last_included_term <= args.term) {
    return false;
  }
  CountMalformedLocked("InstallSnapshot", args.leader_id);
  return true;
}

// Figure 13, InstallSnapshot RPC, receiver implementation.
InstallSnapshotReply RaftServer::InstallSnapshotLocked(
    const InstallSnapshotArgs& args) {
  if (args.term > current_term_) BecomeFollowerLocked(args.term);

  InstallSnapshotReply reply;
  reply.term = current_term_;
  // 1. Reply immediately if term < current_term_.
  if (args.term < current_term_) return reply;
  FollowLocked(args.leader_id);

  // The log has it all, and the service is about to have it: the snapshot is
  // late.
  if (args.last_included_index <= commit_index_) {
    reply.installed = true;
    return reply;
  }
  // 4. Reply, and wait for more chunks, if this was not the last one.
  if (TakeChunkLocked(args)) {
    InstallLocked();
    reply.installed = true;
  } else if (incoming_->last_included_index == args.last_included_index) {
    reply.next_offset = incoming_->bytes.size();
  }
  return reply;
}

// 2. Create a new snapshot file if this is the first chunk; 3. write the data
// into it at the offset. Returns whether it is complete. A chunk of an older
// snapshot, one that is there, and one that does not follow change nothing.
bool RaftServer::TakeChunkLocked(const InstallSnapshotArgs& args) {
  if (!incoming_.has_value() || incoming_->term < args.term ||
      incoming_->last_included_index < args.last_included_index) {
    incoming_ =
        IncomingSnapshot{.term = args.term,
                         .last_included_index = args.last_included_index,
                         .last_included_term = args.last_included_term,
                         .bytes = {}};
  }
  if (incoming_->last_included_index != args.last_included_index ||
      incoming_->bytes.size() != args.offset) {
    return false;
  }
  incoming_->bytes.Append(args.data);
  return args.done;
}

// The incoming snapshot is complete, and covers what is not known here to be
// committed.
void RaftServer::InstallLocked() {
  const IncomingSnapshot snapshot = *std::exchange(incoming_, std::nullopt);
  // 6. If the log has an entry with the same index and term as the last
  // included one, retain what follows it; 7. discard the entire log otherwise.
  if (log_.Matches(snapshot.last_included_index, snapshot.last_included_term)) {
    log_.DiscardUpTo(snapshot.last_included_index);
  } else {
    log_.TruncateFrom(snapshot.last_included_index + 1);
    PersistTruncationLocked(snapshot.last_included_index + 1);
    log_.DiscardAll(snapshot.last_included_index, snapshot.last_included_term);
  }
  // 5. Save the snapshot; any with a smaller index goes.
  PersistSnapshotLocked(snapshot.bytes);
  VLOG(1) << TraceLocked(Topic::kSnapshot) << "install last=("
          << snapshot.last_included_index << "," << snapshot.last_included_term
          << ") bytes=" << snapshot_.size();
  // 8. Reset the state machine: the applier delivers what is before the log.
  SetCommitIndexLocked(snapshot.last_included_index);
}

}  // namespace raft
