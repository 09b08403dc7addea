// Clerks that put one key again and again while groups join and leave.
//
// Thread safety: for the test's main thread.

#ifndef TESTS_SHARDKV1_PUT_CLERKS_H_
#define TESTS_SHARDKV1_PUT_CLERKS_H_

#include <atomic>
#include <chrono>

#include "tests/harness/failure.h"
#include "tests/shardkv1/shard_test.h"

namespace tests {

class PutClerks {
 public:
  // Starts threads with a client each, which put until that time is over:
  // client and version as the value of the first keys, of all clerks together
  // or each of the next one in turn. Where the network is reliable they begin
  // in rounds (tests/kvraft/pace.h).
  PutClerks(ShardTest* test, int clerks, std::chrono::seconds duration,
            size_t keys = 1, harness::Place place = harness::Place::Here());

  // Waits for them.
  void Join(harness::Place place = harness::Place::Here());

 private:
  void Run(int number, std::chrono::steady_clock::time_point end, size_t keys,
           harness::Place place);

  ShardTest* const test_;
  std::atomic<bool> stopped_ = false;
  harness::TestThreads threads_;
};

}  // namespace tests

#endif  // TESTS_SHARDKV1_PUT_CLERKS_H_
