// The two tests that most of the course's tests of the key/value service of
// 2025 are made of: its Put names the version that it replaces.
//
// Each runs on its test's main thread, with a cluster of its own.

#ifndef TESTS_KVRAFT_KV_TEST_2025_H_
#define TESTS_KVRAFT_KV_TEST_2025_H_

#include <optional>
#include <string>

#include "tests/harness/failure.h"
#include "tests/harness/kv_cluster.h"
#include "tests/kvraft/versioned_puts.h"  // CheckGet

namespace tests {

struct KvTest2025 {
  std::string part;  // "4B basic"
  int clients = 5;
  int servers = 5;
  bool reliable = true;
  bool crash = false;       // all servers, after each iteration
  bool partitions = false;  // new ones all the time
  std::optional<size_t> max_raft_state = {};
  bool random_keys = false;  // otherwise all clients have one key
};

// The course's GenericTest: three times, clients read and replace values for a
// second, or while the network is divided; then no Put must be lost or doubled.
void RunKvTest(const KvTest2025& test,
               harness::Place place = harness::Place::Here());

// The course's SpeedTest: 1000 Puts, one after the other, in a third of the
// time of a heartbeat each.
void RunVersionedSpeedTest(const std::string& part,
                           std::optional<size_t> max_raft_state,
                           harness::Place place = harness::Place::Here());

// "Test: restarts, random keys, many clients (part)".
std::string Title2025(const KvTest2025& test);

// Puts with versions from `version` on until one is executed; returns the
// version that it made.
uint64_t PutAtLeastOnce(harness::KvClient* client, const std::string& key,
                        const std::string& value, uint64_t version,
                        harness::Place place = harness::Place::Here());

}  // namespace tests

#endif  // TESTS_KVRAFT_KV_TEST_2025_H_
