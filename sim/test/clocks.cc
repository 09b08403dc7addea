// Conformance of clocks, sleeps, alarms and randomness.

#include <signal.h>
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "sim/test/check.h"
#include "sim/test/primitives.h"

namespace sim::test {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

timespec ToTimespec(nanoseconds time) {
  const auto whole = std::chrono::duration_cast<seconds>(time);
  return {whole.count(), (time - whole).count()};
}

nanoseconds ReadClock(clockid_t clock) {
  timespec now = {};
  Require(clock_gettime(clock, &now) == 0);
  return seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

void SleepFor() {
  for (const int ticks : {1, 0, -1, 2}) {
    Stopwatch since;
    std::this_thread::sleep_for(ticks * kTick);
    since.RequireTook(ticks > 0 ? ticks * kTick : 0 * kTick);
  }
}

void SleepUntil() {
  Stopwatch since;
  const auto steady = steady_clock::now() + kTick;
  std::this_thread::sleep_until(steady);
  Require(steady_clock::now() >= steady);
  since.RequireTook(kTick);

  Stopwatch again;
  const auto system = system_clock::now() + kTick;
  std::this_thread::sleep_until(system);
  Require(system_clock::now() >= system);
  again.RequireTook(kTick);

  Stopwatch past;
  std::this_thread::sleep_until(steady);
  past.RequireTook(0 * kTick);
}

void PosixSleeps() {
  Stopwatch micro;
  Require(usleep(4000) == 0);
  micro.RequireTook(std::chrono::microseconds(4000));
  Stopwatch nano;
  const timespec tick = ToTimespec(kTick);
  Require(nanosleep(&tick, nullptr) == 0);
  nano.RequireTook(kTick);
  Stopwatch clock;
  Require(clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, nullptr) == 0);
  clock.RequireTook(kTick);
}

void AbsoluteSleeps() {
  for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME}) {
    Stopwatch since;
    const nanoseconds end = ReadClock(clock) + kTick;
    const timespec deadline = ToTimespec(end);
    Require(clock_nanosleep(clock, TIMER_ABSTIME, &deadline, nullptr) == 0);
    Require(ReadClock(clock) >= end);
    since.RequireTook(kTick);
    // Past, so it returns at once.
    Require(clock_nanosleep(clock, TIMER_ABSTIME, &deadline, nullptr) == 0);
  }
}

// Those that sleep shorter have slept when the longest has; none too short.
void ManySleepers() {
  std::atomic<int> awake{0};
  Stopwatch since;
  std::vector<std::thread> threads;
  for (int i = 1; i <= 5; ++i) {
    threads.emplace_back([&awake, i] {
      Stopwatch mine;
      std::this_thread::sleep_for(i * kTick);
      mine.RequireTook(i * kTick);
      ++awake;
    });
  }
  for (std::thread& thread : threads) thread.join();
  since.RequireTook(5 * kTick);
  Require(awake == 5);
}

// A loop that only reads the clock ends.
void ReadUntil() {
  const auto end = steady_clock::now() + kTick;
  while (steady_clock::now() < end) {
  }
}

// All clocks agree, and none decreases, whichever thread reads it.
void Monotonic() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([] {
      auto steady = steady_clock::now();
      for (int j = 0; j < 10; ++j) {
        std::this_thread::yield();
        const auto now = steady_clock::now();
        Require(now >= steady);
        steady = now;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void Agreement() {
  const time_t before = time(nullptr);
  const auto middle = system_clock::now();
  timeval of_day = {};
  Require(gettimeofday(&of_day, nullptr) == 0);
  timespec standard = {};
  Require(timespec_get(&standard, TIME_UTC) == TIME_UTC);
  const nanoseconds last = ReadClock(CLOCK_REALTIME);
  // time() may read the last tick's time on a real machine.
  Require(before <= system_clock::to_time_t(middle));
  Require(middle.time_since_epoch() <=
          seconds(of_day.tv_sec) + std::chrono::microseconds(of_day.tv_usec) +
              std::chrono::microseconds(1));
  Require(seconds(standard.tv_sec) + nanoseconds(standard.tv_nsec) <= last);
  // A date that no program finds strange.
  Require(before > 1'500'000'000);
}

std::atomic<int> alarms{0};

void CountAlarm(int) { ++alarms; }

void Alarm() {
  alarms = 0;
  struct sigaction action = {};
  struct sigaction old = {};
  action.sa_handler = CountAlarm;
  Require(sigaction(SIGALRM, &action, &old) == 0);
  Require(alarm(100) == 0);
  const unsigned left = alarm(0);
  Require(left >= 99 && left <= 100);
  Require(alarms == 0);
  Stopwatch since;
  Require(alarm(1) == 0);
  while (alarms == 0) std::this_thread::sleep_for(kTick);
  Require(since.Elapsed() >= std::chrono::milliseconds(990));
  Require(alarms == 1);
  // Whatever thread has run last, and ended.
  std::thread brief([] {});
  Require(alarm(1) == 0);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  Require(alarms == 2);
  brief.join();
  Require(sigaction(SIGALRM, &old, nullptr) == 0);
}

void RandomDevice() {
  std::random_device device;
  std::set<unsigned> drawn;
  for (int i = 0; i < 10; ++i) drawn.insert(device());
  Require(drawn.size() >= 9);
}

template <typename Fill>
void RequireRandom(const Fill& fill) {
  std::array<unsigned char, 64> bytes = {};
  fill(bytes.data(), bytes.size());
  const std::set<unsigned char> values(bytes.begin(), bytes.end());
  Require(values.size() > 16);
}

void RandomBytes() {
  RequireRandom([](void* to, size_t size) { Require(!getentropy(to, size)); });
  RequireRandom([](void* to, size_t size) {
    Require(getrandom(to, size, 0) == static_cast<ssize_t>(size));
  });
}

}  // namespace

std::vector<Primitive> Clocks() {
  return {{"sleep_for", SleepFor},
          {"sleep_until", SleepUntil},
          {"usleep, nanosleep, clock_nanosleep", PosixSleeps},
          {"clock_nanosleep: absolute", AbsoluteSleeps},
          {"sleep_for: many threads", ManySleepers},
          {"clock: a loop that reads it", ReadUntil},
          {"clock: monotonic", Monotonic},
          {"clock: all agree", Agreement},
          {"alarm", Alarm},
          {"random_device", RandomDevice},
          {"getentropy, getrandom", RandomBytes}};
}

}  // namespace sim::test
