// The simulator: runs unmodified threaded code deterministically from a seed,
// in virtual time.
//
// A program that is linked with it has the pthread, clock, sleep and randomness
// functions of the C library replaced. While a simulation is active exactly one
// thread runs at a time; at each scheduling point (lock, unlock, wait, signal,
// create, join, sleep, ...) a generator seeded by the run's seed chooses
// the thread that runs next; time stands still while any can run, and then
// moves to the earliest timer. Without an active simulation every function is
// the C library's own.
//
// Programs need nothing of this header: SIM_SEED=n in the environment simulates
// the whole process (sim/README.md lists the variables). Tests of the
// simulator, and programs that run many seeds in one process, call Run().
//
// Limits: x86-64, glibc; sequential consistency only. Simulated code must not
// block on sockets or pipes, or read the time stamp counter; spinning on an
// atomic without yielding is slow (but see simmem.cc). A watchdog ends what
// hangs.
//
// Thread safety: one simulation at a time in a process. What is said to be for
// simulated threads does nothing elsewhere.

#ifndef SIM_SIM_H_
#define SIM_SIM_H_

#include <chrono>
#include <cstdint>
#include <functional>

namespace sim {

// How threads are switched. The schedule of a seed is the same in both.
enum class Engine {
  kNative,  // one real thread each; the only one for ThreadSanitizer
  kFiber,   // one real thread runs all, on stacks that sleeping ones lend
};

// How hard the schedule is on the program.
enum class Profile {
  kFair,   // as a machine that works: a thread is never late by more than some
           // milliseconds, so every check of a test counts
  kHarsh,  // whatever threads have to survive: safety counts
};

// What decides a schedule, beside the program itself.
struct Options {
  uint64_t seed = 1;
  Engine engine = Engine::kFiber;

  // The probability that a scheduling point lets any runnable thread run next,
  // not only the current one. In 0..1.
  double preempt = 0.1;

  // The probability that a scheduling point puts the thread to sleep, and for
  // how long at most; after a stall no thread stalls for `stall_pause`.
  double stall = 0;
  std::chrono::nanoseconds longest_stall{std::chrono::milliseconds(5)};
  std::chrono::nanoseconds stall_pause{0};

  // Timers fire this much late, at most: those close together fire together,
  // in any order.
  std::chrono::nanoseconds slack{std::chrono::milliseconds(1)};

  // The run is given up, with a report, when it has lasted longer.
  std::chrono::nanoseconds time_limit{std::chrono::hours(1)};
};

// Draws preemption, stalls and slack from the seed ("swarm testing": runs that
// differ in kind find more than runs that differ in luck).
Options Swarm(uint64_t seed, Profile profile);

// The engine to use where `wanted` may not work: threads must be real under
// ThreadSanitizer, and fibers need a processor and kernel with FSGSBASE.
Engine UsableEngine(Engine wanted, bool has_fsgsbase, bool has_tsan);

// What a simulation was.
struct Result {
  uint64_t hash = 0;      // of all scheduling points: equal means equal runs
  uint64_t steps = 0;     // scheduling points
  uint64_t switches = 0;  // from one thread to another
  uint64_t threads = 0;   // ever started
  std::chrono::nanoseconds time{0};  // virtual
};

// Runs `body`, which must not throw, as thread 0 of a new simulation. Returns
// when it and all threads that it started have ended. A deadlock, a hang or
// `time_limit` ends the process with one of the statuses below and a report on
// standard error. REQUIRES: no simulation is active; the calling thread is the
// process's only one, but for those of earlier simulations. A seed gives
// exactly the same run only in a fresh process (or fork) if the program orders
// or hashes by address, since earlier runs leave another heap.
Result Run(const Options& options, const std::function<void()>& body);

inline constexpr int kExitDeadlock = 86;
inline constexpr int kExitHung = 87;
inline constexpr int kExitTimeLimit = 88;
// Any other reason to give up: something that cannot be simulated.
inline constexpr int kExitUnsupported = 89;

// True on a simulated thread.
bool Active();

// The simulation so far. REQUIRES: Active().
Result Now();

// Mixes an event of the program into the hash. For simulated threads.
void Trace(uint64_t event);

// A scheduling point at a memory access: always if it is atomic, sampled if
// not. For simulated threads; simmem.cc calls it.
void Access(bool is_atomic);

// Writes the stack of every simulated thread to `fd`, with what it waits for
// and the holder of that. For simulated threads; the simulation can continue.
void PrintStacks(int fd);

}  // namespace sim

#endif  // SIM_SIM_H_
