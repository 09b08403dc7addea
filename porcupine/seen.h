// The configurations that a search has been in, each as a hash of 128 bits, so
// that an entry costs 16 bytes however long the history is. That two unlike
// ones among a billion have the same hash has a probability below 2^-67.
//
// Thread safety: compatible.

#ifndef PORCUPINE_SEEN_H_
#define PORCUPINE_SEEN_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace porcupine {

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;

  bool operator==(const Hash128& other) const = default;
  Hash128 operator^(const Hash128& other) const {
    return {low ^ other.low, high ^ other.high};
  }
};

// The finalizer of splitmix64: each bit of `x` changes about half of all bits.
inline uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

inline Hash128 HashOf(uint64_t x) {
  return {Mix(x), Mix(x ^ 0x6a09e667f3bcc908)};
}

class Seen {
 public:
  Seen() : slots_(1024) {}

  // Says whether the hash is new, and keeps it.
  bool Insert(Hash128 hash) {
    if (hash == Hash128{}) hash.low = 1;  // zeros are an empty slot
    if (2 * (used_ + 1) > slots_.size()) Grow();
    return Place(hash);
  }

  size_t bytes() const { return slots_.size() * sizeof(Hash128); }

 private:
  bool Place(Hash128 hash) {
    const size_t mask = slots_.size() - 1;
    size_t slot = hash.low & mask;
    while (slots_[slot] != Hash128{}) {
      if (slots_[slot] == hash) return false;
      slot = (slot + 1) & mask;
    }
    slots_[slot] = hash;
    ++used_;
    return true;
  }

  void Grow() {
    std::vector<Hash128> old(2 * slots_.size());
    old.swap(slots_);
    used_ = 0;
    for (const Hash128& hash : old) {
      if (hash != Hash128{}) Place(hash);
    }
  }

  std::vector<Hash128> slots_;  // a power of two; linear probing
  size_t used_ = 0;
};

}  // namespace porcupine

#endif  // PORCUPINE_SEEN_H_
