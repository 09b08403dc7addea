// Conformance of what only the pthread interface has. (pthread_barrier_t is
// not simulated; reports_test.cc has what is said then.)

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "sim/test/check.h"
#include "sim/test/primitives.h"

namespace sim::test {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int kThreads = 4;

void* Call(void* function) {
  (*static_cast<std::function<void()>*>(function))();
  return function;
}

// The caller keeps `body` until it joins the thread.
pthread_t Start(std::function<void()>* body) {
  pthread_t thread = {};
  Require(pthread_create(&thread, nullptr, Call, body) == 0);
  return thread;
}

void OnAnotherThread(std::function<void()> body) {
  void* result = nullptr;
  Require(pthread_join(Start(&body), &result) == 0);
  Require(result == &body);
}

timespec After(clockid_t clock, nanoseconds time) {
  timespec now = {};
  Require(clock_gettime(clock, &now) == 0);
  const nanoseconds end = nanoseconds(now.tv_nsec) + time;
  const auto whole = std::chrono::duration_cast<seconds>(end);
  return {now.tv_sec + whole.count(), (end - whole).count()};
}

// What `wait` is given passes before it returns `expected`.
void RequireTimeOut(clockid_t clock, int expected,
                    const std::function<int(const timespec*)>& wait) {
  Stopwatch since;
  const timespec deadline = After(clock, kTick);
  Require(wait(&deadline) == expected);
  since.RequireTook(kTick);
}

void CreateWithAttributes() {
  pthread_attr_t attributes;
  Require(pthread_attr_init(&attributes) == 0);
  Require(pthread_attr_setstacksize(&attributes, size_t{1} << 20) == 0);
  std::function<void()> body = [] {
    // A good part of the stack that was asked for can be used.
    volatile char on_stack[512 << 10];
    on_stack[0] = 1;
    on_stack[sizeof(on_stack) - 1] = 1;
    Require(on_stack[0] == 1);
  };
  pthread_t thread = {};
  Require(pthread_create(&thread, &attributes, Call, &body) == 0);
  Require(pthread_join(thread, nullptr) == 0);
  Require(pthread_attr_destroy(&attributes) == 0);
}

void CreateDetached() {
  sem_t ended;
  Require(sem_init(&ended, 0, 0) == 0);
  pthread_attr_t attributes;
  Require(pthread_attr_init(&attributes) == 0);
  Require(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) ==
          0);
  std::function<void()> body = [&ended] { sem_post(&ended); };
  for (int i = 0; i < kThreads; ++i) {
    pthread_t thread = {};
    Require(pthread_create(&thread, &attributes, Call, &body) == 0);
  }
  for (int i = 0; i < kThreads; ++i) Require(sem_wait(&ended) == 0);
  Require(pthread_attr_destroy(&attributes) == 0);
  Require(sem_destroy(&ended) == 0);
}

void TryJoin() {
  sem_t may_end;
  Require(sem_init(&may_end, 0, 0) == 0);
  std::function<void()> body = [&may_end] { sem_wait(&may_end); };
  const pthread_t thread = Start(&body);
  Require(pthread_tryjoin_np(thread, nullptr) == EBUSY);
  RequireTimeOut(CLOCK_REALTIME, ETIMEDOUT, [&](const timespec* deadline) {
    return pthread_timedjoin_np(thread, nullptr, deadline);
  });
  sem_post(&may_end);
  const timespec late = After(CLOCK_REALTIME, seconds(600));
  Require(pthread_timedjoin_np(thread, nullptr, &late) == 0);
  Require(sem_destroy(&may_end) == 0);
}

thread_local struct Farewell {
  ~Farewell() {
    if (said != nullptr) *said = true;
  }
  bool* said = nullptr;
} farewell;

// Ends the thread from deep within, with destructors and a result.
void Exit() {
  struct Local {
    ~Local() { *gone = true; }
    bool* gone;
  };
  struct Seen {
    bool local_gone = false;
    bool said_farewell = false;
  } seen;
  const auto body = [](void* argument) -> void* {
    auto* const out = static_cast<Seen*>(argument);
    const Local local{&out->local_gone};
    farewell.said = &out->said_farewell;
    pthread_exit(&out->said_farewell);
  };
  for (int i = 0; i < 2; ++i) {
    seen = {};
    pthread_t thread = {};
    Require(pthread_create(&thread, nullptr, body, &seen) == 0);
    void* result = nullptr;
    Require(pthread_join(thread, &result) == 0);
    Require(result == &seen.said_farewell);
    Require(seen.local_gone && seen.said_farewell);
  }
}

void Names() {
  OnAnotherThread([] {
    Require(pthread_setname_np(pthread_self(), "election") == 0);
    std::this_thread::yield();
    char name[16] = "";
    Require(pthread_getname_np(pthread_self(), name, sizeof(name)) == 0);
    Require(name == std::string("election"));
    Require(pthread_setname_np(pthread_self(), "longer than sixteen") ==
            ERANGE);
  });
}

