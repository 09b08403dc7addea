// What befalls the servers of the course's long tests.
//
// Thread safety: for the test's main thread.

#ifndef TESTS_KVRAFT_DISTURBANCES_H_
#define TESTS_KVRAFT_DISTURBANCES_H_

#include <atomic>
#include <chrono>

#include "tests/harness/failure.h"
#include "tests/harness/kv_cluster.h"

namespace tests {

// Crashes all servers, and starts them when an election would have been over.
void CrashAndRestartAll(harness::KvCluster* cluster);

// Divides the servers into two random parts, again and again for that time;
// clients reach both. Then sets `clients_stopped`, joins the parts, since a
// call may wait in the one without a majority, and gives them an election's
// time.
void PartitionAgainAndAgain(harness::KvCluster* cluster,
                            std::chrono::seconds time,
                            std::atomic<bool>* clients_stopped,
                            harness::Place place);

}  // namespace tests

#endif  // TESTS_KVRAFT_DISTURBANCES_H_
