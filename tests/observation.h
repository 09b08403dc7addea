// The observers of the clusters of a test program, and their disks: the oracle
// always, unless it is switched off, and the recorder of `make trace` and slow
// disks if they are asked for.
//
// main() calls ObserveClusters() once, before any test runs.

#ifndef TESTS_OBSERVATION_H_
#define TESTS_OBSERVATION_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace tests {

struct ObservationOptions {
  bool oracle = true;
  bool slow_disks = false;    // of all clusters
  bool opaque_disks = false;  // raft/saved_state.h does not read them
  std::string trace;    // file that the recorder writes; empty: it does not
  uint64_t seed = 0;    // of the run, and the simulator's profile: what the
  std::string profile;  // recorder says of it
};

// Reads ORACLE, RAFT_DISKS, TRACE and SIM_PROFILE from the process's
// environment; an error is one line that says what to do instead.
absl::StatusOr<ObservationOptions> ReadObservationOptions(uint64_t seed,
                                                          bool slow_disks);

// Registers the observers of all clusters that this process makes. A trace file
// that cannot be made is fatal.
void ObserveClusters(const ObservationOptions& options);

}  // namespace tests

#endif  // TESTS_OBSERVATION_H_
