// Keys of a sharded service that one client writes at a time, and what their
// values must be.
//
// Thread safety: KeyValues as its client's; Appenders for the test's main
// thread.

#ifndef TESTS_SHARDKV_KEY_VALUES_H_
#define TESTS_SHARDKV_KEY_VALUES_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/harness/failure.h"
#include "tests/harness/shard_cluster.h"

namespace tests {

// Keys "0", "1", ..., with random values.
class KeyValues {
 public:
  // Puts `count` values of that length.
  KeyValues(harness::ShardCluster* cluster, int count, int length,
            harness::Place place = harness::Place::Here());

  harness::ShardClient* client() { return client_.get(); }
  static std::string Key(size_t i);

  // Checks the values of all keys, or of the first ones.
  void Check(harness::Place place = harness::Place::Here());
  void CheckFirst(size_t count, harness::Place place = harness::Place::Here());

  // Checks each key and appends that many characters to it.
  void CheckAndAppend(int length,
                      harness::Place place = harness::Place::Here());

  const std::string& operator[](size_t i) const { return values_[i]; }
  size_t size() const { return values_.size(); }

 private:
  friend class Appenders;

  harness::ShardCluster* const cluster_;
  const std::shared_ptr<harness::ShardClient> client_;
  base::Random random_;
  std::vector<std::string> values_;  // by key
};

// A thread for each key, with a client of its own, which appends to it again
// and again.
class Appenders {
 public:
  // Each time that many characters, and then a pause. Without one the clients
  // append in rounds (tests/kvraft/pace.h).
  Appenders(harness::ShardCluster* cluster, KeyValues* values, int length,
            std::chrono::milliseconds pause,
            harness::Place place = harness::Place::Here());

  // Ends them, waits for all, and checks the values.
  void StopAndCheck(harness::Place place = harness::Place::Here());
  void Stop() { stopped_ = true; }

 private:
  harness::ShardCluster* const cluster_;
  KeyValues* const values_;
  std::atomic<bool> stopped_ = false;
  harness::TestThreads threads_;
};

}  // namespace tests

#endif  // TESTS_SHARDKV_KEY_VALUES_H_
