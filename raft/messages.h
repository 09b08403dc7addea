// The RPCs between servers: what they carry and how they are called (Figure 2,
// Figure 13).
//
// Thread safety: plain values.

#ifndef RAFT_MESSAGES_H_
#define RAFT_MESSAGES_H_

#include <cstdint>
#include <string>
#include <tuple>

#include "raft/entries.h"
#include "raft/types.h"
#include "rpc/rpc.h"

namespace raft {

// Invoked by candidates to gather votes (5.2).
struct RequestVoteArgs {
  Term term = 0;              // the candidate's
  ServerId candidate_id = 0;  // asks for the vote
  Index last_log_index = 0;   // of the candidate's last log entry (5.4.1)
  Term last_log_term = 0;     // of that entry

  auto Fields() {
    return std::tie(term, candidate_id, last_log_index, last_log_term);
  }
};

struct RequestVoteReply {
  Term term = 0;              // current_term_, for the candidate to update to
  bool vote_granted = false;  // true: the candidate received the vote

  auto Fields() { return std::tie(term, vote_granted); }
};

// Invoked by the leader to replicate entries (5.3), and as heartbeat (5.2).
struct AppendEntriesArgs {
  Term term = 0;             // the leader's
  ServerId leader_id = 0;    // sends this
  Index prev_log_index = 0;  // of the entry right before the new ones
  Term prev_log_term = 0;    // of that entry
  Index leader_commit = 0;   // the leader's commit_index_
  Entries entries;           // to store; empty for a heartbeat

  auto Fields() {
    return std::tie(term, leader_id, prev_log_index, prev_log_term,
                    leader_commit, entries);
  }
};

// A rejection says where the logs diverge, so that the leader backs up by a
// term at a time instead of an entry (end of 5.3).
struct AppendEntriesReply {
  Term term = 0;         // current_term_, for the leader to update to
  bool success = false;  // the log held prev_log_index with prev_log_term
  // On failure: the term that stands at prev_log_index, or 0 if the log ends
  // before it; and the first index of that term, or the one after the end.
  Term conflict_term = 0;
  Index conflict_index = 0;

  auto Fields() {
    return std::tie(term, success, conflict_term, conflict_index);
  }
};

// Invoked by the leader to send a chunk of a snapshot to a follower that lacks
// entries which the leader has discarded (7, Figure 13). Chunks come in order.
struct InstallSnapshotArgs {
  Term term = 0;                  // the leader's
  ServerId leader_id = 0;         // sends this
  Index last_included_index = 0;  // the snapshot replaces all entries up to it
  Term last_included_term = 0;    // of that entry
  uint64_t offset = 0;            // of the chunk in the snapshot, in bytes
  std::string data;               // the chunk
  bool done = false;              // it is the last one

  auto Fields() {
    return std::tie(term, leader_id, last_included_index, last_included_term,
                    offset, data, done);
  }
};

// Beside the term it says how far the follower is, so that the leader goes on
// there, whatever was lost, repeated, or forgotten in a crash.
struct InstallSnapshotReply {
  Term term = 0;             // current_term_, for the leader to update to
  bool installed = false;    // the follower has all that the snapshot covers
  uint64_t next_offset = 0;  // otherwise: the chunk it needs begins here

  auto Fields() { return std::tie(term, installed, next_offset); }
};

inline constexpr rpc::Method<RequestVoteArgs, RequestVoteReply> kRequestVote{
    "Raft.RequestVote"};
inline constexpr rpc::Method<AppendEntriesArgs, AppendEntriesReply>
    kAppendEntries{"Raft.AppendEntries"};
inline constexpr rpc::Method<InstallSnapshotArgs, InstallSnapshotReply>
    kInstallSnapshot{"Raft.InstallSnapshot"};

}  // namespace raft

#endif  // RAFT_MESSAGES_H_
