// Seeded random streams: one per owner, all derived from one seed per run.
//
// A stream is derived from the run's seed and its owner's name, so a draw added
// in one place does not shift what any other place draws. The n-th stream of
// one name (a server's n-th incarnation) differs from the ones before it.
//
// Thread safety: SetRunSeed(), RunSeed() and Random::ForOwner() may be called
// from any thread; one Random is confined to its owner's lock or thread.

#ifndef BASE_RANDOM_H_
#define BASE_RANDOM_H_

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace base {

// Fixes the seed that ForOwner() derives from, and starts the numbering of each
// owner's streams again. Call it in main(), or first thing in a test.
void SetRunSeed(uint64_t seed);

// The seed in force: the one set, or one drawn from the operating system's
// entropy at the first use.
uint64_t RunSeed();

// One stream of random numbers.
class Random {
 public:
  // The stream of exactly this seed.
  explicit Random(uint64_t seed) : engine_(seed) {}

  // A stream of the operating system's entropy.
  static Random FromEntropy();

  // The next stream of `owner` (for example "raft/3") in this run.
  static Random ForOwner(std::string_view owner);

  // Uniform in 0..bound-1. REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound);

  // Uniform in low..high, both included. REQUIRES: low <= high.
  int64_t Between(int64_t low, int64_t high);

  // True with probability `hits` / `of`. REQUIRES: of > 0.
  bool Chance(uint64_t hits, uint64_t of) { return Below(of) < hits; }

  // A name of `length` characters out of the URL-safe base64 alphabet.
  std::string Name(int length);

 private:
  std::mt19937_64 engine_;
};

}  // namespace base

#endif  // BASE_RANDOM_H_
