// What the five services of the demo were told to execute, and whether they
// were told the same (State Machine Safety, Figure 3 of the paper).
//
// Thread safety: safe; a leaf in the lock order.
// Invariant: entries_[i] is what the first server to apply index i + 1 applied
// there; every other server applied the same, or Add() has said otherwise.

#ifndef EXAMPLES_DEMO_APPLY_RECORD_H_
#define EXAMPLES_DEMO_APPLY_RECORD_H_

#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "raft/timing.h"
#include "raft/types.h"

namespace tests {

class ApplyRecord {
 public:
  struct Entry {
    raft::Term term = 0;
    std::string command;
    raft::Clock::time_point first_applied;  // on any server
  };

  explicit ApplyRecord(int servers) : applied_(static_cast<size_t>(servers)) {}

  // A new life of `server` begins: it applies its log from the start again.
  void Restart(raft::ServerId server) EXCLUDES(mu_);

  // Records one delivery. Returns what is wrong with it, if anything: not the
  // next index, or not what another server applied there.
  std::optional<std::string> Add(raft::ServerId server,
                                 const raft::ApplyMsg& message) EXCLUDES(mu_);

  // How far `server` has applied, in its present life.
  raft::Index AppliedBy(raft::ServerId server) const EXCLUDES(mu_);

  // What was applied at `index`; nothing if no server got there yet.
  std::optional<Entry> At(raft::Index index) const EXCLUDES(mu_);

  // Everything that was applied, in order.
  std::vector<Entry> All() const EXCLUDES(mu_);

 private:
  mutable base::Mutex mu_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mu_);
  std::vector<raft::Index> applied_ ABSL_GUARDED_BY(mu_);  // by server
};

}  // namespace tests

#endif  // EXAMPLES_DEMO_APPLY_RECORD_H_
