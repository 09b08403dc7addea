// A log as it comes to be again while its records are read.
//
// Thread safety: compatible.
// Invariants: entries_ and pending_ hold the entries from first_index_ up to,
// not including, state_.next_index.

#ifndef PERSISTER_FILES_RECOVERED_LOG_H_
#define PERSISTER_FILES_RECOVERED_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/rope.h"
#include "persister/files/format.h"

namespace persister {

class RecoveredLog {
 public:
  // Of a log that had come to `start`; its entries before that are not known.
  // REQUIRES: start.snapshot_index < start.next_index <= kMaxIndex.
  explicit RecoveredLog(const LogState& start)
      : state_(start), first_index_(start.next_index) {}

  // Does what the record says. DataLoss: no log could come to this.
  absl::Status Apply(const Record& record);

  const LogState& state() const { return state_; }
  // The index of the first entry that is known, or of the next one.
  uint64_t first_index() const { return first_index_; }

  // Returns the entries, packed, and forgets them.
  base::Rope TakeEntries();

 private:
  // Where an entry begins.
  struct Mark {
    uint64_t index = 0;
    uint64_t offset = 0;  // counts also what was dropped
  };

  absl::Status AppendEntries(const Record& record);
  absl::Status Truncate(uint64_t index);
  absl::Status InstallSnapshot(uint64_t index, uint64_t term);
  void Clear(uint64_t next_index);
  void MergePending();
  // REQUIRES: the entry is known, or the next one; nothing is pending.
  uint64_t OffsetOf(uint64_t index) const;
  uint64_t end_offset() const {
    return dropped_ + entries_.size() + pending_.size();
  }

  LogState state_;
  uint64_t first_index_;
  uint64_t last_term_ = 0;  // of the last entry, as far as known
  base::Rope entries_;
  std::string pending_;  // a rope of few large pieces is faster
  uint64_t dropped_ = 0;
  std::deque<Mark> marks_;  // of some entries; the first is first_index_'s
};

}  // namespace persister

#endif  // PERSISTER_FILES_RECOVERED_LOG_H_
