// Threads: their beginning, end and names, and thread-local destructors.

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <threads.h>

#include "sim/engine.h"
#include "sim/interpose.h"
#include "sim/tls.h"
#include "sim/watchdog.h"

namespace sim {
namespace {

// The simulated thread that a call is about, or null if the real function is to
// be called.
[[gnu::always_inline]] inline Thread* Meant(pthread_t handle) {
  return OnSimulatedThread() ? FindThread(handle) : nullptr;
}

bool HasEnded(const Thread* thread) {
  return thread->state == ThreadState::kEnded;
}

// Waits for the thread's end; returns false if `deadline` came first.
bool AwaitEnd(const Thread* thread, Time deadline) {
  scheduler.Point(Op::kJoin, thread);
  while (!HasEnded(thread)) {
    if (!scheduler.Block(Wait::kJoin, thread, deadline) && !HasEnded(thread)) {
      return false;
    }
  }
  return true;
}

int TakeResult(Thread* thread, void** result) {
  if (!scheduler.has_fibers()) {
    // Only a sanitizer learns something from it: the thread is gone.
    const int error = Real().pthread_join(thread->handle, result);
    ReleaseThread(thread);
    return error;
  }
  if (result != nullptr) *result = thread->result;
  ReleaseThread(thread);
  return 0;
}

// Changes the mask by `change`, but never masks the watchdog's signal.
int ChangeMask(int (*change)(int, const sigset_t*, sigset_t*), int how,
               const sigset_t* wanted, sigset_t* before) {
  if (!OnSimulatedThread() || wanted == nullptr || how == SIG_UNBLOCK) {
    return change(how, wanted, before);
  }
  sigset_t allowed = *wanted;
  sigdelset(&allowed, WatchdogSignal());
  return change(how, &allowed, before);
}

// As the C library has it: a time that is none never comes.
Time JoinDeadline(const timespec& until, clockid_t clock) {
  return IsValid(until) ? ToDeadline(until, clock) : kNever;
}

int Join(Thread* thread, void** result, Time deadline) {
  if (thread->is_detached) return EINVAL;
  if (thread == self) return EDEADLK;
  if (!AwaitEnd(thread, deadline)) return ETIMEDOUT;
  return TakeResult(thread, result);
}

}  // namespace
}  // namespace sim

using sim::OnSimulatedThread;
using sim::Real;
using sim::scheduler;
using sim::Thread;

