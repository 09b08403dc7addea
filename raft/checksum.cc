#include "raft/checksum.h"

#define XXH_INLINE_ALL  // compiled in: users of the library need no other one
#include <xxhash.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "raft/entries.h"

namespace raft {
namespace {

// How far the marks are from each other, at least.
constexpr size_t kMarkEvery = size_t{64} << 10;

}  // namespace

Checksum Extend(Checksum before, std::string_view bytes) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), before);
}

Checksum ChecksumOf(const base::Rope& rope) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  rope.ForEachPiece([&state](std::string_view piece) {
    XXH3_64bits_update(&state, piece.data(), piece.size());
  });
  return XXH3_64bits_digest(&state);
}

void LogChecksum::Append(std::string_view header, std::string_view command) {
  last_.checksum = Extend(Extend(last_.checksum, header), command);
  last_.bytes += header.size() + command.size();
  const size_t marked = marks_.empty() ? first_.bytes : marks_.back().bytes;
  if (last_.bytes >= marked + kMarkEvery) marks_.push_back(last_);
}

size_t LogChecksum::AppendPacked(std::string_view entries) {
  size_t count = 0;
  for (Entries::Iterator entry(entries); !entry.rest().empty(); ++entry) {
    Append(entry.rest().substr(0, Entries::kHeaderBytes), (*entry).command);
    ++count;
  }
  return count;
}

LogChecksum::Mark LogChecksum::At(const base::Rope& entries,
                                  size_t bytes) const {
  const auto after = std::upper_bound(
      marks_.begin(), marks_.end(), bytes,
      [](size_t at, const Mark& mark) { return at < mark.bytes; });
  LogChecksum log;
  log.last_ = after == marks_.begin() ? first_ : *std::prev(after);
  std::string rest;
  entries.CopyTo(log.last_.bytes - first_.bytes, bytes - log.last_.bytes,
                 &rest);
  log.AppendPacked(rest);
  return log.last_;
}

void LogChecksum::Truncate(const base::Rope& entries) {
  last_ = At(entries, first_.bytes + entries.size());
  while (!marks_.empty() && marks_.back().bytes > last_.bytes) {
    marks_.pop_back();
  }
}

void LogChecksum::DropFront(const base::Rope& entries, size_t bytes) {
  first_ = At(entries, first_.bytes + bytes);
  while (!marks_.empty() && marks_.front().bytes <= first_.bytes) {
    marks_.pop_front();
  }
}

}  // namespace raft
