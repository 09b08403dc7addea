// What must hold whenever a Raft's mutex is released, checked in every build.
//
// The checks cost O(what changed), not O(log), and can be switched off
// (Options::check_invariants). A violation is a bug and ends the process.

#ifndef RAFT_INVARIANTS_H_
#define RAFT_INVARIANTS_H_

#include <cstdint>

#include "raft/types.h"

namespace raft {

// The state of a server when its mutex was last released, and what it last gave
// to its Persister. Guarded by that server's mu_.
struct CheckedState {
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
