// The two tests that most of the course's tests of the key/value service until
// 2024 are made of.
//
// Each runs on its test's main thread, with a cluster of its own.

#ifndef TESTS_KVRAFT_KV_TEST_2022_H_
#define TESTS_KVRAFT_KV_TEST_2022_H_

#include <optional>
#include <string>

#include "tests/harness/failure.h"

namespace tests {

struct KvTest2022 {
  std::string part;  // "3A"
  int clients = 5;
  int servers = 5;
  bool unreliable = false;
  bool crash = false;       // all servers, after each iteration
  bool partitions = false;  // new ones all the time
  std::optional<size_t> max_raft_state = {};
  bool random_keys = false;  // otherwise each client has a key of its own
};

// The course's GenericTest: three times, clients read, append and put for five
// seconds; then nothing must be lost, doubled or out of order.
void RunKvTest(const KvTest2022& test,
               harness::Place place = harness::Place::Here());

// The course's GenericTestSpeed: 1000 appends, one after the other, in a third
// of the time of a heartbeat each.
void RunKvSpeedTest(const std::string& part,
                    std::optional<size_t> max_raft_state,
                    harness::Place place = harness::Place::Here());

}  // namespace tests

#endif  // TESTS_KVRAFT_KV_TEST_2022_H_
