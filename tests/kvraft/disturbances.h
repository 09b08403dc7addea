// What befalls the servers of the course's long tests.
//
// Thread safety: for the test's main thread.

#ifndef TESTS_KVRAFT_DISTURBANCES_H_
#define TESTS_KVRAFT_DISTURBANCES_H_

#include "tests/harness/failure.h"
#include "tests/harness/kv_cluster.h"

namespace tests {

// Crashes all servers, and starts them when an election would have been over.
void CrashAndRestartAll(harness::KvCluster* cluster);

// Divides the servers into two random parts, again and again; clients reach
// both. While it runs, the main thread neither connects nor partitions servers.
class Partitioner {
 public:
  // Starts.
  explicit Partitioner(harness::KvCluster* cluster);

  // Ends, when the last partition has had its time: up to 1.2 s. The servers
  // stay divided.
  void Stop();

 private:
  harness::TestThreads threads_;
};

}  // namespace tests

#endif  // TESTS_KVRAFT_DISTURBANCES_H_
