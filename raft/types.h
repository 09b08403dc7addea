// The plain types that Raft and its users share.

#ifndef RAFT_TYPES_H_
#define RAFT_TYPES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/rope.h"

namespace raft {

// Counts elections; 0 before the first one (Figure 2, currentTerm).
using Term = uint64_t;

// A position in the log. The first entry has index 1; index 0 stands before it.
using Index = uint64_t;

// No cluster that works comes to greater ones: what claims to is malformed, and
// counting on from these never wraps.
inline constexpr Term kMaxTerm = Term{1} << 62;
inline constexpr Index kMaxIndex = Index{1} << 62;

// A server's position in the list of ends that Make() got.
using ServerId = int32_t;
inline constexpr ServerId kNobody = -1;

// The largest command that Start() takes, in bytes. A command travels whole,
// and while it is encoded, copied and saved a server does nothing else: that
// has to be far less than an election timeout.
inline constexpr size_t kMaxCommandBytes = size_t{1} << 20;

enum class Role : uint8_t { kFollower, kCandidate, kLeader };

// What Start() says of a command.
struct StartResult {
  Index index = 0;  // where the command will stand if it ever commits
  Term term = 0;
  bool is_leader = false;  // if false the command was not taken
  bool too_large = false;  // so no server takes it: above kMaxCommandBytes
};

// What GetState() says of the server, both true at one moment.
struct State {
  Term term = 0;
  bool is_leader = false;

  bool operator==(const State&) const = default;
};

// One delivery on the apply channel: each committed entry once, in the order of
// the indexes, without a gap; or, in place of all entries up to `index` that
// were not delivered, a snapshot that covers them. To a service that asked for
// it also the server's term and role, when they have changed.
struct ApplyMsg {
  enum class Kind : uint8_t { kCommand, kSnapshot, kState };

  Kind kind = Kind::kCommand;
  Index index = 0;         // of the command, or the last one in the snapshot
  Term term = 0;           // of the entry at `index`; kState: of the server
  std::string command;     // kCommand: the bytes given to Start()
  base::Rope snapshot;     // kSnapshot: the bytes given to Snapshot()
  bool is_leader = false;  // kState: whether the server leads `term`
};

}  // namespace raft

#endif  // RAFT_TYPES_H_
