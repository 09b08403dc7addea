// Walking packed entries (persister/storage.h), which are opaque otherwise.
//
// Thread safety: pure functions.

#ifndef PERSISTER_FILES_PACKED_H_
#define PERSISTER_FILES_PACKED_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace persister {

// A run of packed entries.
struct PackedRun {
  bool whole = true;       // the last entry is not cut short
  bool in_order = true;    // terms never decrease
  uint64_t count = 0;      // of whole entries
  uint64_t last_term = 0;  // of the last whole entry; 0: there is none
};

// What an entry needs beside its bytes: its term and its size.
inline constexpr size_t kPackedHeaderBytes =
    sizeof(uint64_t) + sizeof(uint32_t);

// Returns the bytes of the first packed entry; 0 if it is cut short.
inline size_t FirstPackedBytes(std::string_view packed) {
  if (packed.size() < kPackedHeaderBytes) return 0;
  uint32_t size = 0;
  std::memcpy(&size, packed.data() + sizeof(uint64_t), sizeof(size));
  const size_t whole = kPackedHeaderBytes + size;
  return whole <= packed.size() ? whole : 0;
}

// Walks all of them, which have terms of at least `term`.
inline PackedRun WalkPacked(std::string_view packed, uint64_t term = 0) {
  PackedRun run;
  while (!packed.empty()) {
    const size_t bytes = FirstPackedBytes(packed);
    if (bytes == 0) {
      run.whole = false;
      break;
    }
    std::memcpy(&run.last_term, packed.data(), sizeof(run.last_term));
    if (run.last_term < term) run.in_order = false;
    term = run.last_term;
    packed.remove_prefix(bytes);
    ++run.count;
  }
  return run;
}

// Returns the bytes of the first `count` entries. REQUIRES: there are as many.
inline size_t PackedBytes(std::string_view packed, uint64_t count) {
  size_t bytes = 0;
  for (; count > 0; --count) bytes += FirstPackedBytes(packed.substr(bytes));
  return bytes;
}

}  // namespace persister

#endif  // PERSISTER_FILES_PACKED_H_
