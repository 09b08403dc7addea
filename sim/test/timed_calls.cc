// Conformance of calls with a time that is none, or that a clock cannot wait
// for: each gives what the C library or the kernel gives.

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <thread>

#include "sim/test/check.h"
#include "sim/test/primitives.h"

namespace sim::test {
namespace {

constexpr timespec kNoTime[] = {{1, 1'000'000'000}, {1, -1}};
constexpr timespec kPast = {-1, 0};
// Two that the C library's waits do not know.
constexpr clockid_t kOtherClocks[] = {CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW};

// The error of a call that returns -1 then.
int ErrorOf(long result) {
  const int error = errno;
  return result == 0 ? 0 : error;
}

void Mutexes() {
  pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
  for (const timespec& none : kNoTime) {
    // It is free: the time is not looked at.
    Require(pthread_mutex_timedlock(&mu, &none) == 0);
    std::thread([&] {
      Require(pthread_mutex_timedlock(&mu, &none) == EINVAL);
      Require(pthread_mutex_clocklock(&mu, CLOCK_MONOTONIC, &none) == EINVAL);
      Require(pthread_mutex_timedlock(&mu, &kPast) == ETIMEDOUT);
    }).join();
    Require(pthread_mutex_unlock(&mu) == 0);
  }
  for (const clockid_t clock : kOtherClocks) {
    Require(pthread_mutex_clocklock(&mu, clock, &kPast) == EINVAL);
  }
}

void ReadWriteLocks() {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  for (const timespec& none : kNoTime) {
    Require(pthread_rwlock_timedrdlock(&lock, &none) == EINVAL);
    Require(pthread_rwlock_timedwrlock(&lock, &none) == EINVAL);
    Require(pthread_rwlock_clockrdlock(&lock, CLOCK_REALTIME, &none) == EINVAL);
    Require(pthread_rwlock_clockwrlock(&lock, CLOCK_REALTIME, &none) == EINVAL);
  }
  for (const clockid_t clock : kOtherClocks) {
    Require(pthread_rwlock_clockrdlock(&lock, clock, &kPast) == EINVAL);
    Require(pthread_rwlock_clockwrlock(&lock, clock, &kPast) == EINVAL);
  }
  Require(pthread_rwlock_timedwrlock(&lock, &kPast) == 0);
  Require(pthread_rwlock_unlock(&lock) == 0);
}

void Semaphores() {
  sem_t semaphore;
  Require(sem_init(&semaphore, 0, 1) == 0);
  for (const timespec& none : kNoTime) {
    Require(ErrorOf(sem_timedwait(&semaphore, &none)) == EINVAL);
    Require(ErrorOf(sem_clockwait(&semaphore, CLOCK_REALTIME, &none)) ==
            EINVAL);
  }
  for (const clockid_t clock : kOtherClocks) {
    Require(ErrorOf(sem_clockwait(&semaphore, clock, &kPast)) == EINVAL);
  }
  Require(sem_timedwait(&semaphore, &kPast) == 0);
  Require(ErrorOf(sem_timedwait(&semaphore, &kPast)) == ETIMEDOUT);
  Require(sem_destroy(&semaphore) == 0);
}

void Conditions() {
  pthread_cond_t never = PTHREAD_COND_INITIALIZER;
  pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
  Require(pthread_mutex_lock(&mu) == 0);
  for (const timespec& none : kNoTime) {
    Require(pthread_cond_timedwait(&never, &mu, &none) == EINVAL);
    Require(pthread_cond_clockwait(&never, &mu, CLOCK_MONOTONIC, &none) ==
            EINVAL);
  }
  for (const clockid_t clock : kOtherClocks) {
    Require(pthread_cond_clockwait(&never, &mu, clock, &kPast) == EINVAL);
  }
  Require(pthread_cond_timedwait(&never, &mu, &kPast) == ETIMEDOUT);
  Require(pthread_mutex_unlock(&mu) == 0);
}

void* AwaitPost(void* semaphore) {
  sem_wait(static_cast<sem_t*>(semaphore));
  return nullptr;
}

void Joins() {
  sem_t may_end;
  Require(sem_init(&may_end, 0, 0) == 0);
  pthread_t thread = {};
  Require(pthread_create(&thread, nullptr, AwaitPost, &may_end) == 0);
  for (const clockid_t clock : kOtherClocks) {
    Require(pthread_clockjoin_np(thread, nullptr, clock, &kPast) == EINVAL);
  }
  Require(pthread_timedjoin_np(thread, nullptr, &kPast) == ETIMEDOUT);
  Require(sem_post(&may_end) == 0);
  Require(pthread_join(thread, nullptr) == 0);
  Require(sem_destroy(&may_end) == 0);
}

void Sleeps() {
  for (const timespec& none : {kNoTime[0], kNoTime[1], kPast}) {
    Require(ErrorOf(nanosleep(&none, nullptr)) == EINVAL);
    Require(clock_nanosleep(CLOCK_REALTIME, 0, &none, nullptr) == EINVAL);
    Require(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &none, nullptr) ==
            EINVAL);
    Require(ErrorOf(ppoll(nullptr, 0, &none, nullptr)) == EINVAL);
    Require(ErrorOf(pselect(0, nullptr, nullptr, nullptr, &none, nullptr)) ==
            EINVAL);
  }
  const timespec tick = {0, kTick.count() * 1'000'000};
  Require(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &tick, nullptr) == ENOTSUP);
  for (timeval none : {timeval{-1, 0}, timeval{0, -1}}) {
    Require(ErrorOf(select(0, nullptr, nullptr, nullptr, &none)) == EINVAL);
  }
}

void SleepsWithoutDescriptors() {
  const timespec tick = {0, kTick.count() * 1'000'000};
  const Stopwatch with_ppoll;
  Require(ppoll(nullptr, 0, &tick, nullptr) == 0);
  with_ppoll.RequireTook(kTick);
  const Stopwatch with_pselect;
  Require(pselect(0, nullptr, nullptr, nullptr, &tick, nullptr) == 0);
  with_pselect.RequireTook(kTick);
  // A time of many microseconds and no seconds is one too.
  timeval two_ticks = {0, 2 * kTick.count() * 1'000};
  const Stopwatch with_select;
  Require(select(0, nullptr, nullptr, nullptr, &two_ticks) == 0);
  with_select.RequireTook(2 * kTick);
}

void Futexes() {
  int word = 0;
  for (const timespec& none : {kNoTime[0], kNoTime[1], kPast}) {
    Require(ErrorOf(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &none)) == EINVAL);
    Require(ErrorOf(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 7, &none,
                            nullptr, FUTEX_BITSET_MATCH_ANY)) == EINVAL);
  }
}

}  // namespace

std::vector<Primitive> TimedCalls() {
  return {{"no time: mutexes", Mutexes},
          {"no time: read-write locks", ReadWriteLocks},
          {"no time: semaphores", Semaphores},
          {"no time: condition variables", Conditions},
          {"no time: joins", Joins},
          {"no time: sleeps", Sleeps},
          {"ppoll, pselect, select: sleeps", SleepsWithoutDescriptors},
          {"no time: futexes", Futexes}};
}

}  // namespace sim::test
