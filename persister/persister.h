// Where a Raft keeps what survives a crash: two byte strings, the raft state
// and the snapshot, each replaced whole by a save that is durable when it
// returns.
//
// A value is a rope, which shares what did not change since the last save, so
// that saving a long log again after one entry was added costs that entry
// (base/rope.h).
//
// A call that cannot do its work throws a std::exception that says why. A Raft
// then ends its process, with that text: what is not on the disk must not be
// promised.
//
// Thread safety: implementations are safe, and leaves in the lock order: a Raft
// calls them under its lock.

#ifndef PERSISTER_PERSISTER_H_
#define PERSISTER_PERSISTER_H_

#include "base/rope.h"

namespace persister {

class Persister {
 public:
  Persister() = default;
  Persister(const Persister&) = delete;
  Persister& operator=(const Persister&) = delete;
  virtual ~Persister() = default;

  // Replaces both values atomically: a reader sees both old or both new. Use it
  // whenever the snapshot changes, for log and snapshot must match.
  virtual void Save(base::Rope raft_state, base::Rope snapshot) = 0;

  // Replaces the raft state and keeps the snapshot.
  virtual void SaveRaftState(base::Rope raft_state) = 0;

  // The values saved last; empty if none was. O(1).
  virtual base::Rope ReadRaftState() const = 0;
  virtual base::Rope ReadSnapshot() const = 0;
};

}  // namespace persister

#endif  // PERSISTER_PERSISTER_H_
