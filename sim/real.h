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
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

namespace sim {

struct RealFunctions {
  decltype(&::pthread_create) pthread_create;
  decltype(&::pthread_join) pthread_join;
  decltype(&::pthread_detach) pthread_detach;
  void (*pthread_exit)(void*);
  decltype(&::pthread_cancel) pthread_cancel;
  decltype(&::thrd_create) thrd_create;
  decltype(&::pthread_kill) pthread_kill;
  decltype(&::pthread_sigmask) pthread_sigmask;
  decltype(&::sigprocmask) sigprocmask;
  decltype(&::pthread_tryjoin_np) pthread_tryjoin_np;
  decltype(&::pthread_timedjoin_np) pthread_timedjoin_np;
  decltype(&::pthread_clockjoin_np) pthread_clockjoin_np;
  decltype(&::pthread_setname_np) pthread_setname_np;
  decltype(&::pthread_getname_np) pthread_getname_np;
  decltype(&::pthread_key_create) pthread_key_create;
  decltype(&::pthread_key_delete) pthread_key_delete;
  int (*cxa_thread_atexit)(void (*)(void*), void*, void*);

  decltype(&::pthread_mutex_lock) pthread_mutex_lock;
  decltype(&::pthread_mutex_trylock) pthread_mutex_trylock;
  decltype(&::pthread_mutex_unlock) pthread_mutex_unlock;
  decltype(&::pthread_mutex_timedlock) pthread_mutex_timedlock;
  decltype(&::pthread_mutex_clocklock) pthread_mutex_clocklock;
  decltype(&::pthread_rwlock_rdlock) pthread_rwlock_rdlock;
  decltype(&::pthread_rwlock_wrlock) pthread_rwlock_wrlock;
  decltype(&::pthread_rwlock_tryrdlock) pthread_rwlock_tryrdlock;
  decltype(&::pthread_rwlock_trywrlock) pthread_rwlock_trywrlock;
  decltype(&::pthread_rwlock_unlock) pthread_rwlock_unlock;
  decltype(&::pthread_rwlock_timedrdlock) pthread_rwlock_timedrdlock;
  decltype(&::pthread_rwlock_timedwrlock) pthread_rwlock_timedwrlock;
  decltype(&::pthread_rwlock_clockrdlock) pthread_rwlock_clockrdlock;
  decltype(&::pthread_rwlock_clockwrlock) pthread_rwlock_clockwrlock;
  decltype(&::pthread_once) pthread_once;
  int (*cxa_guard_acquire)(uint64_t*);
  void (*cxa_guard_release)(uint64_t*);
  void (*cxa_guard_abort)(uint64_t*);

  decltype(&::pthread_cond_wait) pthread_cond_wait;
  decltype(&::pthread_cond_timedwait) pthread_cond_timedwait;
  decltype(&::pthread_cond_clockwait) pthread_cond_clockwait;
  decltype(&::pthread_cond_signal) pthread_cond_signal;
  decltype(&::pthread_cond_broadcast) pthread_cond_broadcast;
  decltype(&::pthread_barrier_wait) pthread_barrier_wait;
  decltype(&::sem_wait) sem_wait;
  decltype(&::sem_trywait) sem_trywait;
  decltype(&::sem_timedwait) sem_timedwait;
  decltype(&::sem_clockwait) sem_clockwait;
  decltype(&::sem_post) sem_post;

  decltype(&::nanosleep) nanosleep;
  decltype(&::clock_nanosleep) clock_nanosleep;
  decltype(&::usleep) usleep;
  decltype(&::sleep) sleep;
  decltype(&::sched_yield) sched_yield;
  decltype(&::poll) poll;
  decltype(&::select) select;
  decltype(&::alarm) alarm;
  int (*clock_gettime)(clockid_t, timespec*);
  int (*gettimeofday)(timeval*, void*);
  time_t (*time)(time_t*);
  int (*timespec_get)(timespec*, int);

  decltype(&::getentropy) getentropy;
  decltype(&::getrandom) getrandom;
  unsigned (*random_device)(void*);
  decltype(&::get_nprocs) get_nprocs;
  decltype(&::sysconf) sysconf;
  pid_t (*fork)();
  void (*abort)();
  void (*exit_now)(int);
};

// The table above. Cheap after the first call.
const RealFunctions& Real();

// The clock that people live by, in nanoseconds.
uint64_t RealNow();

}  // namespace sim

#endif  // SIM_REAL_H_
