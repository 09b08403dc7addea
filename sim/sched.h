// The scheduler: which thread runs, what the time is, which threads wait.
//
// Exactly one simulated thread runs at a time: it holds the token, and all
// state below belongs to it. It gives the token away in Point(), Block() and at
// its end, to a thread that a generator seeded by the run's seed picks.
//
// Invariants: the state is initialized at compile time, because interposed
// functions run before constructors do; it is in no container, because a
// sanitizer would take the C library's calls in them for the program's own;
// which thread is picked depends on the seed and on the calls so far, never on
// an address, the real time or the engine.

#ifndef SIM_SCHED_H_
#define SIM_SCHED_H_

#include <cstdint>

#include "sim/sim.h"
#include "sim/thread.h"

namespace sim {

// A kind of scheduling point; the letter stands in the trace.
enum class Op : char {
  kLock = 'l',
  kTryLock = 'T',
  kUnlock = 'u',
  kReadLock = 'r',
  kWriteLock = 'w',
  kRwlockUnlock = 'U',
  kWait = 'c',
  kSignal = 'n',
  kBroadcast = 'b',
  kSemaphoreWait = 'm',
  kSemaphorePost = 'M',
  kFutexWait = 'f',
  kFutexWake = 'F',
  kCreate = 't',
  kJoin = 'j',
  kEnd = 'x',
  kSleep = 's',
  kYield = 'y',
  kClock = 'k',  // a thread that does nothing but read the clock
  kSend = 'S',
  kReceive = 'R',
  kAtomic = 'a',
  kAccess = 'p',
};

// What a scheduling point costs of virtual time, so that a loop which waits
// for a time to come ends.
inline constexpr Time kPointCost = 100;

// What the scheduler asks of the files above it, which it does not include.
struct Hooks {
  // Gives the token to `to`; returns when `from` has it again, after what other
  // threads have asked of it meanwhile. If both are the same thread, it only
  // does what it has been asked for.
  void (*pass_token)(Thread* from, Thread* to);

  // `thread` is about to block, without a deadline.
  void (*on_block)(Thread* thread);

  // No thread can run before `next`. Returns true if another process has run
  // meanwhile (peer.h): there may be something to do now.
  bool (*await_peer)(Time next);

  // The time of alarm() has come: `thread` is to run the handler.
  void (*on_alarm)(Thread* thread);

  // Ends the process with this status and a report; does not return.
  void (*give_up)(int status, const char* what);

  // Logs a scheduling point. Null: no log is wanted.
  void (*trace)(Op op, const void* object);
};

class Scheduler {
 public:
  // Starts a simulation, with `main` as its one thread.
  void Begin(const Options& options, const Hooks& hooks, Thread* main);
  // Ends it; the other threads never run again.
  void End() { active_ = false; }
  // Between these two every function is the real one, for the current thread.
  void Suspend() { active_ = false; }
  void Resume() { active_ = true; }

  bool active() const { return active_; }
  const Options& options() const { return options_; }
  bool has_fibers() const { return options_.engine == Engine::kFiber; }
  Thread* current() const { return current_; }
  Time now() const { return now_; }
  void AdvanceTo(Time when) {
    if (when > now_) now_ = when;
  }
  uint64_t steps() const { return steps_; }
  int live() const { return live_; }
  Result ToResult() const;

  // A scheduling point: time passes, and another thread may run first.
  // `object` is for the trace only.
  void Point(Op op, const void* object);

  // Blocks the current thread until Wake(address) picks it or `deadline`
  // passes; returns false in the latter case. A null address: until then only.
  bool Block(Wait why, const void* address, Time deadline);

  // Wakes up to `count` of those that wait at `address`, chosen at random;
  // returns how many.
  int Wake(const void* address, int count);

  // Reads the clock. Costs nothing, so that logging changes nothing; a thread
  // that does nothing else is slowed down, so that time passes for it.
  Time ReadClock();

  // A new thread, runnable.
  void Add(Thread* thread);
  // The current thread has ended: wakes the threads that wait for that. The
  // caller picks the next one.
  void Remove(Thread* thread);
  // Between these two the current thread's scheduling points do not switch: a
  // fork's handlers run in the child while it still seems to have all threads.
  void BeginFork() { forking_ = current_; }
  void EndFork() { forking_ = nullptr; }
  // In a forked child: the current thread is the only one left.
  void ForgetOthers();

  // The next to run. Moves the time on if no thread can; gives up if none ever
  // will.
  Thread* Pick();
  void SetCurrent(Thread* thread) {
    current_ = thread;
    ++switches_;
  }

  // Ends the process: `what` is wrong with the program or the run.
  [[noreturn]] void GiveUp(int status, const char* what);

  // Mixes an event of the program's into the hash; no scheduling point.
  void MixEvent(uint64_t event);

  // Where thread 0 waits until it is the only one left.
  const void* all_ended() const { return &live_; }

  // Draws from the run's generator.
  uint64_t Random();
  bool Chance(double probability);

  // SIGALRM comes at this time; kNever: not at all.
  Time alarm() const { return alarm_; }
  void set_alarm(Time when) { alarm_ = when; }

  static constexpr int kMaxThreads = 8192;

 private:
  static constexpr int kBuckets = 1024;

  void Mix(uint64_t value);
  void SwitchTo(Thread* next);
  void Stall();
  void CheckTimeLimit();

  void AddRunnable(Thread* thread);
  void RemoveRunnable(Thread* thread);
  void MakeRunnable(Thread* thread, bool timed_out);

  // Timers: a binary heap, the earliest first.
  static bool IsEarlier(const Thread* a, const Thread* b);
  void PlaceTimer(int index, Thread* thread);
  void SiftUp(int index);
  void SiftDown(int index);
  void AddTimer(Thread* thread);
  void RemoveTimer(Thread* thread);
  void FireTimers();
  void MoveTime();

  // Wait queues: hash buckets of intrusive lists.
  Thread** Bucket(const void* address);
  void AddWaiter(Thread* thread, const void* address);
  void RemoveWaiter(Thread* thread);

  bool active_ = false;
  Options options_;
  Hooks hooks_ = {};
  Thread* current_ = nullptr;
  Thread* forking_ = nullptr;
  Time now_ = 0;
  Time alarm_ = kNever;
  Time no_stall_before_ = 0;
  uint64_t random_state_ = 0;
  uint64_t hash_ = 0;
  uint64_t steps_ = 0;
  uint64_t switches_ = 0;
  uint64_t threads_ = 0;  // ever
  int live_ = 0;
  int clock_reads_ = 0;  // since the last scheduling point
  int runnable_ = 0;
  int timers_ = 0;
  Thread* run_set_[kMaxThreads] = {};
  Thread* timer_heap_[kMaxThreads] = {};
  Thread* buckets_[kBuckets] = {};
};

extern Scheduler scheduler;

// The calling thread's record; null if it is not simulated.
extern thread_local Thread* self __attribute__((tls_model("initial-exec")));

// True if a function called here is to be simulated.
inline bool OnSimulatedThread() {
  return self != nullptr && scheduler.active();
}

}  // namespace sim

#endif  // SIM_SCHED_H_
