// What a server has saved (raft/saved_state_reader.h reads it).
//
// A saved raft state is a seal, a header, and the packed entries of the log.
// The seal says which format this is and has a checksum of all else, so that
// what is damaged, cut short or of another format is never taken for a state.
// The header names the snapshot that it was saved with, so that no other is
// taken for it.
//
// Thread safety: plain values and a pure function.

#ifndef RAFT_SAVED_STATE_H_
#define RAFT_SAVED_STATE_H_

#include <cstddef>
#include <cstdint>
#include <tuple>

#include "absl/status/status.h"
#include "base/rope.h"
#include "raft/checksum.h"
#include "raft/types.h"

namespace raft {

// "RFT3", as it lies on the disk. A format that is not compatible gets another.
inline constexpr uint32_t kSavedFormat = 0x33544652;

struct SavedSeal {
  uint32_t format = kSavedFormat;
  Checksum checksum = 0;  // of all entries ever, and then the header

  auto Fields() { return std::tie(format, checksum); }
};

// What stands in front of the entries.
struct SavedHeader {
  Term current_term = 0;
  ServerId voted_for = kNobody;
  Index last_included_index = 0;  // of the entry before the first one
  Term last_included_term = 0;
  Checksum discarded = 0;  // of the entries up to that one
  uint64_t snapshot_size = 0;
  Checksum snapshot_checksum = 0;

  auto Fields() {
    return std::tie(current_term, voted_for, last_included_index,
                    last_included_term, discarded, snapshot_size,
                    snapshot_checksum);
  }
};

// How many bytes the seal and the header have.
size_t SavedFrontBytes();

// Returns kDataLoss if `snapshot` is not what was saved with the raft state.
absl::Status CheckSnapshot(const SavedHeader& header,
                           const base::Rope& snapshot);

}  // namespace raft

#endif  // RAFT_SAVED_STATE_H_
