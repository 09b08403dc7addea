// The simulated disk of one running server: two byte strings, the raft state
// and the snapshot, that survive a crash.
//
// Every save replaces a whole value and is durable when it returns; there is no
// delay and no failure. A value is a rope, so saving a long log again after one
// entry was added costs that entry (base/rope.h).
//
// Two instances never share a persister: whoever restarts a server gives the
// new instance a Copy(), so that a late write of the old one cannot change what
// the new one starts from. Hold it by shared_ptr, so that such a late write
// never goes to freed memory either.
//
// Thread safety: safe. A leaf in the lock order: it calls nothing back but its
// observer.

#ifndef PERSISTER_PERSISTER_H_
#define PERSISTER_PERSISTER_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "base/mutex.h"
#include "base/rope.h"

namespace persister {

class Persister {
 public:
  // An empty disk.
  Persister() = default;
  Persister(const Persister&) = delete;
  Persister& operator=(const Persister&) = delete;

  // Sees each raft state that is saved, in their order, before the save
  // returns. Runs under the persister's lock: it must take no other but a leaf.
  using Observer = std::function<void(const base::Rope& raft_state)>;

  // REQUIRES: nobody else uses this persister yet.
  void SetObserver(Observer observer) EXCLUDES(mu_);

  // Returns a new persister with the same two values, read at one moment, and
  // without an observer; later saves to either do not show in the other.
  std::shared_ptr<Persister> Copy() const EXCLUDES(mu_);

  // Replaces both values atomically: a reader sees both old or both new. Use it
  // whenever the snapshot changes, for log and snapshot must match.
  void Save(base::Rope raft_state, base::Rope snapshot) EXCLUDES(mu_);

  // Replaces the raft state and keeps the snapshot.
  void SaveRaftState(base::Rope raft_state) EXCLUDES(mu_);

  // The values saved last; empty if none was.
  base::Rope ReadRaftState() const EXCLUDES(mu_);
  base::Rope ReadSnapshot() const EXCLUDES(mu_);

  // Their lengths in bytes. O(1).
  size_t RaftStateSize() const EXCLUDES(mu_);
  size_t SnapshotSize() const EXCLUDES(mu_);

 private:
  mutable base::Mutex mu_;
  base::Rope raft_state_ ABSL_GUARDED_BY(mu_);
  base::Rope snapshot_ ABSL_GUARDED_BY(mu_);
  Observer observer_ ABSL_GUARDED_BY(mu_);
};

}  // namespace persister

#endif  // PERSISTER_PERSISTER_H_
