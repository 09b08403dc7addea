// What this machine allows, measured in the same run as everything else, so
// that a figure of another machine can be compared as a ratio.

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "bench/cases.h"
#include "bench/consumer.h"
#include "bench/measure.h"

namespace bench {
namespace {

using base::MutexLock;
using benchmark::State;

// A ball that two threads hand to each other through a condition variable.
class Ball {
 public:
  // Waits until it is `side`'s turn, then hands the ball over.
  void Hit(int side) {
    MutexLock lock(&mu_);
    while (turn_ != side) moved_.Wait(&mu_);
    turn_ = 1 - side;
    moved_.Signal();
  }

  // Waits until the ball is at `side`.
  void AwaitAt(int side) {
    MutexLock lock(&mu_);
    while (turn_ != side) moved_.Wait(&mu_);
  }

 private:
  base::Mutex mu_;
  base::CondVar moved_;
  int turn_ ABSL_GUARDED_BY(mu_) = 0;
};

// Left to the scheduler it is bimodal, so both threads are pinned.
void RoundTrip(bool same_core, uint64_t trips, State* state) {
  const std::vector<int> cpus = AllowedCpus();
  if (!same_core && cpus.size() < 2) {
    return state->SkipWithError("this needs two processors");
  }
  Ball ball;
  std::thread other([&] {
    const PinnedTo pinned(same_core ? cpus.front() : cpus[1]);
    for (uint64_t i = 0; i < trips; ++i) ball.Hit(1);
  });
  std::vector<double> us;
  {
    const PinnedTo pinned(cpus.front());
    for (uint64_t i = 0; i < trips; ++i) {
      const Clock::time_point begin = Clock::now();
      ball.Hit(0);
      ball.AwaitAt(0);
      us.push_back(1e6 * Seconds(Clock::now() - begin));
    }
  }
  other.join();
  state->SetIterationTime(1e-6 * Quantile(us, 0.5));
  state->counters["p50_us"] = Quantile(us, 0.5);
  state->counters["p99_us"] = Quantile(us, 0.99);
}

// The least that three servers have to do with a command: each locks and keeps
// a copy. One thread, so nothing is contended.
void ThreeDeques(size_t bytes, uint64_t commands, State* state) {
  struct Server {
    base::Mutex mu;
    std::deque<std::string> log ABSL_GUARDED_BY(mu);
  };
  Server servers[3];
  const std::string command(bytes, 'x');
  const Clock::time_point begin = Clock::now();
  for (uint64_t i = 0; i < commands; ++i) {
    for (Server& server : servers) {
      MutexLock lock(&server.mu);
      server.log.push_back(command);
    }
  }
  const double seconds = Seconds(Clock::now() - begin);
  state->SetIterationTime(seconds);
  state->counters["per_second"] = static_cast<double>(commands) / seconds;
}

// How late a timed wait of a millisecond ends.
void TimedWakeUp(uint64_t waits, State* state) {
  base::Mutex mu;
  base::CondVar never;
  std::vector<double> us;
  MutexLock lock(&mu);
  while (us.size() < waits) {
    const Clock::time_point deadline =
        Clock::now() + std::chrono::milliseconds(1);
    while (never.WaitUntil(&mu, deadline)) {
    }
    us.push_back(1e6 * Seconds(Clock::now() - deadline));
  }
  state->SetIterationTime(1e-6 * Quantile(us, 0.5));
  state->counters["late_p50_us"] = Quantile(us, 0.5);
  state->counters["late_p99_us"] = Quantile(us, 0.99);
}

// Blocks far larger than the caches.
void CopyMemory(size_t bytes, State* state) {
  std::string from(bytes, 'x');
  std::string to(bytes, 'y');
  constexpr int kRounds = 10;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < kRounds; ++i) {
    std::memcpy(to.data(), from.data(), bytes);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  const double seconds = Seconds(Clock::now() - begin);
  state->SetIterationTime(seconds);
  state->counters["bytes_per_second"] =
      kRounds * static_cast<double>(bytes) / seconds;
}

}  // namespace

void RegisterMachine(Scale scale) {
  for (const bool same : {true, false}) {
    AddCase(absl::StrCat("machine/round_trip/", same ? "one_cpu" : "two_cpus"),
            [=](State& state) {
              RoundTrip(same, Scaled(scale, 20'000, 100), &state);
            });
  }
  for (const size_t bytes : {16, 256}) {
    AddCase(absl::StrCat("machine/three_deques/bytes:", bytes),
            [=](State& state) {
              ThreeDeques(bytes, Scaled(scale, 1'000'000, 1'000), &state);
            });
  }
  AddCase("machine/timed_wake_up",
          [=](State& state) { TimedWakeUp(Scaled(scale, 500, 10), &state); });
  AddCase("machine/memcpy", [=](State& state) {
    CopyMemory(Scaled(scale, 64, 1) << 20, &state);
  });
}

}  // namespace bench
