// Reads a directory and says what it holds; changes nothing.
//
// A batch that was torn by a crash, and was never acknowledged, is told from
// rot (segment_reader.h). Rot, a missing segment and a gap of indexes are
// errors: what was promised may be lost, and no guess is safe.
//
// Thread safety: pure functions of what is on the disk.

#ifndef PERSISTER_FILES_RECOVERY_H_
#define PERSISTER_FILES_RECOVERY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "persister/files/batch.h"
#include "persister/files/files.h"
#include "persister/files/format.h"
#include "persister/storage.h"

namespace persister {

// A segment whose header is written.
struct UsedSegment {
  uint64_t sequence = 0;
  uint64_t next_index = 1;  // at its start
};

// What was found after the last whole batch.
struct TornBatch {
  uint64_t sequence = 0;  // of its segment
  uint64_t offset = 0;
  size_t bytes = 0;  // 0: there is none
};

// The last whole batch. Those before it are durable; it may be that this one is
// not: the process that wrote it has ended before its flush, or by its failure.
struct LastBatch {
  uint64_t offset = 0;  // in the last segment used; 0: with its header
  std::string bytes = {};
};

struct Recovery {
  Recovered recovered;
  LogState state;
  uint64_t next_batch = 1;
  std::vector<UsedSegment> used;  // in order; batches go to the last
  LastBatch last_batch;           // in it
  uint64_t end_offset = 0;        // where the next batch goes in it
  uint64_t unused_sequence = 0;   // of the segment made ahead; 0: none
  TornBatch torn;
};

// Sees what is read, for a person. All may be empty.
struct RecoveryObserver {
  std::function<void(const std::string& path, const SegmentHeader&)> on_segment;
  std::function<void(const Batch&, size_t offset)> on_batch;
  std::function<void(const std::string& path)> on_unused;
};

// Errors: DataLoss; FailedPrecondition if a file is of another identity or a
// newer version; those of `files`.
absl::StatusOr<Recovery> Recover(Files* files, const std::string& directory,
                                 const Identity& identity,
                                 const RecoveryObserver& observer = {});

// Makes durable what was recovered. Only the kernel may have had it, and what a
// flush has failed to write, a later flush does not write.
absl::Status MakeDurable(Files* files, const std::string& directory,
                         const Recovery& recovery);

// Copies the torn batch to a file *.broken, and makes its place zero again.
absl::Status CutTornBatch(Files* files, const std::string& directory,
                          const TornBatch& torn);

}  // namespace persister

#endif  // PERSISTER_FILES_RECOVERY_H_
