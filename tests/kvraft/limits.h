// The course's limits of size and speed.
//
// Thread safety: free functions.

#ifndef TESTS_KVRAFT_LIMITS_H_
#define TESTS_KVRAFT_LIMITS_H_

#include <chrono>
#include <cstddef>

#include "tests/harness/failure.h"
#include "tests/harness/kv_cluster.h"

namespace tests {

// The course's maxraftstate, in bytes.
inline constexpr size_t kMaxRaftState = 1000;

// Fails if a server's raft state has more than eight times that, and still has
// a second later.
void CheckLogSize(harness::KvCluster* cluster, harness::Place place);

// Fails if a server has saved a snapshot of more than `most` bytes; 0: any.
void CheckSnapshotSize(harness::KvCluster* cluster, size_t most,
                       harness::Place place);

// Fails if an operation, which took that long, needs more than a third of the
// time between two heartbeats.
void CheckSpeed(std::chrono::nanoseconds operation, harness::Place place);

}  // namespace tests

#endif  // TESTS_KVRAFT_LIMITS_H_
