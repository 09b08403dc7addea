// How many workers the pool adds when it looks at its queue.
//
// The thread of its timers is held at gates: the pool looks once, when the test
// says so, however busy the machine is.

#include <chrono>

#include "gtest/gtest.h"
#include "labrpc/timer_queue.h"
#include "labrpc/worker_pool.h"
#include "tests/unit/labrpc/network_fixture.h"

namespace tests {
namespace {

// A pool of two workers, both blocked.
class BlockedPool {
 public:
  BlockedPool() {
    timers_.After({}, [this] { look_.Pass(); });
    look_.AwaitArrivals(1);
    pool_.Submit([this] { first_.Pass(); });
    pool_.Submit([this] { second_.Pass(); });
    first_.AwaitArrivals(1);
    second_.AwaitArrivals(1);
  }
  ~BlockedPool() {
    for (Gate* const gate :
         {&first_, &second_, &third_, &left_, &look_, &seen_}) {
      gate->Open();
    }
    pool_.Shutdown();
    timers_.Shutdown();
  }

  // Queues tasks, of which the second worker begins `taken` and blocks in the
  // last one, while `left` stay in the queue.
  void Queue(int taken, int left) {
    for (int i = 1; i < taken; ++i) pool_.Submit([] {});
    if (taken > 0) pool_.Submit([this] { third_.Pass(); });
    for (int i = 0; i < left; ++i) pool_.Submit([this] { left_.Pass(); });
    if (taken == 0) return;
    second_.Open();
    third_.AwaitArrivals(1);
  }
  // Has the pool look at its queue, and returns when it has.
  void Look() {
    // Due after this look and before the next one.
    timers_.After(std::chrono::milliseconds(1), [this] { seen_.Pass(); });
    look_.Open();
    seen_.AwaitArrivals(1);
  }
  // Lets the pool look as often as it wants, until `left` have begun.
  void AwaitLeft(int left) {
    seen_.Open();
    left_.Open();
    left_.AwaitArrivals(left);
  }
  int Size() const { return pool_.Size(); }

 private:
  Gate first_, second_, third_, left_;  // of tasks
  Gate look_, seen_;                    // of the timers' thread
  labrpc::TimerQueue timers_;
  labrpc::WorkerPool pool_{&timers_, /*linger=*/std::chrono::hours(1)};
};

TEST(WorkerPoolGrowth, DependsOnWhatWasTakenAndWhatIsLeft) {
  const struct {
    int taken;
    int left;
    int added;
  } kCases[] = {
      {0, 1, 1}, {0, 2, 2}, {0, 5, 2},  // it stands still: doubled, if needed
      {1, 2, 1}, {7, 2, 1},             // it is slow
      {8, 2, 0},                        // it is brisk: four tasks a worker
      {3, 0, 0},                        // all is taken
  };
  for (const auto& [taken, left, added] : kCases) {
    BlockedPool pool;
    pool.Queue(taken, left);
    EXPECT_EQ(pool.Size(), 2) << "it has not looked";
    pool.Look();
    EXPECT_EQ(pool.Size(), 2 + added)
        << taken << " taken, " << left << " left in the queue";
    pool.AwaitLeft(left);  // brisk or not: it looks again
  }
}

}  // namespace
}  // namespace tests
