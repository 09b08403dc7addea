// What this Raft saves, so that the oracle can judge its disks as well.
//
// Thread safety: plain values and a pure function.

#ifndef TESTS_PLAIN_RAFT_SAVED_STATE_H_
#define TESTS_PLAIN_RAFT_SAVED_STATE_H_

#include <string_view>
#include <tuple>

#include "absl/status/statusor.h"
#include "raft/entries.h"
#include "raft/types.h"
#include "rpc/codec.h"

namespace raft {

struct SavedState {
  Term current_term = 0;
  ServerId voted_for = kNobody;
  Index last_included_index = 0;
  Term last_included_term = 0;
  Entries entries;

  auto Fields() {
    return std::tie(current_term, voted_for, last_included_index,
                    last_included_term, entries);
  }
};

inline absl::StatusOr<SavedState> DecodeSavedState(std::string_view bytes) {
  if (bytes.empty()) return SavedState();
  return rpc::Decode<SavedState>(bytes);
}

}  // namespace raft

#endif  // TESTS_PLAIN_RAFT_SAVED_STATE_H_
