// The threads that run handlers and callbacks.
//
// Two workers serve while tasks are short; more would only contend for the
// processor. A task may also block, for seconds: when the queue has not moved
// for a millisecond the pool grows, by doubling. A worker beyond the first two
// exits after a time without work.
//
// At most one worker is being woken at a time, and it wakes the next if there
// is more to do: a burst of short tasks is then served by one thread instead of
// waking all. The worker that became idle last is woken first, so that surplus
// ones stay idle.
//
// Thread safety: safe. Lock order: WorkerPool -> TimerQueue. Tasks run, and are
// destroyed, without any lock held.
// Invariants: a task accepted by Submit() is run, even if all others block;
// nothing runs after Shutdown(). An idle pool costs no CPU.

#ifndef LABRPC_WORKER_POOL_H_
#define LABRPC_WORKER_POOL_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/brief_cond_var.h"
#include "base/mutex.h"
#include "labrpc/timer_queue.h"

namespace labrpc {

class WorkerPool {
 public:
  using Task = std::function<void()>;

  // `timers` notices that the pool must grow: shut it down after the pool, and
  // before the pool is destroyed. A worker beyond the first two exits after
  // `linger` without work.
  explicit WorkerPool(TimerQueue* timers,
                      std::chrono::milliseconds linger = kLinger)
      : timers_(timers), linger_(linger) {}
  ~WorkerPool() { Shutdown(); }

  // Runs `task` on a worker, soon. After Shutdown() it is dropped.
  void Submit(Task task) EXCLUDES(mu_);

  // Runs what is queued, waits for what runs, joins the workers; the pool grows
  // for blocked tasks up to the end. Idempotent.
  // REQUIRES: not called from a task; one thread at a time.
  void Shutdown() EXCLUDES(mu_);

  // The number of threads now.
  int Size() const EXCLUDES(mu_);

 private:
  static constexpr size_t kCoreWorkers = 2;
  static constexpr std::chrono::milliseconds kLinger{1000};
  static constexpr std::chrono::milliseconds kPatience{1};
  // A worker that gets through fewer tasks within kPatience is slow: its tasks
  // take 250 us and more, which no handler needs that does not wait.
  static constexpr uint64_t kBriskTasks = 4;

  using Threads = std::list<std::thread>;

  // Shared with the thread that calls it, which signals without mu_: a worker
  // woken under mu_ would stop at once to wait for it.
  struct Worker {
    Threads::iterator handle;
    base::BriefCondVar called;
    bool is_called = true;  // guarded by mu_; a new one is started for work
  };

  using WorkerRef = std::shared_ptr<Worker>;

  void WorkLoop(Threads::iterator handle);
  // Blocks until there is a task; returns nothing when the worker has left the
  // pool and must exit.
  std::optional<Task> NextTask(const WorkerRef& me) EXCLUDES(mu_);
  // Returns false if the worker was not called for the linger time.
  bool AwaitCallLocked(const WorkerRef& me) REQUIRES(mu_);
  void ArriveLocked(Worker* me) REQUIRES(mu_);

  // Ensures that a worker takes the next task, if there is one. The caller
  // signals the worker returned, if any, when it has released mu_.
  [[nodiscard]] WorkerRef CallWorkerLocked() REQUIRES(mu_);
  void AddWorkerLocked() REQUIRES(mu_);

  // Growth: looks at the queue again after kPatience.
  void WatchLocked() REQUIRES(mu_);
  void GrowIfStuck() EXCLUDES(mu_);  // on the timer thread
  size_t MissingWorkersLocked() const REQUIRES(mu_);

  TimerQueue* const timers_;
  const std::chrono::milliseconds linger_;

  mutable base::Mutex mu_;
  base::CondVar worker_left_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mu_);
  Threads threads_ ABSL_GUARDED_BY(mu_);              // one per worker
  Threads left_ ABSL_GUARDED_BY(mu_);                 // ended, to be joined
  std::vector<WorkerRef> idle_ ABSL_GUARDED_BY(mu_);  // last idle, last in
  uint64_t taken_ ABSL_GUARDED_BY(mu_) = 0;           // tasks ever begun
  uint64_t taken_then_ ABSL_GUARDED_BY(mu_) = 0;      // when the watch began
  bool watched_ ABSL_GUARDED_BY(mu_) = false;         // GrowIfStuck() will come
  bool calling_ ABSL_GUARDED_BY(mu_) = false;  // one is called, not yet there
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace labrpc

#endif  // LABRPC_WORKER_POOL_H_
