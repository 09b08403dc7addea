#include "sim/waits.h"

#include <pthread.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/engine.h"
#include "sim/sched.h"

namespace sim {
namespace {

struct Busy {
  const void* object;
  Thread* thread;
};
// A thread has one of them, unless one initialization needs another.
constexpr int kMaxBusy = 2 * Scheduler::kMaxThreads;
constinit Busy busy[kMaxBusy] = {};
constinit int busy_count = 0;

Thread* ThreadWithTid(pid_t tid) {
  if (tid == 0) return nullptr;
  for (int i = 0; i < ThreadCount(); ++i) {
    Thread* const thread = ThreadAt(i);
    if (thread->state != ThreadState::kFree && thread->tid == tid) {
      return thread;
    }
  }
  return nullptr;
}

Busy* FindBusy(const void* object) {
  for (int i = 0; i < busy_count; ++i) {
    if (busy[i].object == object) return &busy[i];
  }
  return nullptr;
}

// The object's address is the join's target.
Thread* JoinTarget(const void* address) {
  for (int i = 0; i < ThreadCount(); ++i) {
    if (ThreadAt(i) == address) return ThreadAt(i);
  }
  return nullptr;
}

const char* Phrase(Wait wait) {
  switch (wait) {
    case Wait::kNone:
      return "is blocked";
    case Wait::kMutex:
      return "waits for mutex";
    case Wait::kRwlock:
      return "waits for rwlock";
    case Wait::kCondition:
      return "waits for condition variable";
    case Wait::kSemaphore:
      return "waits for semaphore";
    case Wait::kFutex:
      return "waits for futex";
    case Wait::kOnce:
      return "waits for once flag";
    case Wait::kGuard:
      return "waits for static variable's initialization";
    case Wait::kJoin:
      return "waits to join thread";
    case Wait::kThreads:
      return "waits for all threads to end";
    case Wait::kSleep:
      return "sleeps";
    case Wait::kYield:
      return "yields";
    case Wait::kPeer:
      return "waits for what the other process sends";
    case Wait::kStall:
      return "is stalled by the scheduler";
  }
  return "?";
}

}  // namespace

void BeginBusy(const void* object) {
  if (busy_count == kMaxBusy) {
    scheduler.GiveUp(
        kExitUnsupported,
        "too many static variables and once flags are initialized at a time");
  }
  busy[busy_count++] = {object, scheduler.current()};
}

void EndBusy(const void* object) {
  Busy* const entry = FindBusy(object);
  if (entry == nullptr) return;  // begun before the simulation was
  *entry = busy[--busy_count];
  scheduler.Wake(object, Scheduler::kMaxThreads);
}

bool IsBusy(const void* object) { return FindBusy(object) != nullptr; }

Thread* HolderOf(const Thread* thread) {
  if (thread->state != ThreadState::kBlocked || thread->address == nullptr) {
    return nullptr;
  }
  switch (thread->wait) {
    case Wait::kMutex:
      return ThreadWithTid(
          static_cast<const pthread_mutex_t*>(thread->address)->__data.__owner);
    case Wait::kRwlock:
      return ThreadWithTid(static_cast<const pthread_rwlock_t*>(thread->address)
                               ->__data.__cur_writer);
    case Wait::kOnce:
    case Wait::kGuard: {
      const Busy* const entry = FindBusy(thread->address);
      return entry == nullptr ? nullptr : entry->thread;
    }
    case Wait::kJoin:
      return JoinTarget(thread->address);
    default:
      return nullptr;
  }
}

bool ClosesCycle(const Thread* thread) {
  const Thread* holder = HolderOf(thread);
  // No more than all threads, in case the cycle is among others.
  for (int i = 0; i < ThreadCount() && holder != nullptr; ++i) {
    if (holder == thread) return true;
    if (holder->deadline != kNever) return false;
    holder = HolderOf(holder);
  }
  return false;
}

std::string DescribeCycle(const Thread* thread) {
  std::string text = absl::StrCat("thread ", thread->id);
  for (const Thread* holder = HolderOf(thread); holder != thread;
       holder = HolderOf(holder)) {
    absl::StrAppend(&text, " waits for thread ", holder->id, ", which");
  }
  return absl::StrCat(text, " waits for thread ", thread->id);
}

std::string DescribeWait(const Thread* thread) {
  if (thread->state == ThreadState::kRunnable) return "can run";
  if (thread->state == ThreadState::kEnded) return "has ended, is not joined";
  std::string text = Phrase(thread->wait);
  const Thread* const holder = HolderOf(thread);
  if (thread->wait == Wait::kJoin) {
    absl::StrAppend(&text, " ", holder->id);
  } else if (thread->address != nullptr && thread->wait != Wait::kThreads) {
    absl::StrAppendFormat(&text, " %p", thread->address);
    if (holder != nullptr) {
      absl::StrAppend(&text, ", held by thread ", holder->id);
    }
  }
  if (thread->deadline != kNever) {
    absl::StrAppendFormat(&text, ", until %.6f s",
                          static_cast<double>(thread->deadline) / 1e9);
  }
  return text;
}

}  // namespace sim
