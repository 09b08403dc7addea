// How observers read the disks of the Raft under test.
//
// Thread safety: plain values and pure functions, but for the reader.

#ifndef TESTS_HARNESS_DISK_H_
#define TESTS_HARNESS_DISK_H_

#include <cstddef>
#include <memory>
#include <optional>

#include "base/rope.h"
#include "raft/entries.h"
#include "raft/types.h"

namespace harness {

// What a Raft had saved, as far as observers ask (raft/saved_state.h).
struct DiskState {
  raft::Term current_term = 0;
  raft::ServerId voted_for = raft::kNobody;
  raft::Index last_included_index = 0;  // before the first entry
  raft::Term last_included_term = 0;
  // As many entries as were `kept` of the state read before, and then these.
  size_t kept = 0;
  raft::Entries entries = {};
  // The service's, if it was saved with the raft state; otherwise the one
  // before was kept.
  std::optional<base::Rope> snapshot = {};
};

// Whether the Raft under test offers raft/saved_state_reader.h, and saves what
// that reads.
bool CanReadDisks();

// Reads what one incarnation saves, one state after the other: at the cost of
// what is new in it.
//
// Thread safety: compatible.
class DiskReader {
 public:
  DiskReader();
  ~DiskReader();
  DiskReader(const DiskReader&) = delete;
  DiskReader& operator=(const DiskReader&) = delete;

  // Nothing if the bytes are not what the Raft saves. Without the snapshot.
  // REQUIRES: CanReadDisks().
  std::optional<DiskState> Read(const base::Rope& raft_state);

 private:
  class Reader;
  const std::unique_ptr<Reader> reader_;
};

}  // namespace harness

#endif  // TESTS_HARNESS_DISK_H_
