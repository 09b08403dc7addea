// The network's timer queue and its pool of workers, each on its own.

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "gtest/gtest.h"
#include "labrpc/timer_queue.h"
#include "labrpc/worker_pool.h"
#include "tests/unit/labrpc/network_fixture.h"

namespace tests {
namespace {

using std::chrono::milliseconds;
using Clock = labrpc::TimerQueue::Clock;

// Notes numbers from other threads.
class Notes {
 public:
  void Add(int number) {
    base::MutexLock lock(&mu_);
    numbers_.push_back(number);
    added_.SignalAll();
  }
  std::vector<int> Await(size_t count) {
    base::MutexLock lock(&mu_);
    while (numbers_.size() < count) added_.Wait(&mu_);
    return numbers_;
  }

 private:
  base::Mutex mu_;
  base::CondVar added_;
  std::vector<int> numbers_ ABSL_GUARDED_BY(mu_);
};

TEST(TimerQueue, RunsInOrderOfTimeAndNeverEarly) {
  labrpc::TimerQueue timers;
  Notes notes;
  const auto start = Clock::now();
  timers.At(start + milliseconds(30), [&] {
    EXPECT_GE(Clock::now() - start, milliseconds(30));
    notes.Add(30);
  });
  timers.At(start + milliseconds(10), [&] {
    EXPECT_GE(Clock::now() - start, milliseconds(10));
    notes.Add(10);
  });
  timers.At(start + milliseconds(20), [&] { notes.Add(20); });

  EXPECT_EQ(notes.Await(3), (std::vector<int>{10, 20, 30}));
}

TEST(TimerQueue, KeepsTheOrderOfEqualTimes) {
  labrpc::TimerQueue timers;
  Notes notes;
  const auto when = Clock::now() + milliseconds(5);
  std::vector<int> expected;
  for (int i = 0; i < 100; ++i) {
    timers.At(when, [&notes, i] { notes.Add(i); });
    expected.push_back(i);
  }

  EXPECT_EQ(notes.Await(100), expected);
}

// An earlier action must wake a queue that waits for a later one.
TEST(TimerQueue, AnEarlierOneOvertakes) {
  labrpc::TimerQueue timers;
  Notes notes;
  timers.After(std::chrono::hours(1), [&] { notes.Add(2); });
  timers.After(milliseconds(1), [&] { notes.Add(1); });

  EXPECT_EQ(notes.Await(1), std::vector<int>{1});
}

// Also one whose thread is known to sleep: by then it has run an action.
TEST(TimerQueue, AnEarlierOneWakesTheThread) {
  labrpc::TimerQueue timers;
  Notes notes;
  timers.After(std::chrono::seconds(60), [&] { notes.Add(0); });
  const auto start = Clock::now();
  for (int i = 1; i <= 10; ++i) {
    std::this_thread::sleep_for(milliseconds(1));  // time to fall asleep
    timers.After(milliseconds(1), [&notes, i] { notes.Add(i); });
    EXPECT_EQ(notes.Await(static_cast<size_t>(i)).back(), i);
  }
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(60));
}

TEST(TimerQueue, ShutdownDropsWhatIsNotDue) {
  auto token = std::make_shared<int>(0);
  labrpc::TimerQueue timers;
  timers.After(std::chrono::hours(1), [token] { FAIL(); });

  timers.Shutdown();
  timers.Shutdown();
  timers.After({}, [token] { FAIL(); });
  EXPECT_EQ(token.use_count(), 1) << "an action was kept";
}

// Dies if it is destroyed under a lock.
class Captured {
 public:
  ~Captured() { base::Mutex::AssertNoneHeld("the destructor of a task"); }
};

TEST(TimerQueue, ActionsRunAndGoWithoutALock) {
  labrpc::TimerQueue timers;
  Notes notes;
  const auto captured = [] { return std::make_shared<Captured>(); };
  timers.After({}, [&notes, captured = captured()] {
    base::Mutex::AssertNoneHeld("an action");
    notes.Add(1);
  });
  timers.After(std::chrono::hours(1), [captured = captured()] {});
  notes.Await(1);
  timers.Shutdown();
  timers.After({}, [captured = captured()] {});
}

TEST(TimerQueue, ShutdownWaitsForTheActionThatRuns) {
  labrpc::TimerQueue timers;
  Gate gate;
  std::atomic<bool> is_over = false;
  timers.After({}, [&] {
    gate.Pass();
    std::this_thread::sleep_for(milliseconds(5));
    is_over = true;
  });
  timers.After(milliseconds(1), [] { FAIL() << "it was not due in time"; });
  gate.AwaitArrivals(1);
  std::thread opener([&] {
    // Once Shutdown() has begun, actions are dropped.
    std::weak_ptr<int> kept;
    do {
      const auto token = std::make_shared<int>(0);
      kept = token;
      timers.After(std::chrono::hours(1), [token] {});
    } while (!kept.expired());
    gate.Open();
  });
  timers.Shutdown();
  EXPECT_TRUE(is_over);
  opener.join();
}

TEST(TimerQueueDeathTest, AnActionCannotShutItsQueueDown) {
  EXPECT_DEATH(
      {
        labrpc::TimerQueue timers;
        Gate gate;
        timers.After({}, [&timers] { timers.Shutdown(); });
        gate.Pass();
      },
      "cannot shut its own queue down");
}

class WorkerPool : public testing::Test {
 protected:
  ~WorkerPool() override {
    gate_.Open();
    pool_.Shutdown();
    timers_.Shutdown();
  }

