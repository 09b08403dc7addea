#include "tests/shardkv1/put_clerks.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tests/harness/kv_service.h"
#include "tests/kvraft/versioned_puts.h"

namespace tests {

using harness::Place;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

// So ten Clerks call some hundred times in a second, as the course's do; less
// often where each call passes through several processes, which takes a hundred
// times as long to simulate.
milliseconds Round() {
  return milliseconds(harness::ClerksShareNothing() ? 80 : 20);
}

}  // namespace

PutClerks::PutClerks(ShardTest* test, int clerks, std::chrono::seconds duration,
                     size_t keys, Place place)
    : test_(test), threads_([this] {
        stopped_ = true;
        test_->stage().CheckHasFailed();
      }) {
  const Clock::time_point end = Clock::now() + duration;
  for (int i = 0; i < clerks; ++i) {
    test->stage().Spawn(
        &threads_, [this, i, end, keys, place] { Run(i, end, keys, place); });
  }
}

// Each key was put once before.
void PutClerks::Run(int number, Clock::time_point end, size_t keys,
                    Place place) {
  const auto client = test_->cluster().MakeClient();
  std::optional<std::chrono::nanoseconds> round;
  if (test_->stage().reliable()) round = Round();
  std::vector<uint64_t> versions(keys, 1);
  Puts ignored;
  for (size_t i = static_cast<size_t>(number); !stopped_ && Clock::now() < end;
       ++i) {
    const size_t key = i % keys;
    PutOnce(client.get(), number, ShardTest::Key(key), round, &versions[key],
            &ignored, place);
  }
}

void PutClerks::Join(Place place) {
  threads_.Join();
  test_->stage().CheckError(place);
}

}  // namespace tests
