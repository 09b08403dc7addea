// What a leader knows of one follower, and when the follower is due its next
// AppendEntries (Figure 2, volatile state on leaders) or chunk of a snapshot
// (7).
//
// One AppendEntries with entries is in flight to each follower while all is
// well; what is submitted meanwhile goes with the next. What has been
// unanswered for a heartbeat interval is sent again, so that repair depends on
// no single reply. Only replies move match() and next(), and a reply counts for
// what its own request said, however late it is.
//
// A follower that lacks entries which the leader has discarded gets a snapshot,
// in chunks, one at a time (kSnapshot). Meanwhile it gets its heartbeats, as
// AppendEntries without entries; one that does not answer gets nothing else,
// unless the snapshot is as small as entries are.
//
// Pure: no lock, no clock, no RPC. Thread safety: none of its own; RaftServer
// guards its Progress with mu_.
// Invariants: match() < next().

#ifndef RAFT_PROGRESS_H_
#define RAFT_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "base/rope.h"
#include "raft/log.h"
#include "raft/timing.h"
#include "raft/types.h"

namespace raft {

// How many bytes of entries may wait for the laggard interval.
inline constexpr size_t kMaxLaggardBytes = size_t{64} << 10;

// A snapshot of no more bytes is sent to a follower that does not answer, too.
inline constexpr size_t kSmallSnapshotBytes = size_t{16} << 10;

// What a leader has for its followers.
struct Offer {
  const Log& log;
  Index commit_index;
  Clock::time_point commit_advanced_at;
  Index discard_to = 0;  // entries up to here are about to be discarded
};

// A snapshot on its way to a follower.
struct SnapshotTransfer {
  Index last_included_index = 0;
  Term last_included_term = 0;
  base::Rope snapshot;
  uint64_t offset = 0;  // what comes before, the follower has
};

class Progress {
 public:
  enum class State : uint8_t { kReplicate, kSnapshot };

  // One AppendEntries, as far as its reply has to be judged by it.
  struct Request {
    uint64_t number = 0;  // counts the leader's requests, from 1
    Index prev_log_index = 0;
    size_t entries = 0;
    Index acknowledged = 0;  // match() when it was sent
  };

  // One InstallSnapshot, in the same way.
  struct Chunk {
    uint64_t number = 0;  // counts with the requests
    Index last_included_index = 0;
    uint64_t offset = 0;
  };

  // Nothing is known to match, and nothing was sent: due at once.
  explicit Progress(Index next = 1) : next_(next) {}

  Index match() const { return match_; }  // up to here the logs are the same
  Index next() const { return next_; }    // the next entry to send
  State state() const { return state_; }

  // What is on its way. REQUIRES: state() is kSnapshot.
  const SnapshotTransfer& transfer() const { return transfer_; }

  // Whether it answers in time to be counted on for a majority.
  bool IsResponsive(Clock::time_point now, const Timing& timing) const;

  // Whether its next AppendEntries is to carry entries: it lacks some, and no
  // young request with entries is in flight.
  bool WantsEntries(Clock::time_point now, Index last_index,
                    const Timing& timing) const;

  // Whether it is to get a snapshot: it wants entries that the log has no more.
  bool NeedsSnapshot(Clock::time_point now, const Log& log,
                     const Timing& timing) const;

  // Whether it is to get the next chunk: it answers, and has answered the last.
  // A small snapshot it gets in any case, if no young request is in flight.
  bool WantsChunk(Clock::time_point now, const Timing& timing) const;

  // Whether it has rejected, in this term, what it had acknowledged before it
  // was asked: then its disk was lost or replaced.
  bool lost_log() const { return lost_log_; }

  // When its next AppendEntries is due. If it `decides` on commitment it gets
  // entries as soon as it wants them, otherwise in batches.
  Clock::time_point DueAt(Clock::time_point now, bool decides,
                          const Offer& offer, const Timing& timing) const;

  // Whether the last entry of the log makes something due sooner. At high rates
  // it does not: each follower lacks entries already, and waits for an answer
  // or for more of them.
  bool HastensWith(const Log& log) const;

  // The leader sent `request`, with its commit index.
  void OnSent(Clock::time_point now, const Request& request,
              Index commit_index);

  // The follower stored what `request` carried.
  void OnAccepted(const Request& request);

  // The follower has another log; `next` is where the two may begin to differ.
  void OnRejected(const Request& request, Index next);

  // No usable reply came to the request or chunk of that number.
  void OnLost(uint64_t number);

  // It gets that snapshot, from the beginning.
  void BeginSnapshot(SnapshotTransfer transfer);

  // The leader sent `chunk`.
  void OnSent(Clock::time_point now, const Chunk& chunk);

  // The follower answered `chunk`: the snapshot goes on at `next_offset`.
  void OnStored(const Chunk& chunk, uint64_t next_offset);

  // The follower answered `chunk`: it has all that the snapshot covers.
  void OnInstalled(const Chunk& chunk);

 private:
  // The follower has the leader's log up to `index`.
  void OnMatch(Index index);

  State state_ = State::kReplicate;
  SnapshotTransfer transfer_;  // in kSnapshot
  Index match_ = 0;
  Index next_;
  Index sent_commit_ = 0;  // the newest commit index that went to it
  // Any request. Before the first, long ago by any clock, which the epoch is
  // not: it may be when the machine was started.
  Clock::time_point last_sent_ = Clock::time_point::min();
  Clock::time_point entries_sent_;  // the newest one with entries, or a chunk
  uint64_t in_flight_ = 0;  // that one's number while it is unanswered, else 0
  bool lost_ = false;       // the last answer did not come, or was of no use
  bool lost_log_ = false;
};

// Which followers get new entries at once, by server. A majority decides when
// an entry commits (5.3), so these are as many responsive followers as make a
// majority with the leader, the first by number. The others get theirs in
// batches: fewer messages, and no commitment waits for them.
absl::InlinedVector<bool, 8> QuorumFirst(const std::vector<Progress>& followers,
                                         ServerId leader, Clock::time_point now,
                                         const Timing& timing);

}  // namespace raft

#endif  // RAFT_PROGRESS_H_
