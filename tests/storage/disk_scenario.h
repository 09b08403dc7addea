// A FileStorage on a simulated disk, with random changes, through several
// crashes, by a seed.
//
// Each incarnation opens the directory, finds what it may find, makes changes,
// waits for some, and ends at a random operation of the disk: the machine
// stops, the operation fails, or the process is killed. Then it depends on the
// machine, which may go on, what the next one finds. In some runs the disk is
// small; in some a bit of a file is flipped between two incarnations.
//
// What must hold: nothing durable is lost; what is recovered is the state after
// one of the batches; rot is never served: a damaged directory is refused, or
// it recovers to such a state all the same.
//
// Thread safety: safe; each run is its own.

#ifndef TESTS_STORAGE_DISK_SCENARIO_H_
#define TESTS_STORAGE_DISK_SCENARIO_H_

#include <cstdint>
#include <string>

namespace storage_test {

struct DiskRun {
  std::string problem;  // empty: all held
  int incarnations = 0;
  int refused = 0;   // the directory was damaged, and refused
  int failures = 0;  // an operation failed, and the storage said so
  int torn = 0;      // a batch was cut
};

DiskRun RunDiskScenario(uint64_t seed);

}  // namespace storage_test

#endif  // TESTS_STORAGE_DISK_SCENARIO_H_
