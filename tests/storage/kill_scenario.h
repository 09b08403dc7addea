// A process that uses a FileStorage in a directory of the operating system,
// killed at random moments and started again, by a seed.
//
// In each round a child process opens the directory, finds there what was
// found before, makes random changes as fast as it can, and says through a pipe
// how many of them are durable, until SIGKILL ends it. Then the parent reads
// the directory, without changing it: the next child repairs what is to be
// repaired, and some are killed at that.
//
// What must hold: what is found is the state after one of the changes, none
// before the last one that was said to be durable.
//
// What a process gave to the kernel outlives it. So this holds that a process
// may end between any two of its calls, and in the middle of a write; that each
// flush is where it must be only a simulated disk shows (disk_scenario.h).
//
// Thread safety: compatible. REQUIRES: the calling process has one thread.

#ifndef TESTS_STORAGE_KILL_SCENARIO_H_
#define TESTS_STORAGE_KILL_SCENARIO_H_

#include <cstdint>
#include <string>

namespace storage_test {

struct KillRun {
  std::string problem;       // empty: all held
  int rounds = 0;            // that ended with a kill
  int while_opening = 0;     // of them, before the directory was open
  int torn = 0;              // of them, in the middle of writing a batch
  uint64_t durable = 0;      // changes that were said to be
  uint64_t found_later = 0;  // changes found beside those
};

// The directory is made if it is missing.
KillRun RunKillScenario(const std::string& directory, uint64_t seed,
                        int rounds);

}  // namespace storage_test

#endif  // TESTS_STORAGE_KILL_SCENARIO_H_
