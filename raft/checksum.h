// A checksum of the entries of a log, kept while the log grows and is cut, so
// that a save need not read the log to have it (raft/saved_state.h).
//
// Each entry's hash begins with that of the entries before it (XXH3, 64 bits):
// whatever is changed, missing or added in between shows at the end.
//
// Thread safety: compatible; part of a Log.

#ifndef RAFT_CHECKSUM_H_
#define RAFT_CHECKSUM_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/rope.h"

namespace raft {

using Checksum = uint64_t;

// Returns the checksum of what had `before`, followed by `bytes`.
Checksum Extend(Checksum before, std::string_view bytes);

class LogChecksum {
 public:
  // One more entry, as it is packed: what lies in front of its command
  // (Entries::PackHeader) and the command.
  void Append(std::string_view header, std::string_view command);
  // Several, as they lie packed in `entries`. REQUIRES: they are whole.
  void AppendPacked(std::string_view entries);

  // The log was cut: `entries` are those left of all that were appended.
  void Truncate(const base::Rope& entries);

  Checksum value() const { return last_.checksum; }

 private:
  // After the first entries of a log, which are `bytes` long.
  struct Mark {
    size_t bytes = 0;
    Checksum checksum = 0;
  };

  Mark last_;
  std::vector<Mark> marks_;  // some, so that a cut log is not read from 0 on
};

}  // namespace raft

#endif  // RAFT_CHECKSUM_H_
