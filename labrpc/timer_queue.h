// The network's one timer queue: delayed calls wait here, not in sleeping
// threads.
//
// Actions run one after another on the queue's own thread and must be short:
// they take a lock, change a state, pass work to the pool.
//
// Thread safety: safe; its lock is a leaf, so At() and After() may be called
// under any lock.
// Invariants: an action never runs early, nor before one that is due earlier;
// actions due at the same time run in the order they were added; none runs
// after Shutdown(). An empty queue costs no CPU.

#ifndef LABRPC_TIMER_QUEUE_H_
#define LABRPC_TIMER_QUEUE_H_

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "base/mutex.h"

namespace labrpc {

class TimerQueue {
 public:
  using Clock = std::chrono::steady_clock;
  using Action = std::function<void()>;

  TimerQueue();  // starts the thread
  ~TimerQueue() { Shutdown(); }

  // Runs `action` at `when` or soon after it; drops it after Shutdown().
  void At(Clock::time_point when, Action action) EXCLUDES(mu_);
  void After(Clock::duration delay, Action action) {
    At(Clock::now() + delay, std::move(action));
  }

  // Finishes the action that runs, drops the others, joins the thread.
  // Idempotent. REQUIRES: not called from an action.
  void Shutdown() EXCLUDES(mu_);

 private:
  using Entries = std::multimap<Clock::time_point, Action>;

  void TimerLoop();
  // Blocks until an action is due; returns nothing at the end.
  std::optional<Action> AwaitDue() EXCLUDES(mu_);

  base::Mutex mu_;
  base::CondVar earliest_changed_;
  Entries entries_ ABSL_GUARDED_BY(mu_);  // equal times keep their order
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;  // started last; joined by Shutdown()
};

}  // namespace labrpc

#endif  // LABRPC_TIMER_QUEUE_H_
