#include "sim/engine.h"

#include <errno.h>
#include <execinfo.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
#include <unwind.h>

#include "sim/arena.h"
#include "sim/fiber.h"
#include "sim/raw.h"
#include "sim/real.h"
#include "sim/tls.h"

extern "C" void __tsan_acquire(void*) __attribute__((weak));

namespace sim {
namespace {

constinit Thread* records[Scheduler::kMaxThreads] = {};
constinit int record_count = 0;
// Free records: those without a lender, and those with one.
constinit Thread* free_records[2] = {};

// native: the key whose destructor runs at the end of each thread.
constinit bool has_end_key = false;
constinit pthread_key_t end_key = 0;

Thread* NewRecord(bool has_lender) {
  Thread*& first = free_records[has_lender];
  if (first != nullptr) {
    Thread* const record = first;
    first = record->next_free;
    return record;
  }
  if (record_count == Scheduler::kMaxThreads) {
    scheduler.GiveUp(kExitUnsupported, "too many threads at a time");
  }
  return records[record_count++] = AllocateForever<Thread>();
}

// All but what the record's lender has set up.
void ResetRecord(Thread* thread, void* (*start)(void*), void* argument) {
  thread->start = start;
  thread->argument = argument;
  thread->result = nullptr;
  thread->is_main = thread->is_detached = false;
  thread->name[0] = '\0';
  thread->exits = nullptr;
  thread->pending_signal = 0;
  thread->must_vanish = 0;
  thread->exit_rounds = 0;
  thread->asked_by = nullptr;
  thread->frame_count = 0;
  thread->stack_pointer = nullptr;
}

// The kernel frees a thread's memory a little after its last instruction, and
// what the C library does until then races with the thread that runs next.
void AwaitVanishing(Thread* me) {
  if (me->must_vanish == 0) return;
  while (RawSyscall(SYS_tgkill, getpid(), me->must_vanish, 0) != -ESRCH) {
    RawSyscall(SYS_sched_yield);
  }
  me->must_vanish = 0;
}

// Gives the token to `to`; returns when `from` has it again.
void HandOver(Thread* from, Thread* to) {
  if (scheduler.has_fibers()) {
    SwitchStack(from, to);
    return;
  }
  Give(&to->go);
  Take(&from->go);
  AwaitVanishing(from);
}

// The stack of this thread, but for the functions of the simulator on its top.
void NoteStack(Thread* me) {
  me->frame_count = backtrace(me->frames, Thread::kMaxFrames);
}

// What a thread does first when it has got the token: what other threads asked
// of it meanwhile.
void AnswerRequests(Thread* me) {
  while (me->asked_by != nullptr) {
    Thread* const asker = me->asked_by;
    me->asked_by = nullptr;
    NoteStack(me);
    HandOver(me, asker);
  }
  if (me->pending_signal == 0) return;
  const int signal = me->pending_signal;
  me->pending_signal = 0;
  raise(signal);
}

// Blocks until the thread is to begin; meanwhile answers requests for its
// stack.
void AwaitFirstTurn(Thread* me) {
  Take(&me->go);
  AwaitVanishing(me);
  AnswerRequests(me);
}

// ------------------------------------------------------------------- native

void* NativeThread(void* record) {
  auto* const me = static_cast<Thread*>(record);
  self = me;
  me->tid = static_cast<pid_t>(RawSyscall(SYS_gettid));
  AwaitFirstTurn(me);
  pthread_setspecific(end_key, me);
  return me->start(me->argument);
}

// Runs after the destructors of thread_local variables. Other keys'
// destructors come in the same rounds, so it waits for the last but one.
void OnNativeEnd(void* record) {
  auto* const me = static_cast<Thread*>(record);
  if (++me->exit_rounds < 3) {
    pthread_setspecific(end_key, me);
    return;
  }
  scheduler.Point(Op::kEnd, nullptr);
  scheduler.Remove(me);
  const pid_t tid = me->tid;
  if (me->is_detached) ReleaseThread(me);
  Thread* const next = scheduler.Pick();
  scheduler.SetCurrent(next);
  next->must_vanish = tid;
  self = nullptr;  // what follows is the C library's and a sanitizer's
  Give(&next->go);
}

int StartNative(Thread* thread, const pthread_attr_t* attributes) {
  thread->go = 0;
  thread->tid = 0;  // not that of the record's last owner
  return Real().pthread_create(&thread->handle, attributes, NativeThread,
                               thread);
}

// -------------------------------------------------------------------- fiber

// Ends the current thread. The next one that gets this stack begins at its top.
[[noreturn]] void EndFiber(Thread* me) {
  RunThreadExits(me);
  ResetThreadLocals();
  scheduler.Point(Op::kEnd, nullptr);
  scheduler.Remove(me);
  if (me->is_detached) ReleaseThread(me);
  Thread* const next = scheduler.Pick();
  scheduler.SetCurrent(next);
  SwitchStack(me, next);
  __builtin_unreachable();
}

void BeginFiber() {
  AnswerRequests(self);
  self->result = self->start(self->argument);
  EndFiber(self);
}

void* Lender(void* record) {
  auto* const me = static_cast<Thread*>(record);
  self = me;
  me->tid = static_cast<pid_t>(RawSyscall(SYS_gettid));
  ForgetKeysInUse();
  // The program's signals go to the thread that runs. Not masked are the two
  // below SIGRTMIN, by which the C library reaches every thread: setuid().
  const uint64_t all = ~(uint64_t{3} << 31);
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, reinterpret_cast<long>(&all), 0,
             sizeof(all));
  LendStack(me);
}

int StartFiber(Thread* thread) {
  if (!thread->has_lender) {
    thread->is_ready = 0;
    const int error =
        Real().pthread_create(&thread->handle, nullptr, Lender, thread);
    if (error != 0) return error;
    Take(&thread->is_ready);
    thread->has_lender = true;
  }
  PrepareStack(thread, BeginFiber);
  return 0;
}

void EndAfterExit() { EndFiber(self); }

// pthread_exit(): called for each frame from there outwards, after the frame's
// destructors have run.
_Unwind_Reason_Code OnUnwoundFrame(int, _Unwind_Action actions, uint64_t,
                                   _Unwind_Exception*, _Unwind_Context*,
                                   void*) {
  if ((actions & _UA_END_OF_STACK) == 0) return _URC_NO_REASON;
  JumpToStackTop(self, EndAfterExit);
}

}  // namespace

