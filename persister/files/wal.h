// The write-ahead log of one server: writes batches to segments, and snapshots;
// discards what is not needed any more.
//
// Each call that fails leaves it unusable: end the process, and let recovery
// say what is on the disk. No flush is tried twice.
//
// Thread safety: compatible; the flusher's (file_storage.h).
// Invariants: all batches before next_batch_ are durable. The directory has the
// segments of used_, and next_ if it is there.

#ifndef PERSISTER_FILES_WAL_H_
#define PERSISTER_FILES_WAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/rope.h"
#include "persister/files/batch.h"
#include "persister/files/files.h"
#include "persister/files/format.h"
#include "persister/files/recovery.h"

namespace persister {

class Wal {
 public:
  struct Options {
    Identity identity;
    uint64_t segment_bytes = 64 << 20;  // of a file
  };

  // Makes the first segment of a new directory.
  static absl::Status Initialize(Files* files, const std::string& directory,
                                 const Options& options);

  // Continues the log of a directory where it was recovered: makes that
  // durable, and cuts a torn batch.
  static absl::StatusOr<std::unique_ptr<Wal>> Open(Files* files,
                                                   std::string directory,
                                                   const Options& options,
                                                   const Recovery& recovery);

  const LogState& state() const { return state_; }

  // Makes a batch durable, after which the log has come to `after`.
  absl::Status Write(BatchBuilder* batch, const LogState& after);

  // Makes a snapshot's file durable: before the batch with its record.
  absl::Status WriteSnapshotFile(uint64_t index, uint64_t term,
                                 const base::Rope& content);
  // Removes what the snapshot of state() has made needless.
  absl::Status RemoveNeedless();

  // Makes the segment after the current one ahead, so that a full disk is
  // noticed while there is room for votes. ResourceExhausted: the disk is full;
  // nothing was changed, and this may be called again.
  absl::Status MakeNext();
  bool has_next() const { return next_.file != nullptr; }

 private:
  struct Segment {
    uint64_t sequence = 0;
    uint64_t file_bytes = 0;
    std::unique_ptr<File> file;
  };

  Wal(Files* files, std::string directory, const Options& options,
      const Recovery& recovery);
  absl::StatusOr<Segment> OpenSegment(uint64_t sequence);
  absl::Status SwitchSegment(size_t batch_bytes);
  std::string EncodeHeader() const;

  Files* const files_;
  const std::string directory_;
  const Options options_;

  LogState state_;
  uint64_t next_batch_;
  std::vector<UsedSegment> used_;  // the last is current_
  Segment current_;                // no file: no batch was written ever
  uint64_t offset_;                // of the next batch in it
  Segment next_;                   // no file: not made yet
  uint64_t old_snapshot_index_;    // of the one in force before the last
  uint64_t old_snapshot_term_;
};

}  // namespace persister

#endif  // PERSISTER_FILES_WAL_H_
