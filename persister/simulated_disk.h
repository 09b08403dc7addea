// The simulated disk of one running server: a Persister in memory, without
// delay and without failure.
//
// Two instances never share one: a restarted server gets a Copy(), so that a
// late write of the old instance cannot change what the new one starts from.
// Hold it by shared_ptr, so that such a late write never goes to freed memory
// either.
//
// Thread safety: safe. A leaf in the lock order: it calls nothing but its
// observer.

#ifndef PERSISTER_SIMULATED_DISK_H_
#define PERSISTER_SIMULATED_DISK_H_

#include <functional>
#include <memory>

#include "base/mutex.h"
#include "base/rope.h"
#include "persister/persister.h"

namespace persister {

class SimulatedDisk : public Persister {
 public:
  // Sees what is saved, in their order, before the save returns: the raft
  // state, and the snapshot unless it was kept (null). Runs under the disk's
  // lock: it must take no other but a leaf.
  using Observer = std::function<void(const base::Rope& raft_state,
                                      const base::Rope* snapshot)>;

  // REQUIRES: the disk is not yet shared between threads.
  void SetObserver(Observer observer) EXCLUDES(mu_);

  // Returns a new disk with the same two values, read at one moment, and
  // without an observer; later saves to either do not show in the other.
  std::shared_ptr<SimulatedDisk> Copy() const EXCLUDES(mu_);

  void Save(base::Rope raft_state, base::Rope snapshot) override EXCLUDES(mu_);
  void SaveRaftState(base::Rope raft_state) override EXCLUDES(mu_);
  base::Rope ReadRaftState() const override EXCLUDES(mu_);
  base::Rope ReadSnapshot() const override EXCLUDES(mu_);

 private:
  mutable base::Mutex mu_;
  base::Rope raft_state_ ABSL_GUARDED_BY(mu_);
  base::Rope snapshot_ ABSL_GUARDED_BY(mu_);
  Observer observer_ ABSL_GUARDED_BY(mu_);
};

}  // namespace persister

#endif  // PERSISTER_SIMULATED_DISK_H_
