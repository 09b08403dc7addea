// SplitMix64, the generator of schedules and of knobs (Steele, Lea, Flood: Fast
// splittable pseudorandom number generators, 2014). Any 64-bit state will do as
// a seed.
//
// Thread safety: a function; the state is the caller's.

#ifndef SIM_RANDOM_H_
#define SIM_RANDOM_H_

#include <cstdint>

namespace sim {

inline uint64_t NextRandom(uint64_t* state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace sim

#endif  // SIM_RANDOM_H_
