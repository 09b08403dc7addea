#include "raft/checksum.h"

#define XXH_INLINE_ALL  // compiled in: users of the library need no other one
#include <xxhash.h>

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

void LogChecksum::Append(std::string_view header, std::string_view command) {
  last_.checksum = Extend(Extend(last_.checksum, header), command);
  last_.bytes += header.size() + command.size();
  const size_t marked = marks_.empty() ? 0 : marks_.back().bytes;
  if (last_.bytes >= marked + kMarkEvery) marks_.push_back(last_);
}

void LogChecksum::AppendPacked(std::string_view entries) {
  for (Entries::Iterator entry(entries); !entry.rest().empty(); ++entry) {
    Append(entry.rest().substr(0, Entries::kHeaderBytes), (*entry).command);
  }
}

void LogChecksum::Truncate(const base::Rope& entries) {
  while (!marks_.empty() && marks_.back().bytes > entries.size()) {
    marks_.pop_back();
  }
  last_ = marks_.empty() ? Mark() : marks_.back();
  std::string rest;
  entries.CopyTo(last_.bytes, entries.size() - last_.bytes, &rest);
  AppendPacked(rest);
}

}  // namespace raft
