// What must hold whenever a Raft's mutex is released, checked in every build.
//
// The checks cost O(what changed), not O(log), and can be switched off for
// benchmarks. A violation is a bug and ends the process (CHECK).

#ifndef RAFT_INVARIANTS_H_
#define RAFT_INVARIANTS_H_

#include <cstdint>

#include "raft/types.h"

namespace raft {

// Switches the checks of instances made from now on; they are on at first.
// Thread safety: safe.
void SetInvariantChecks(bool on);
bool InvariantChecksOn();

// What a Raft's state was when its mutex was last released, and what it last
// gave to its Persister. Guarded by that Raft's mu_.
struct Witness {
  Term current_term = 0;
  ServerId voted_for = kNobody;
  Role role = Role::kFollower;
  Index commit_index = 0;
  Index last_applied = 0;

  Term persisted_term = 0;
  ServerId persisted_vote = kNobody;
  uint64_t persisted_log_version = 0;
};

}  // namespace raft

#endif  // RAFT_INVARIANTS_H_
