// The course's two tests in which groups are shut down and come back with what
// they had. The course runs them without snapshots alone.
//
// Each runs on its test's main thread.

#ifndef TESTS_SHARDKV1_RESTARTS_H_
#define TESTS_SHARDKV1_RESTARTS_H_

#include "tests/shardkv1/shard_test.h"

namespace tests {

// A group joins; the first one leaves, goes down, and comes back.
void RunJoinLeaveBasic(ShardTest* test);

// All groups go down, and come back.
void RunShutdown(ShardTest* test);

}  // namespace tests

#endif  // TESTS_SHARDKV1_RESTARTS_H_
