// A snapshot as the services of a cluster take it: the bytes of all commands up
// to an index, and then padding, for a test that wants it large. The padding is
// another one for each index, so that parts of two snapshots make none.
//
// Thread safety: free functions without state.

#ifndef TESTS_HARNESS_SERVICE_SNAPSHOT_H_
#define TESTS_HARNESS_SERVICE_SNAPSHOT_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "base/rope.h"
#include "raft/types.h"
#include "tests/harness/commands.h"

namespace harness {

// The snapshot of the commands up to `index`, whose bytes are `history`.
base::Rope MakeServiceSnapshot(base::Rope history, raft::Index index,
                               size_t padding);

// The commands in a snapshot that was made with that much padding.
absl::StatusOr<std::vector<Command>> ReadServiceSnapshot(
    const base::Rope& snapshot, size_t padding);

}  // namespace harness

#endif  // TESTS_HARNESS_SERVICE_SNAPSHOT_H_