std::atomic<int> destroyed{0};
pthread_key_t plain_key;
pthread_key_t stubborn_key;

void CountDestroyed(void* value) {
  Require(value != nullptr && pthread_getspecific(plain_key) == nullptr);
  ++destroyed;
}

// Sets its value again, once; so the destructors get a second round.
void DestroyTwice(void* value) {
  ++destroyed;
  const auto round = reinterpret_cast<intptr_t>(value);
  if (round == 1) pthread_setspecific(stubborn_key, reinterpret_cast<void*>(2));
}

void Keys() {
  destroyed = 0;
  Require(pthread_key_create(&plain_key, CountDestroyed) == 0);
  Require(pthread_key_create(&stubborn_key, DestroyTwice) == 0);
  std::function<void()> body = [] {
    Require(pthread_getspecific(plain_key) == nullptr);
    int here = 0;
    Require(pthread_setspecific(plain_key, &here) == 0);
    Require(pthread_setspecific(stubborn_key, reinterpret_cast<void*>(1)) == 0);
    std::this_thread::yield();
    Require(pthread_getspecific(plain_key) == &here);
  };
  for (int round = 1; round <= 2; ++round) {
    std::vector<pthread_t> threads;
    for (int i = 0; i < kThreads; ++i) threads.push_back(Start(&body));
    for (const pthread_t thread : threads) pthread_join(thread, nullptr);
    Require(destroyed == round * kThreads * 3);
  }
  // Null needs no destructor.
  OnAnotherThread(
      [] { Require(pthread_setspecific(plain_key, nullptr) == 0); });
  Require(destroyed == 2 * kThreads * 3);
  Require(pthread_key_delete(plain_key) == 0);
  Require(pthread_key_delete(stubborn_key) == 0);
}

int once_calls = 0;

void PosixOnce() {
  pthread_once_t once = PTHREAD_ONCE_INIT;
  once_calls = 0;
  std::function<void()> body = [&once] {
    const auto initialize = [] {
      std::this_thread::yield();
      ++once_calls;
    };
    Require(pthread_once(&once, initialize) == 0);
    Require(once_calls == 1);
  };
  std::vector<pthread_t> threads;
  for (int i = 0; i < kThreads; ++i) threads.push_back(Start(&body));
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
}

void ErrorCheckingMutex() {
  pthread_mutexattr_t attributes;
  Require(pthread_mutexattr_init(&attributes) == 0);
  Require(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK) ==
          0);
  pthread_mutex_t mu;
  Require(pthread_mutex_init(&mu, &attributes) == 0);
  Require(pthread_mutex_unlock(&mu) == EPERM);
  Require(pthread_mutex_lock(&mu) == 0);
  Require(pthread_mutex_lock(&mu) == EDEADLK);
  Require(pthread_mutex_trylock(&mu) == EBUSY);
  OnAnotherThread([&mu] {
    Require(pthread_mutex_unlock(&mu) == EPERM);
    RequireTimeOut(CLOCK_REALTIME, ETIMEDOUT, [&](const timespec* deadline) {
      return pthread_mutex_timedlock(&mu, deadline);
    });
    RequireTimeOut(CLOCK_MONOTONIC, ETIMEDOUT, [&](const timespec* deadline) {
      return pthread_mutex_clocklock(&mu, CLOCK_MONOTONIC, deadline);
    });
  });
  Require(pthread_mutex_unlock(&mu) == 0);
  Require(pthread_mutex_destroy(&mu) == 0);
  Require(pthread_mutexattr_destroy(&attributes) == 0);
}