  // Has `count` tasks block in gate_, and waits until they do.
  void Block(int count) {
    for (int i = 0; i < count; ++i) pool_.Submit([this] { gate_.Pass(); });
    gate_.AwaitArrivals(count);
  }

  Gate gate_;
  Notes notes_;
  labrpc::TimerQueue timers_;
  labrpc::WorkerPool pool_{&timers_, /*linger=*/milliseconds(20)};
};

// Without timers: on a loaded machine both workers may stand still after a
// task, and the pool would grow.
TEST_F(WorkerPool, OneTaskAtATimeNeedsOneWorker) {
  timers_.Shutdown();
  EXPECT_EQ(pool_.Size(), 0);
  for (int i = 0; i < 100; ++i) {
    pool_.Submit([this, i] { notes_.Add(i); });
    notes_.Await(i + 1);
    EXPECT_LE(pool_.Size(), i == 0 ? 1 : 2);
  }
}

// However many block: the next task is served.
TEST_F(WorkerPool, GrowsWhileTasksBlock) {
  Block(32);
  EXPECT_GE(pool_.Size(), 32);

  pool_.Submit([this] { notes_.Add(1); });
  notes_.Await(1);
}

TEST_F(WorkerPool, ShrinksToTwoWhenIdle) {
  Block(32);
  gate_.Open();

  while (pool_.Size() > 2) std::this_thread::sleep_for(milliseconds(1));
  // The rest stays, and still serves.
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(pool_.Size(), 2);
  pool_.Submit([this] { notes_.Add(1); });
  notes_.Await(1);
}

TEST_F(WorkerPool, AWorkerLingersAsLongAsItIsTold) {
  labrpc::WorkerPool patient(&timers_, /*linger=*/std::chrono::hours(1));
  Gate gate;
  for (int i = 0; i < 8; ++i) patient.Submit([&gate] { gate.Pass(); });
  gate.AwaitArrivals(8);
  const int size = patient.Size();
  gate.Open();

  Block(8);
  gate_.Open();
  while (pool_.Size() > 2) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_EQ(patient.Size(), size);

  patient.Shutdown();
  pool_.Shutdown();
  timers_.Shutdown();  // it knows of both
}

TEST_F(WorkerPool, BreathesAgainAndAgain) {
  std::array<Gate, 5> gates;  // a worker may still be leaving the last one
  for (Gate& gate : gates) {
    for (int i = 0; i < 12; ++i) pool_.Submit([&gate] { gate.Pass(); });
    gate.AwaitArrivals(12);
    gate.Open();
    while (pool_.Size() > 2) std::this_thread::sleep_for(milliseconds(1));
  }
  pool_.Shutdown();
}

// Each task needs the next one to have begun; all are queued, none is lost.
TEST_F(WorkerPool, ShutdownRunsWhatIsQueuedEvenIfItBlocks) {
  std::atomic<int> begun{0};
  std::vector<std::unique_ptr<Gate>> gates;
  for (int i = 0; i < 16; ++i) gates.push_back(std::make_unique<Gate>());
  for (int i = 0; i < 16; ++i) {
    pool_.Submit([&, i] {
      ++begun;
      if (i > 0) gates[i - 1]->Open();
      if (i < 15) gates[i]->Pass();
    });
  }

  pool_.Shutdown();
  EXPECT_EQ(begun, 16);
  EXPECT_EQ(pool_.Size(), 0);

  pool_.Submit([] { FAIL() << "a task ran after Shutdown()"; });
  pool_.Shutdown();
}

// They need not wait for those that were idle, and have left.
TEST_F(WorkerPool, TasksMaySubmitWhileItShutsDown) {
  Gate second;
  Gate last;
  pool_.Submit([this, &last] {
    gate_.Pass();
    while (pool_.Size() > 1) std::this_thread::yield();
    pool_.Submit([&last] { last.Open(); });
    last.Pass();
  });
  pool_.Submit([&second] { second.Pass(); });
  gate_.AwaitArrivals(1);
  second.AwaitArrivals(1);
  second.Open();
  std::this_thread::sleep_for(milliseconds(3));  // it falls asleep
  gate_.Open();

  pool_.Shutdown();
  EXPECT_EQ(pool_.Size(), 0);
}

TEST(WorkerPoolEnd, ItsDestructorShutsItDown) {
  labrpc::TimerQueue timers;
  bool has_run = false;
  {
    labrpc::WorkerPool pool(&timers);
    pool.Submit([&has_run] { has_run = true; });
  }
  EXPECT_TRUE(has_run);
}

TEST_F(WorkerPool, TasksRunAndGoWithoutALock) {
  for (int i = 1; i <= 10; ++i) {
    pool_.Submit([this, i, captured = std::make_shared<Captured>()] {
      base::Mutex::AssertNoneHeld("a task");
      notes_.Add(i);
    });
  }
  notes_.Await(10);
  pool_.Shutdown();
  EXPECT_EQ(pool_.Size(), 0);
  pool_.Submit([captured = std::make_shared<Captured>()] {});
}

// One that sleeps is woken, also when it is the only one, and when both are.
TEST_F(WorkerPool, WorkWakesTheWorkersThatSleep) {
  std::array<Gate, 5> gates;  // a worker may still be leaving the last one
  for (int round = 1; round <= 5; ++round) {
    Gate& gate = gates[static_cast<size_t>(round - 1)];
    for (int i = 0; i < 2; ++i) pool_.Submit([&gate] { gate.Pass(); });
    gate.AwaitArrivals(2);
    gate.Open();
    pool_.Submit([this, round] { notes_.Add(round); });
    notes_.Await(static_cast<size_t>(round));
    std::this_thread::sleep_for(milliseconds(3));  // they fall asleep
  }
  pool_.Shutdown();
}

// A worker that is called when its time is up stays and does the work.
TEST_F(WorkerPool, WorkMayComeJustAsAWorkerLeaves) {
  constexpr milliseconds kLinger{2};
  std::array<Gate, 200> gates;  // enough to meet that moment
  labrpc::WorkerPool pool(&timers_, kLinger);
  size_t round = 0;
  for (Gate& gate : gates) {
    for (int i = 0; i < 4; ++i) pool.Submit([&gate] { gate.Pass(); });
    gate.AwaitArrivals(4);
    gate.Open();
    std::this_thread::sleep_for(kLinger);
    pool.Submit([this] { notes_.Add(1); });
    notes_.Await(++round);
  }
  pool.Shutdown();
  timers_.Shutdown();  // it knows of both
}

TEST_F(WorkerPool, DestroysATaskOnceItHasRun) {
  auto token = std::make_shared<int>(0);
  pool_.Submit([token] {});
  pool_.Submit([token] {});

  pool_.Shutdown();
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(WorkerPool, ServesManySubmitters) {
  std::atomic<int> served{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 2000; ++j) pool_.Submit([&served] { ++served; });
    });
  }
  for (std::thread& thread : threads) thread.join();

  pool_.Shutdown();
  EXPECT_EQ(served, 8000);
}

}  // namespace
}  // namespace tests
