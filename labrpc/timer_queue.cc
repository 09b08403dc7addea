#include "labrpc/timer_queue.h"

#include <utility>

#include "base/logging.h"

namespace labrpc {

TimerQueue::TimerQueue() : thread_([this] { TimerLoop(); }) {}

void TimerQueue::At(Clock::time_point when, Action action) {
  base::MutexLock lock(&mu_);
  if (stopping_) return;
  const auto entry = entries_.emplace(when, std::move(action));
  if (entry == entries_.begin()) earliest_changed_.Signal();
}

void TimerQueue::Shutdown() {
  Entries dropped;  // destroyed without the lock
  {
    base::MutexLock lock(&mu_);
    stopping_ = true;
    entries_.swap(dropped);
    earliest_changed_.Signal();
  }
  if (!thread_.joinable()) return;
  CHECK(thread_.get_id() != std::this_thread::get_id())
      << "a timer's action cannot shut its own queue down";
  thread_.join();
}

void TimerQueue::TimerLoop() {
  while (std::optional<Action> action = AwaitDue()) (*action)();
}

std::optional<TimerQueue::Action> TimerQueue::AwaitDue() {
  base::MutexLock lock(&mu_);
  while (!stopping_) {
    if (entries_.empty()) {
      earliest_changed_.Wait(&mu_);
      continue;
    }
    const auto earliest = entries_.begin();
    if (Clock::now() >= earliest->first) {
      return std::move(entries_.extract(earliest).mapped());
    }
    // A copy: another action may take the entry's place while we wait.
    const Clock::time_point when = earliest->first;
    earliest_changed_.WaitUntil(&mu_, when);
  }
  return std::nullopt;
}

}  // namespace labrpc
