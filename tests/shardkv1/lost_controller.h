// A controller that is cut off in the middle of a change, and another one that
// takes over: the course's partitionCtrler.
//
// Thread safety: a free function, for the test's main thread.

#ifndef TESTS_SHARDKV1_LOST_CONTROLLER_H_
#define TESTS_SHARDKV1_LOST_CONTROLLER_H_

#include "base/random.h"
#include "tests/harness/failure.h"
#include "tests/shardkv1/shard_test.h"

namespace tests {

// Has a controller change groups until the first group is down, so that the
// controller waits for it, and cuts it off. A new controller must finish what
// it was doing. With `comes_back` the first one is connected again afterwards,
// and must not disturb.
void LoseController(ShardTest* test, bool comes_back, base::Random* random,
                    harness::Place place = harness::Place::Here());

}  // namespace tests

#endif  // TESTS_SHARDKV1_LOST_CONTROLLER_H_
