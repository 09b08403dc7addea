// The functions that the simulator replaces, as they were: the C library's, or
// a sanitizer's interceptors, whichever comes next after the program itself.
//
// Thread safety: looked up at the first use, which comes before main(), while
// there is one thread; constant afterwards.

#ifndef SIM_REAL_H_
#define SIM_REAL_H_

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

namespace sim {

// The functions that are declared in headers, under their names.
// clang-format off
#define SIM_REAL_FUNCTIONS(X) \
  X(pthread_create) X(pthread_join) X(pthread_detach) X(pthread_exit) \
  X(pthread_cancel) X(thrd_create) X(pthread_kill) X(pthread_sigmask) \
  X(sigprocmask) X(pthread_tryjoin_np) X(pthread_timedjoin_np) \
  X(pthread_clockjoin_np) X(pthread_setname_np) X(pthread_getname_np) \
  X(pthread_key_create) X(pthread_key_delete) X(pthread_mutex_lock) \
  X(pthread_mutex_trylock) X(pthread_mutex_unlock) X(pthread_mutex_timedlock) \
  X(pthread_mutex_clocklock) X(pthread_rwlock_rdlock) X(pthread_rwlock_wrlock) \
  X(pthread_rwlock_tryrdlock) X(pthread_rwlock_trywrlock) \
  X(pthread_rwlock_unlock) X(pthread_rwlock_timedrdlock) \
  X(pthread_rwlock_timedwrlock) X(pthread_rwlock_clockrdlock) \
  X(pthread_rwlock_clockwrlock) X(pthread_once) X(pthread_cond_wait) \
  X(pthread_cond_timedwait) X(pthread_cond_clockwait) X(pthread_cond_signal) \
  X(pthread_cond_broadcast) X(pthread_barrier_wait) X(sem_wait) X(sem_trywait) \
  X(sem_timedwait) X(sem_clockwait) X(sem_post) X(nanosleep) \
  X(clock_nanosleep) X(usleep) X(sleep) X(sched_yield) X(poll) X(select) \
  X(ppoll) X(pselect) X(pause) X(sigsuspend) X(sigwait) X(sigwaitinfo) \
  X(sigtimedwait) X(send) X(recv) \
  X(alarm) X(clock_gettime) X(gettimeofday) X(time) X(timespec_get) \
  X(getentropy) X(getrandom) X(get_nprocs) X(sysconf) X(fork) X(abort) \
  X(_exit)
// clang-format on

struct RealFunctions {
// A declared name cannot be in parentheses.
// NOLINTNEXTLINE(bugprone-macro-parentheses)
#define SIM_FIELD(name) decltype(&::name) name;
  SIM_REAL_FUNCTIONS(SIM_FIELD)
#undef SIM_FIELD

  // What only compilers and the C++ library call.
  int (*cxa_thread_atexit)(void (*)(void*), void*, void*);
  int (*cxa_guard_acquire)(uint64_t*);
  void (*cxa_guard_release)(uint64_t*);
  void (*cxa_guard_abort)(uint64_t*);
  unsigned (*random_device)(void*);
};

// The table above. Cheap after the first call.
const RealFunctions& Real();

// The real monotonic clock, in nanoseconds.
uint64_t RealNow();

}  // namespace sim

#endif  // SIM_REAL_H_
