// A service as replication sees it: a deterministic machine on bytes.
//
// Every server has one. All of them execute the same commands in the same
// order, so that all go through the same states (5.1); rsm/rsm.h is what gives
// the commands to it. A machine whose commands, results and state are structs
// is written with rsm/typed.h.
//
// Thread safety: none is needed, an Rsm calls from one thread at a time.

#ifndef RSM_STATE_MACHINE_H_
#define RSM_STATE_MACHINE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/rope.h"

namespace rsm {

class StateMachine {
 public:
  StateMachine() = default;
  StateMachine(const StateMachine&) = delete;
  StateMachine& operator=(const StateMachine&) = delete;
  virtual ~StateMachine() = default;

  // Executes a committed command and returns its result. Depends on the state
  // and the command alone: no clock, no random choice, no order of a hash
  // table. Bytes that are no command of this machine have a result too.
  virtual std::string Apply(std::string_view command) = 0;

  // The whole state.
  virtual base::Rope Snapshot() = 0;

  // Replaces the whole state by one that Snapshot() returned, here or on
  // another server. An error says what is wrong with the bytes; the state is
  // unspecified then.
  virtual absl::Status Restore(const base::Rope& snapshot) = 0;

  // How many bytes of the last snapshot the state has no more. They count as
  // those of the log do (rsm.h, max_raft_state), so that what is deleted does
  // not stay on the disk for long.
  virtual size_t Garbage() const { return 0; }
};

}  // namespace rsm

#endif  // RSM_STATE_MACHINE_H_
