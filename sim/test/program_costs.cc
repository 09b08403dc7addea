// What the engines cost: prints nanoseconds of processor time for a lock and
// unlock, the creation and join of a thread, and a hand-over between two
// threads.
//
// Run by hand, to fill in the table in sim/README.md, with and
// without SIM_SEED=1 SIM_PREEMPT=0 SIM_STALL=0 SIM_ENGINE=...; no test does,
// since no time is right on every machine.

#include <time.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

namespace {

// Of the processor, which is not simulated.
double Nanoseconds() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 +
         static_cast<double>(now.tv_nsec);
}

double LockAndUnlock() {
  constexpr int kTimes = 2'000'000;
  std::mutex mu;
  const double begin = Nanoseconds();
  for (int i = 0; i < kTimes; ++i) {
    const std::lock_guard<std::mutex> lock(mu);
  }
  return (Nanoseconds() - begin) / kTimes;
}

double CreateAndJoin() {
  constexpr int kTimes = 5'000;
  const double begin = Nanoseconds();
  for (int i = 0; i < kTimes; ++i) std::thread([] {}).join();
  return (Nanoseconds() - begin) / kTimes;
}

// Two threads that each wait for the other: every wait is a hand-over.
double HandOver() {
  constexpr int kTimes = 50'000;
  std::mutex mu;
  std::condition_variable changed;
  int turn = 0;
  const auto play = [&](int me) {
    std::unique_lock<std::mutex> lock(mu);
    for (int i = 0; i < kTimes; ++i) {
      changed.wait(lock, [&] { return turn == me; });
      turn = 1 - me;
      changed.notify_one();
    }
  };
  const double begin = Nanoseconds();
  std::thread other(play, 1);
  play(0);
  other.join();
  return (Nanoseconds() - begin) / (2 * kTimes);
}

}  // namespace

int main() {
  std::printf("lock and unlock %.0f ns\n", LockAndUnlock());
  std::printf("create and join %.0f ns\n", CreateAndJoin());
  std::printf("hand-over %.0f ns\n", HandOver());
}