// The clock of a condition variable's own.
void MonotonicCondition() {
  pthread_condattr_t attributes;
  Require(pthread_condattr_init(&attributes) == 0);
  Require(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
  pthread_cond_t never;
  pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
  Require(pthread_cond_init(&never, &attributes) == 0);
  Require(pthread_mutex_lock(&mu) == 0);
  RequireTimeOut(CLOCK_MONOTONIC, ETIMEDOUT, [&](const timespec* deadline) {
    int result = 0;
    while (result == 0) result = pthread_cond_timedwait(&never, &mu, deadline);
    return result;
  });
  RequireTimeOut(CLOCK_REALTIME, ETIMEDOUT, [&](const timespec* deadline) {
    int result = 0;
    while (result == 0) {
      result = pthread_cond_clockwait(&never, &mu, CLOCK_REALTIME, deadline);
    }
    return result;
  });
  Require(pthread_mutex_unlock(&mu) == 0);
  Require(pthread_cond_destroy(&never) == 0);
  Require(pthread_condattr_destroy(&attributes) == 0);
}

void ReadWriteLock() {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  Require(pthread_rwlock_rdlock(&lock) == 0);
  OnAnotherThread([&lock] {
    Require(pthread_rwlock_trywrlock(&lock) == EBUSY);
    RequireTimeOut(CLOCK_REALTIME, ETIMEDOUT, [&](const timespec* deadline) {
      return pthread_rwlock_timedwrlock(&lock, deadline);
    });
    Require(pthread_rwlock_tryrdlock(&lock) == 0);
    Require(pthread_rwlock_unlock(&lock) == 0);
  });
  Require(pthread_rwlock_unlock(&lock) == 0);
  Require(pthread_rwlock_wrlock(&lock) == 0);
  OnAnotherThread([&lock] {
    Require(pthread_rwlock_tryrdlock(&lock) == EBUSY);
    RequireTimeOut(CLOCK_REALTIME, ETIMEDOUT, [&](const timespec* deadline) {
      return pthread_rwlock_timedrdlock(&lock, deadline);
    });
    RequireTimeOut(CLOCK_MONOTONIC, ETIMEDOUT, [&](const timespec* deadline) {
      return pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, deadline);
    });
  });
  Require(pthread_rwlock_unlock(&lock) == 0);
  Require(pthread_rwlock_destroy(&lock) == 0);
}

// sem_t's functions return -1 and set errno.
int ErrorOf(int result) { return result == 0 ? 0 : errno; }

void Semaphore() {
  sem_t semaphore;
  Require(sem_init(&semaphore, 0, 1) == 0);
  Require(sem_trywait(&semaphore) == 0);
  Require(ErrorOf(sem_trywait(&semaphore)) == EAGAIN);
  RequireTimeOut(CLOCK_REALTIME, ETIMEDOUT, [&](const timespec* deadline) {
    return ErrorOf(sem_timedwait(&semaphore, deadline));
  });
  RequireTimeOut(CLOCK_MONOTONIC, ETIMEDOUT, [&](const timespec* deadline) {
    return ErrorOf(sem_clockwait(&semaphore, CLOCK_MONOTONIC, deadline));
  });
  std::function<void()> body = [&] { Require(sem_wait(&semaphore) == 0); };
  std::vector<pthread_t> threads;
  for (int i = 0; i < kThreads; ++i) threads.push_back(Start(&body));
  for (int i = 0; i < kThreads; ++i) Require(sem_post(&semaphore) == 0);
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  int value = -1;
  Require(sem_getvalue(&semaphore, &value) == 0 && value == 0);
  Require(sem_destroy(&semaphore) == 0);
}

std::atomic<bool> signal_came{false};
std::atomic<pthread_t> signal_went_to{};

void NoteSignal(int) {
  signal_went_to = pthread_self();
  signal_came = true;
}

// The handler runs on the thread that the signal was sent to.
void Kill() {
  signal_came = false;
  struct sigaction action = {};
  struct sigaction old = {};
  action.sa_handler = NoteSignal;
  Require(sigaction(SIGUSR1, &action, &old) == 0);
  std::function<void()> body = [] {
    while (!signal_came) std::this_thread::sleep_for(kTick);
  };
  const pthread_t thread = Start(&body);
  Require(pthread_kill(thread, SIGUSR1) == 0);
  Require(pthread_join(thread, nullptr) == 0);
  Require(pthread_equal(signal_went_to, thread) != 0);
  Require(sigaction(SIGUSR1, &old, nullptr) == 0);
}

// A socket that leads to no other simulated process.
void Datagrams() {
  int sockets[2];
  Require(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) == 0);
  char byte = 0;
  Require(recv(sockets[1], &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
  Require(send(sockets[0], "ab", 2, 0) == 2);
  Require(recv(sockets[1], &byte, 1, MSG_PEEK) == 1 && byte == 'a');
  char both[2] = {};
  Require(recv(sockets[1], both, 2, 0) == 2 && both[1] == 'b');
  for (const int socket : sockets) Require(close(socket) == 0);
  Require(recv(-1, &byte, 1, 0) == -1 && errno == EBADF);
}

}  // namespace

std::vector<Primitive> Posix() {
  return {{"pthread_create: attributes", CreateWithAttributes},
          {"pthread_create: detached", CreateDetached},
          {"pthread_tryjoin_np, pthread_timedjoin_np", TryJoin},
          {"pthread_exit", Exit},
          {"pthread_setname_np", Names},
          {"pthread_key_create", Keys},
          {"pthread_once", PosixOnce},
          {"pthread_mutex: error checking", ErrorCheckingMutex},
          {"pthread_cond: clocks", MonotonicCondition},
          {"pthread_rwlock", ReadWriteLock},
          {"sem_t", Semaphore},
          {"pthread_kill", Kill},
          {"send, recv: datagrams", Datagrams}};
}

}  // namespace sim::test
