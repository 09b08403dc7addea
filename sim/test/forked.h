// Runs a piece of a test in a forked process, plain or simulated, and tells how
// it ended.
//
// A simulation that fails ends its process, and is the same again only in a
// process with the same past: so each one gets a fork of the test's.
//
// Thread safety: for a test's main thread; what says so is for the fork.
// Invariants: when a function here returns, its fork is gone.

#ifndef SIM_TEST_FORKED_H_
#define SIM_TEST_FORKED_H_

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

#include "sim/sim.h"

namespace sim::test {

// What is known of a fork that has ended.
struct Outcome {
  int status = -1;  // exit status, or 128 + the signal that ended it
  Result result;    // of its last simulation; if that did not end, as far as
                    // NoteProgress() knows
  std::string failure;  // file:line of the check that did not hold, or empty
  std::string note;     // the last Note()
  std::string errors;   // what it wrote to standard error

  bool passed() const { return status == 0; }
};

// Whether two runs were the same. Of standard error only the first two lines
// count, where the simulator says what is wrong and how far it came: after
// them it prints addresses, which differ between forks.
bool operator==(const Outcome& a, const Outcome& b);

// For GoogleTest's messages.
std::ostream& operator<<(std::ostream& out, const Outcome& outcome);

// Runs `body`; status 0 if it returns.
Outcome Fork(const std::function<void()>& body);

// Runs a simulation of `body` in a fork.
Outcome ForkRun(const Options& options, const std::function<void()>& body);

// For the fork: a simulation, and its result into the outcome.
void RunHere(const Options& options, const std::function<void()>& body);

// For the fork: remembers a text, which must not be freed, for the outcome.
void Note(const char* text);

// For simulated threads: remembers the simulation so far, for the outcome of
// one that does not end.
void NoteProgress();

// How many seeds a heavy test takes: `usual`, or SIM_TEST_SEEDS if that is set.
int SeedCount(int usual);

// A harsh simulation for this seed, and the same with another engine.
Options Harsh(uint64_t seed);
Options Harsh(uint64_t seed, Engine engine);

}  // namespace sim::test

#endif  // SIM_TEST_FORKED_H_
