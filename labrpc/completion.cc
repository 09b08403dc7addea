// How calls end: by a reply or nothing, by the dead check, by Close.

#include <utility>
#include <vector>

#include "base/logging.h"
#include "labrpc/core.h"

namespace labrpc {
namespace {

// The end whose callback the calling thread runs, to catch one that closes it.
struct RunningCallback {
  const Core* core = nullptr;
  EndId end = 0;
};
thread_local RunningCallback running_callback;

}  // namespace

void Core::Finish(CallId id) {
  CompletedCall completed;
  {
    base::MutexLock lock(&mu_);
    const auto found = FindLocked(id, Phase::kCompleted);
    if (found == calls_.end()) return;
    const Outcome& outcome = found->second.outcome;
    if (outcome.has_value()) total_bytes_ += outcome->size();
    completed = TakeLocked(found);
  }
  Complete(&completed);
}

Core::CompletedCall Core::TakeLocked(Calls::iterator call) {
  if (call->second.callback) ++ends_[call->second.end].running;
  return calls_.extract(call);
}

void Core::Complete(CompletedCall* completed) {
  Call& call = completed->mapped();
  if (!call.callback) return;
  running_callback = {this, call.end};
  call.callback(std::move(call.outcome));
  running_callback = {};

  base::MutexLock lock(&mu_);
  End& end = ends_[call.end];
  --end.running;
  if (end.closed && end.running == 0) callbacks_returned_.SignalAll();
}

void Core::FailLocked(Call* call) {
  call->phase = Phase::kCompleted;
  call->hold = Hold::kNo;
  call->outcome.reset();
}

void Core::SetServer(const std::string& name, std::shared_ptr<Server> server) {
  // On return `server` is the one replaced: destroyed here, without the lock.
  std::vector<CallId> dead;
  {
    base::MutexLock lock(&mu_);
    if (cleaned_up_) return;
    Slot* const slot = SlotLocked(name);
    slot->server.swap(server);
    for (auto& [id, call] : calls_) {
      if (call.slot != slot || call.phase != Phase::kRunning) continue;
      if (!IsDeadLocked(call)) continue;
      FailLocked(&call);
      dead.push_back(id);
    }
  }
  for (const CallId id : dead) Schedule(id, Phase::kCompleted);
}

void Core::PollRunningCalls(EndId end) {
  const auto now = Clock::now();
  std::vector<std::pair<Clock::time_point, CallId>> polls;
  {
    base::MutexLock lock(&mu_);
    for (const auto& [id, call] : calls_) {
      if (call.end != end || call.phase != Phase::kRunning) continue;
      const auto elapsed = (now - call.started) / kPollInterval;
      polls.emplace_back(call.started + (elapsed + 1) * kPollInterval, id);
    }
  }
  for (const auto& [when, id] : polls) {
    timers_.At(when, [this, id = id] { Poll(id); });
  }
}

bool Core::IsDeadLocked(const Call& call) const {
  return !ends_[call.end].enabled || call.slot->server.get() != call.target;
}

void Core::Poll(CallId id) {
  {
    base::MutexLock lock(&mu_);
    const auto found = FindLocked(id, Phase::kRunning);
    if (found == calls_.end() || !IsDeadLocked(found->second)) return;
    FailLocked(&found->second);
  }
  Schedule(id, Phase::kCompleted);
}

void Core::Close(EndId end) {
  CHECK(running_callback.core != this || running_callback.end != end)
      << "Close() would wait for the callback that calls it";
  {
    std::vector<CompletedCall> given_up;  // destroyed without the lock
    base::MutexLock lock(&mu_);
    ends_[end].closed = true;
    for (auto it = calls_.begin(); it != calls_.end();) {
      const auto call = it++;
      if (call->second.end != end) continue;
      given_up.push_back(calls_.extract(call));
    }
  }
  base::MutexLock lock(&mu_);
  while (ends_[end].running > 0) callbacks_returned_.Wait(&mu_);
}

}  // namespace labrpc
