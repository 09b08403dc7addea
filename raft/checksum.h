// A checksum of the entries of a log, kept while the log grows and is cut, so
// that a save need not read the log to have it (raft/persister_storage.h).
//
// Each entry's hash begins with that of the entries before it (XXH3, 64 bits):
// whatever is changed, missing or added in between shows at the end.
//
// Thread safety: compatible.

#ifndef RAFT_CHECKSUM_H_
#define RAFT_CHECKSUM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "base/rope.h"

namespace raft {

using Checksum = uint64_t;

// Returns the checksum of what had `before`, followed by `bytes`.
Checksum Extend(Checksum before, std::string_view bytes);

// Returns the checksum of all bytes of `rope`, however they lie in memory.
Checksum ChecksumOf(const base::Rope& rope);

class LogChecksum {
 public:
  // Of a log whose entries follow others, discarded ones, that had `before`.
  explicit LogChecksum(Checksum before = 0)
      : first_{0, before}, last_(first_) {}

  // One more entry, as it is packed: what lies in front of its command
  // (Entries::PackHeader) and the command.
  void Append(std::string_view header, std::string_view command);
  // Several, as they lie packed in `entries`; returns how many. REQUIRES: they
  // are whole.
  size_t AppendPacked(std::string_view entries);

  // The log was cut: `entries` are those left of all that are in it.
  void Truncate(const base::Rope& entries);

  // The first of its `entries`, of `bytes` bytes, are about to be discarded.
  void DropFront(const base::Rope& entries, size_t bytes);

  // Of what was discarded, and of all.
  Checksum before() const { return first_.checksum; }
  Checksum value() const { return last_.checksum; }

 private:
  // After the first `bytes` bytes of all that was ever in the log.
  struct Mark {
    size_t bytes = 0;
    Checksum checksum = 0;
  };

  // Returns the checksum of all up to `bytes`, of which `entries` has what was
  // not discarded.
  Mark At(const base::Rope& entries, size_t bytes) const;

  Mark first_;              // after what was discarded
  Mark last_;               // after all
  std::deque<Mark> marks_;  // some between, so that not all is read to find one
};

}  // namespace raft

#endif  // RAFT_CHECKSUM_H_