extern "C" {

int pthread_create(pthread_t* handle, const pthread_attr_t* attributes,
                   void* (*start)(void*), void* argument) noexcept {
  if (!OnSimulatedThread()) {
    return Real().pthread_create(handle, attributes, start, argument);
  }
  return sim::StartThread(handle, attributes, start, argument);
}

int pthread_join(pthread_t handle, void** result) {
  Thread* const thread = sim::Meant(handle);
  if (thread == nullptr) return Real().pthread_join(handle, result);
  return sim::Join(thread, result, sim::kNever);
}

int pthread_tryjoin_np(pthread_t handle, void** result) noexcept {
  Thread* const thread = sim::Meant(handle);
  if (thread == nullptr) return Real().pthread_tryjoin_np(handle, result);
  scheduler.Point(sim::Op::kJoin, thread);
  return sim::HasEnded(thread) ? sim::TakeResult(thread, result) : EBUSY;
}

int pthread_timedjoin_np(pthread_t handle, void** result,
                         const timespec* until) {
  Thread* const thread = sim::Meant(handle);
  if (thread == nullptr) {
    return Real().pthread_timedjoin_np(handle, result, until);
  }
  return sim::Join(thread, result, sim::JoinDeadline(*until, CLOCK_REALTIME));
}

int pthread_clockjoin_np(pthread_t handle, void** result, clockid_t clock,
                         const timespec* until) {
  Thread* const thread = sim::Meant(handle);
  if (thread == nullptr) {
    return Real().pthread_clockjoin_np(handle, result, clock, until);
  }
  if (!sim::IsWaitClock(clock)) return EINVAL;
  return sim::Join(thread, result, sim::JoinDeadline(*until, clock));
}

int pthread_detach(pthread_t handle) noexcept {
  Thread* const thread = sim::Meant(handle);
  if (thread == nullptr) return Real().pthread_detach(handle);
  if (thread->is_detached) return EINVAL;
  if (!scheduler.has_fibers()) {
    Real().pthread_detach(handle);
  }
  thread->is_detached = true;
  if (sim::HasEnded(thread)) sim::ReleaseThread(thread);
  return 0;
}

void pthread_exit(void* result) {
  if (sim::OnSimulatedThread()) sim::ExitThread(result);
  Real().pthread_exit(result);
  __builtin_unreachable();
}

// C11's threads would be real ones: the C library makes them by itself.
int thrd_create(thrd_t* handle, thrd_start_t start, void* argument) {
  if (!OnSimulatedThread()) return Real().thrd_create(handle, start, argument);
  scheduler.GiveUp(sim::kExitUnsupported,
                   "thrd_create() (std::thread is simulated)");
}

int pthread_cancel(pthread_t handle) {
  if (sim::Meant(handle) == nullptr) return Real().pthread_cancel(handle);
  scheduler.GiveUp(sim::kExitUnsupported, "pthread_cancel()");
}

// The real thread may be asleep for good: the signal waits for its turn.
int pthread_kill(pthread_t handle, int signal) noexcept {
  Thread* const thread = sim::Meant(handle);
  if (thread == nullptr) return Real().pthread_kill(handle, signal);
  if (signal < 0 || signal > SIGRTMAX) return EINVAL;
  if (thread == sim::self && signal != 0) return raise(signal);
  if (signal != 0) thread->pending_signal = signal;
  return 0;
}

int pthread_sigmask(int how, const sigset_t* wanted,
                    sigset_t* before) noexcept {
  return sim::ChangeMask(Real().pthread_sigmask, how, wanted, before);
}

int sigprocmask(int how, const sigset_t* wanted, sigset_t* before) noexcept {
  return sim::ChangeMask(Real().sigprocmask, how, wanted, before);
}

// Waits for a signal, which none of the program's threads can end: what another
// process sends has no place in virtual time.

int pause() {
  if (!OnSimulatedThread()) return Real().pause();
  scheduler.GiveUp(sim::kExitUnsupported, "pause()");
}

int sigsuspend(const sigset_t* mask) {
  if (!OnSimulatedThread()) return Real().sigsuspend(mask);
  scheduler.GiveUp(sim::kExitUnsupported, "sigsuspend()");
}

int sigwait(const sigset_t* set, int* signal) {
  if (!OnSimulatedThread()) return Real().sigwait(set, signal);
  scheduler.GiveUp(sim::kExitUnsupported, "sigwait()");
}

int sigwaitinfo(const sigset_t* set, siginfo_t* info) {
  if (!OnSimulatedThread()) return Real().sigwaitinfo(set, info);
  scheduler.GiveUp(sim::kExitUnsupported, "sigwaitinfo()");
}

int sigtimedwait(const sigset_t* set, siginfo_t* info,
                 const timespec* timeout) {
  if (!OnSimulatedThread()) return Real().sigtimedwait(set, info, timeout);
  scheduler.GiveUp(sim::kExitUnsupported, "sigtimedwait()");
}

int pthread_setname_np(pthread_t handle, const char* name) noexcept {
  Thread* const thread = sim::Meant(handle);
  if (thread == nullptr) return Real().pthread_setname_np(handle, name);
  if (strlen(name) >= sizeof(thread->name)) return ERANGE;
  strcpy(thread->name, name);
  return 0;
}

int pthread_getname_np(pthread_t handle, char* name, size_t size) noexcept {
  Thread* const thread = sim::Meant(handle);
  if (thread == nullptr) return Real().pthread_getname_np(handle, name, size);
  if (size < sizeof(thread->name)) return ERANGE;
  const bool has_name = thread->name[0] != '\0';
  // Without a name of its own a thread has the program's.
  strncpy(name, has_name ? thread->name : program_invocation_short_name, size);
  name[sizeof(thread->name) - 1] = '\0';
  return 0;
}

// ------------------------------------------------------------- thread-local

int __cxa_thread_atexit(void (*destructor)(void*), void* object,
                        void* library) noexcept {
  const bool is_ours =
      sim::OnSimulatedThread() && !sim::self->is_main && scheduler.has_fibers();
  if (!is_ours) return Real().cxa_thread_atexit(destructor, object, library);
  sim::AddThreadExit(sim::self, destructor, object);
  return 0;
}

int pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) noexcept {
  const int error = Real().pthread_key_create(key, destructor);
  if (error == 0) sim::KeyCreated(*key, destructor);
  return error;
}

int pthread_key_delete(pthread_key_t key) noexcept {
  const int error = Real().pthread_key_delete(key);
  if (error == 0) sim::KeyDeleted(key);
  return error;
}

}  // extern "C"
