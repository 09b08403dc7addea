// Threads that spin: they look again and again for what another thread is to
// do, without a scheduling point, as in
//
//   while (future.wait_for(0s) != std::future_status::ready) {}
//
// Only one thread runs at a time, so the other one would never come to it. A
// thread that computes for long in the program's own code, and comes to no
// scheduling point, is made to sleep for a moment of virtual time. How often it
// has looked by then differs from run to run, but nothing had changed: unless
// it counts, the run repeats.
//
// Thread safety: for the watchdog's signal handler, on the thread that holds
// the token.

#ifndef SIM_SPIN_H_
#define SIM_SPIN_H_

#include <cstdint>

namespace sim {

// How often the watchdog is to look once a thread was seen to spin.
inline constexpr uint64_t kSpinLook = 10'000'000;

enum class Spin : uint8_t {
  kNone,     // it is not in the program's own code
  kPerhaps,  // it has not computed for long enough
  kBroken,   // it has slept meanwhile
  kInVain,   // it does, but no other thread has moved for long
};

// Judges a thread that was interrupted at `pc`, `cpu` nanoseconds of processor
// time after its last scheduling point, and makes it sleep if it spins.
Spin BreakSpin(uintptr_t pc, uint64_t cpu);

}  // namespace sim

#endif  // SIM_SPIN_H_
