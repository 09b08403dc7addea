#include "labrpc/worker_pool.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"

namespace labrpc {
namespace {

using Clock = TimerQueue::Clock;

// The pool whose worker the calling thread is.
thread_local const WorkerPool* this_threads_pool = nullptr;

}  // namespace

void WorkerPool::Submit(Task task) {
  WorkerRef called;
  {
    base::MutexLock lock(&mu_);
    // While it stops, the workers that are left still run what tasks submit.
    if (stopping_ && threads_.empty()) return;
    queue_.push_back(std::move(task));
    called = CallWorkerLocked();
  }
  if (called != nullptr) called->called.Signal();
}

void WorkerPool::Shutdown() {
  CHECK(this_threads_pool != this)
      << "a handler or callback cannot shut down the network that runs it";
  Threads ended;
  {
    base::MutexLock lock(&mu_);
    stopping_ = true;
    for (const WorkerRef& worker : idle_) {
      worker->is_called = true;
      worker->called.Signal();
    }
    idle_.clear();
    while (!threads_.empty()) worker_left_.Wait(&mu_);
    ended.swap(left_);
  }
  for (std::thread& thread : ended) thread.join();
}

int WorkerPool::Size() const {
  base::MutexLock lock(&mu_);
  return static_cast<int>(threads_.size());
}

void WorkerPool::WorkLoop(Threads::iterator handle) {
  this_threads_pool = this;
  const auto me = std::make_shared<Worker>();
  me->handle = handle;
  while (std::optional<Task> task = NextTask(me)) (*task)();
}

std::optional<WorkerPool::Task> WorkerPool::NextTask(const WorkerRef& me) {
  std::optional<Task> task;
  WorkerRef called;
  {
    base::MutexLock lock(&mu_);
    ArriveLocked(me.get());
    while (queue_.empty()) {
      if (!stopping_ && AwaitCallLocked(me)) continue;
      left_.splice(left_.end(), threads_, me->handle);
      worker_left_.Signal();
      return std::nullopt;
    }
    task = std::move(queue_.front());
    queue_.pop_front();
    ++taken_;
    called = CallWorkerLocked();
  }
  if (called != nullptr) called->called.Signal();
  return task;
}

bool WorkerPool::AwaitCallLocked(const WorkerRef& me) {
  const Clock::time_point deadline = Clock::now() + linger_;
  idle_.push_back(me);
  while (!me->is_called) {
    if (threads_.size() <= kCoreWorkers) {
      me->called.Wait(&mu_);
    } else if (!me->called.WaitUntil(&mu_, deadline) && !me->is_called &&
               threads_.size() > kCoreWorkers) {
      std::erase(idle_, me);
      return false;
    }
  }
  ArriveLocked(me.get());
  return true;
}

void WorkerPool::ArriveLocked(Worker* me) {
  if (!me->is_called) return;
  me->is_called = false;
  calling_ = false;
}

WorkerPool::WorkerRef WorkerPool::CallWorkerLocked() {
  if (queue_.empty() || calling_) return nullptr;
  if (!idle_.empty()) {
    WorkerRef worker = std::move(idle_.back());
    idle_.pop_back();
    worker->is_called = true;
    calling_ = true;
    return worker;
  }
  if (threads_.size() < kCoreWorkers) {
    AddWorkerLocked();
  } else {
    WatchLocked();
  }
  return nullptr;
}

void WorkerPool::AddWorkerLocked() {
  calling_ = true;
  const auto handle = threads_.emplace(threads_.end());
  // The new thread needs mu_ before it can touch its handle.
  *handle = std::thread([this, handle] { WorkLoop(handle); });
}

void WorkerPool::WatchLocked() {
  if (watched_) return;
  watched_ = true;
  taken_then_ = taken_;
  timers_->After(kPatience, [this] { GrowIfStuck(); });
}

void WorkerPool::GrowIfStuck() {
  Threads ended;  // joined here, so that a pool that breathes keeps no handles
  {
    base::MutexLock lock(&mu_);
    watched_ = false;
    if (queue_.empty()) return;
    ended.swap(left_);
    for (size_t i = MissingWorkersLocked(); i > 0; --i) AddWorkerLocked();
    WatchLocked();
  }
  for (std::thread& thread : ended) thread.join();
}

size_t WorkerPool::MissingWorkersLocked() const {
  // One that was called but is not there yet will take the work.
  if (calling_) return 0;
  const uint64_t taken = taken_ - taken_then_;
  if (taken == 0) return std::min(queue_.size(), threads_.size());
  return taken < kBriskTasks * threads_.size() ? 1 : 0;
}

}  // namespace labrpc