// ----------------------------------------------------------------- life cycle

Thread* AdoptMain(Engine engine) {
  // Loads what backtrace() needs, which allocates, at a known moment.
  void* frame = nullptr;
  backtrace(&frame, 1);
  if (!has_end_key) {
    has_end_key = true;
    Real().pthread_key_create(&end_key, OnNativeEnd);
  }
  if (engine == Engine::kNative) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<size_t>(sched_getcpu()), &one);
    sched_setaffinity(0, sizeof(one), &one);
  }
  Thread* const main = NewRecord(/*has_lender=*/false);
  ResetRecord(main, nullptr, nullptr);
  main->is_main = true;
  main->go = 0;
  main->handle = pthread_self();
  main->tid = static_cast<pid_t>(RawSyscall(SYS_gettid));
  main->fs_base = __builtin_thread_pointer();
  self = main;
  return main;
}

void EndMain(Thread* main) {
  self = nullptr;
  ReleaseThread(main);
}

int StartThread(pthread_t* handle, const pthread_attr_t* attributes,
                void* (*start)(void*), void* argument) {
  Thread* const thread = NewRecord(/*has_lender=*/scheduler.has_fibers());
  ResetRecord(thread, start, argument);
  int detach_state = PTHREAD_CREATE_JOINABLE;
  if (attributes != nullptr) {
    pthread_attr_getdetachstate(attributes, &detach_state);
  }
  thread->is_detached = detach_state == PTHREAD_CREATE_DETACHED;
  const int error = scheduler.has_fibers() ? StartFiber(thread)
                                           : StartNative(thread, attributes);
  if (error != 0) {
    ReleaseThread(thread);
    return error;
  }
  *handle = thread->handle;
  scheduler.Add(thread);
  scheduler.Point(Op::kCreate, nullptr);
  return 0;
}

void ExitThread(void* result) {
  if (self->is_main) {
    scheduler.GiveUp(kExitUnsupported, "pthread_exit() in the main thread");
  }
  if (!scheduler.has_fibers()) Real().pthread_exit(result);
  self->result = result;
  auto* const unwinding = AllocateForever<_Unwind_Exception>();
  _Unwind_ForcedUnwind(unwinding, OnUnwoundFrame, nullptr);
  scheduler.GiveUp(kExitUnsupported,
                   "pthread_exit() through a frame that cannot be unwound");
}

Thread* FindThread(pthread_t handle) {
  for (int i = 0; i < record_count; ++i) {
    Thread* const thread = records[i];
    if (thread->id >= 0 && thread->handle == handle) return thread;
  }
  return nullptr;
}

void ReleaseThread(Thread* thread) {
  thread->state = ThreadState::kFree;
  thread->id = -1;
  thread->next_free = free_records[thread->has_lender];
  free_records[thread->has_lender] = thread;
}

int ThreadCount() { return record_count; }
Thread* ThreadAt(int index) { return records[index]; }

// -------------------------------------------------------------------- token

void PassToken(Thread* from, Thread* to) {
  if (from != to) HandOver(from, to);
  AnswerRequests(from);
}

void AskForStack(Thread* thread) {
  if (thread == self) return NoteStack(thread);
  thread->asked_by = self;
  HandOver(self, thread);
}

void ForgetOtherThreads() {
  record_count = 0;
  for (Thread*& first : free_records) first = nullptr;
  if (self == nullptr) return;
  records[record_count++] = self;
  // The C library has changed it too, and writes it into mutexes.
  self->tid = static_cast<pid_t>(RawSyscall(SYS_gettid));
  scheduler.ForgetOthers();
}

// ----------------------------------------------------------- what there is

bool HasFsgsbase() {
  constexpr unsigned long kFsgsbase = 2;  // HWCAP2_FSGSBASE
  const char* const hidden = getenv("SIM_FSGSBASE");
  if (hidden != nullptr && strcmp(hidden, "off") == 0) return false;
  return (getauxval(AT_HWCAP2) & kFsgsbase) != 0;
}

bool HasThreadSanitizer() { return __tsan_acquire != nullptr; }

}  // namespace sim
