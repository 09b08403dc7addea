// What the course's tests of the sharded key/value service of 2025 are made of:
// the first group with all shards, keys with their values, and groups that join
// and leave.
//
// Thread safety: one thread makes and ends it; all else may be called from any
// thread of the test, with a client or controller of its own.

#ifndef TESTS_SHARDKV1_SHARD_TEST_H_
#define TESTS_SHARDKV1_SHARD_TEST_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shardkv1/config.h"
#include "tests/harness/failure.h"
#include "tests/harness/shardkv1_cluster.h"

namespace tests {

class ShardTest {
 public:
  using Controller = harness::ShardKV1Controller;

  // Between two changes.
  static constexpr std::chrono::milliseconds kPause{200};

  // Starts the first group, and makes it the first configuration.
  ShardTest(std::string_view title, harness::ShardKV1Cluster::Options options,
            harness::Place place = harness::Place::Here());

  harness::ShardKV1Cluster& cluster() { return cluster_; }
  harness::ServiceStage& stage() { return cluster_.stage(); }
  Controller& controller() { return *controller_; }

  // Puts random values of keys k0 to k59, and checks them. As with the course
  // the last line counts the checks alone.
  void SpreadPuts(int length = 20,
                  harness::Place place = harness::Place::Here());
  static std::string Key(size_t i);
  size_t keys() const { return values_.size(); }

  // Checks that value, or all of them.
  void Check(harness::ShardKV1Client* client, size_t i,
             harness::Place place = harness::Place::Here());
  void CheckAll(harness::Place place = harness::Place::Here());

  shardkv1::Config Query(harness::Place place = harness::Place::Here());

  // A number that no group has had.
  shardkv1::Gid NewGid() { return ++last_gid_; }
  std::vector<shardkv1::Gid> NewGids(int count);

  // Starts the groups, one after the other, and has them join. Returns whether
  // the last one is a member then; not if the controller has been closed, or
  // another one was faster.
  bool Join(Controller& controller, const std::vector<shardkv1::Gid>& gids,
            harness::Place place = harness::Place::Here());

  // Has the groups leave, one after the other, and shuts each down for good.
  // Returns whether the last one is no member then.
  bool Leave(Controller& controller, const std::vector<shardkv1::Gid>& gids,
             harness::Place place = harness::Place::Here());

  // The same by the first controller; a failure if it does not succeed.
  void Join(const std::vector<shardkv1::Gid>& gids,
            harness::Place place = harness::Place::Here());
  void Leave(const std::vector<shardkv1::Gid>& gids,
             harness::Place place = harness::Place::Here());

  // Changes the configuration alone: without starting or shutting down.
  // Returns whether it was done.
  bool ChangeToWith(Controller& controller, shardkv1::Gid gid,
                    harness::Place place = harness::Place::Here());
  bool ChangeToWithout(Controller& controller, shardkv1::Gid gid,
                       harness::Place place = harness::Place::Here());

  // While that group is down not all keys can be read; afterwards they can.
  void CheckShutdownSharding(shardkv1::Gid gid,
                             harness::Place place = harness::Place::Here());

  void End(harness::Place place = harness::Place::Here()) {
    cluster_.End(place);
  }

 private:
  harness::ShardKV1Cluster cluster_;
  const std::shared_ptr<Controller> controller_;
  const std::shared_ptr<harness::ShardKV1Client> client_;
  std::vector<std::string> values_;
  std::atomic<shardkv1::Gid> last_gid_ = shardkv1::kFirstGroup;
};

}  // namespace tests

#endif  // TESTS_SHARDKV1_SHARD_TEST_H_
