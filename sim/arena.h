// Memory that is never given back: for the simulator's records, so that its
// needs do not move the program's own allocations, and no sanitizer sees them.
//
// Thread safety: for the thread that holds the token.

#ifndef SIM_ARENA_H_
#define SIM_ARENA_H_

#include <cstddef>

namespace sim {

// Returns `size` bytes of zeros, aligned for anything.
void* AllocateZeros(size_t size);

template <typename T>
T* AllocateForever() {
  return static_cast<T*>(AllocateZeros(sizeof(T)));
}

}  // namespace sim

#endif  // SIM_ARENA_H_
