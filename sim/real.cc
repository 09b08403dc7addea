#include "sim/real.h"

#include <dlfcn.h>
#include <string.h>

namespace sim {
namespace {

constinit RealFunctions table = {};
constinit bool looked_up = false;

template <typename Function>
void LookUp(Function* function, const char* name) {
  *function = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// The C library has two kinds of condition variables; this asks for the one
// that programs have been built with for the last twenty years.
template <typename Function>
void LookUpCondition(Function* function, const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  Dl_info place = {};
  // A sanitizer's interceptor has no version.
  const bool is_c_library = dladdr(found, &place) != 0 &&
                            strstr(place.dli_fname, "/libc.so") != nullptr;
  if (is_c_library) found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
  *function = reinterpret_cast<Function>(found);
}

void LookUpThreads() {
  LookUp(&table.pthread_create, "pthread_create");
  LookUp(&table.pthread_join, "pthread_join");
  LookUp(&table.pthread_detach, "pthread_detach");
  LookUp(&table.pthread_exit, "pthread_exit");
  LookUp(&table.pthread_cancel, "pthread_cancel");
  LookUp(&table.thrd_create, "thrd_create");
  LookUp(&table.pthread_kill, "pthread_kill");
  LookUp(&table.pthread_sigmask, "pthread_sigmask");
  LookUp(&table.sigprocmask, "sigprocmask");
  LookUp(&table.pthread_tryjoin_np, "pthread_tryjoin_np");
  LookUp(&table.pthread_timedjoin_np, "pthread_timedjoin_np");
  LookUp(&table.pthread_clockjoin_np, "pthread_clockjoin_np");
  LookUp(&table.pthread_setname_np, "pthread_setname_np");
  LookUp(&table.pthread_getname_np, "pthread_getname_np");
  LookUp(&table.pthread_key_create, "pthread_key_create");
  LookUp(&table.pthread_key_delete, "pthread_key_delete");
  LookUp(&table.cxa_thread_atexit, "__cxa_thread_atexit");
}

void LookUpLocks() {
  LookUp(&table.pthread_mutex_lock, "pthread_mutex_lock");
  LookUp(&table.pthread_mutex_trylock, "pthread_mutex_trylock");
  LookUp(&table.pthread_mutex_unlock, "pthread_mutex_unlock");
  LookUp(&table.pthread_mutex_timedlock, "pthread_mutex_timedlock");
  LookUp(&table.pthread_mutex_clocklock, "pthread_mutex_clocklock");
  LookUp(&table.pthread_rwlock_rdlock, "pthread_rwlock_rdlock");
  LookUp(&table.pthread_rwlock_wrlock, "pthread_rwlock_wrlock");
  LookUp(&table.pthread_rwlock_tryrdlock, "pthread_rwlock_tryrdlock");
  LookUp(&table.pthread_rwlock_trywrlock, "pthread_rwlock_trywrlock");
  LookUp(&table.pthread_rwlock_unlock, "pthread_rwlock_unlock");
  LookUp(&table.pthread_rwlock_timedrdlock, "pthread_rwlock_timedrdlock");
  LookUp(&table.pthread_rwlock_timedwrlock, "pthread_rwlock_timedwrlock");
  LookUp(&table.pthread_rwlock_clockrdlock, "pthread_rwlock_clockrdlock");
  LookUp(&table.pthread_rwlock_clockwrlock, "pthread_rwlock_clockwrlock");
  LookUp(&table.pthread_once, "pthread_once");
  LookUp(&table.cxa_guard_acquire, "__cxa_guard_acquire");
  LookUp(&table.cxa_guard_release, "__cxa_guard_release");
  LookUp(&table.cxa_guard_abort, "__cxa_guard_abort");
}

void LookUpWaits() {
  LookUpCondition(&table.pthread_cond_wait, "pthread_cond_wait");
  LookUpCondition(&table.pthread_cond_timedwait, "pthread_cond_timedwait");
  LookUp(&table.pthread_cond_clockwait, "pthread_cond_clockwait");
  LookUpCondition(&table.pthread_cond_signal, "pthread_cond_signal");
  LookUpCondition(&table.pthread_cond_broadcast, "pthread_cond_broadcast");
  LookUp(&table.pthread_barrier_wait, "pthread_barrier_wait");
  LookUp(&table.sem_wait, "sem_wait");
  LookUp(&table.sem_trywait, "sem_trywait");
  LookUp(&table.sem_timedwait, "sem_timedwait");
  LookUp(&table.sem_clockwait, "sem_clockwait");
  LookUp(&table.sem_post, "sem_post");
}

void LookUpTime() {
  LookUp(&table.nanosleep, "nanosleep");
  LookUp(&table.clock_nanosleep, "clock_nanosleep");
  LookUp(&table.usleep, "usleep");
  LookUp(&table.sleep, "sleep");
  LookUp(&table.sched_yield, "sched_yield");
  LookUp(&table.poll, "poll");
  LookUp(&table.select, "select");
  LookUp(&table.alarm, "alarm");
  LookUp(&table.clock_gettime, "clock_gettime");
  LookUp(&table.gettimeofday, "gettimeofday");
  LookUp(&table.time, "time");
  LookUp(&table.timespec_get, "timespec_get");
}

void LookUpProcess() {
  LookUp(&table.getentropy, "getentropy");
  LookUp(&table.getrandom, "getrandom");
  LookUp(&table.random_device, "_ZNSt13random_device9_M_getvalEv");
  LookUp(&table.get_nprocs, "get_nprocs");
  LookUp(&table.sysconf, "sysconf");
  LookUp(&table.fork, "fork");
  LookUp(&table.abort, "abort");
  LookUp(&table.exit_now, "_exit");
}

void LookUpAll() {
  LookUpThreads();
  LookUpLocks();
  LookUpWaits();
  LookUpTime();
  LookUpProcess();
  looked_up = true;
}

}  // namespace

const RealFunctions& Real() {
  if (__builtin_expect(!looked_up, 0)) LookUpAll();
  return table;
}

uint64_t RealNow() {
  timespec now = {};
  Real().clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace sim
