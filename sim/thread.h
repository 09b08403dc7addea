// One simulated thread: what the scheduler and the engines know of it.
//
// Thread safety: belongs to the thread that holds the token, that is, to the
// one that runs; only `go` and `is_ready` cross over.
// Invariants: in the run set if and only if kRunnable; in the timers if and
// only if timer_index >= 0; in a wait queue if and only if address is set.

#ifndef SIM_THREAD_H_
#define SIM_THREAD_H_

#include <pthread.h>
#include <sys/types.h>

#include <cstdint>

namespace sim {

// Virtual time: nanoseconds since the simulation began.
using Time = uint64_t;
inline constexpr Time kNever = ~Time{0};

enum class ThreadState : uint8_t { kFree, kRunnable, kBlocked, kEnded };

// Why a thread is blocked.
enum class Wait : uint8_t {
  kNone,
  kMutex,
  kRwlock,
  kCondition,
  kSemaphore,
  kFutex,
  kOnce,   // another thread runs the function of a pthread_once()
  kGuard,  // another thread initializes a static variable
  kJoin,
  kThreads,  // thread 0, for all others to end
  kSleep,
  kYield,
  kPeer,   // what the other process sends
  kStall,  // the scheduler put it to sleep
};

// What a thread-local variable's destructor is; a list per thread.
struct ThreadExit {
  void (*function)(void*);
  void* object;
  ThreadExit* next;
};

struct Thread {
  static constexpr int kMaxFrames = 64;

  int id;            // in the order of creation; -1 in a record that is free
  pthread_t handle;  // what pthread_self() returns there
  pid_t tid;         // what glibc writes as the owner into the mutexes it holds
  ThreadState state;
  bool is_detached;
  bool is_main;  // thread 0: its real thread is not ours
  void* (*start)(void*);
  void* argument;
  void* result;
  char name[16];
  ThreadExit* exits;
  int pending_signal;  // from pthread_kill(): delivered when it runs next

  // While runnable, blocked.
  int run_index;
  int timer_index;
  Time deadline;
  bool is_exact;  // the deadline gets no slack
  bool timed_out;
  Wait wait;
  const void* address;  // what it waits for; the key of its queue
  Thread* next_waiter;
  Thread* previous_waiter;

  // For the engine.
  int go;             // native: the token
  int is_ready;       // fiber: its real thread has set up what is below
  pid_t must_vanish;  // native: must be gone before this one runs
  int exit_rounds;    // native: of the thread-specific data's destructors
  bool has_lender;    // fiber: owns a real thread, also while free
  void* stack_top;    // fiber
  void* stack_pointer;
  void* fs_base;
  Thread* next_free;

  // For reports: the thread that asked for this thread's stack, and the stack.
  Thread* asked_by;
  int frame_count;
  void* frames[kMaxFrames];
};

}  // namespace sim

#endif  // SIM_THREAD_H_
