// One call on its way: admission, delays and losses, the handler, the outcome.
// And the two ways in which it can be cut short: the dead check and Close.

#include <utility>

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

void Core::Send(EndId end, std::string_view method, std::string args,
                Callback callback) {
  Call call;
  call.packet.sent = Clock::now();
  call.end = end;
  call.args = std::move(args);
  call.callback = std::move(callback);
  Packet packet;
  Phase phase{};
  Milliseconds delay(0);
  std::string shown;  // the call may be gone before the tap has decided
  bool asks = false;
  {
    base::MutexLock lock(&mu_);
    if (cleaned_up_ || ends_[end].closed) return;
    if (call.callback) {
      ++total_count_;
      total_bytes_ += call.args.size();
      if (tap_) call.hold = Hold::kAsking;
    }
    call.packet.call = next_call_++;
    call.packet.end = ends_[end].name;
    call.packet.method = InternLocked(method);
    delay = AdmitLocked(&call);
    packet = call.packet;
    phase = call.phase;
    asks = call.hold == Hold::kAsking;
    if (asks) shown = call.args;
    calls_.emplace_hint(calls_.end(), packet.call, std::move(call));
  }
  if (asks) {
    packet.bytes = shown;
    AskTap(packet, end);
  } else {
    Schedule(packet.call, phase, delay);
  }
}

// Returns a copy of the name that stays.
std::string_view Core::InternLocked(std::string_view method) {
  const auto found = methods_.find(method);
  return found != methods_.end() ? *found : *methods_.emplace(method).first;
}

Core::Milliseconds Core::AdmitLocked(Call* call) {
  const End& end = ends_[call->end];
  call->slot = end.slot;
  if (end.slot != nullptr) call->packet.server = end.slot->name;
  if (!end.enabled || end.slot == nullptr || end.slot->server == nullptr) {
    call->hold = Hold::kNo;
    call->phase = Phase::kUndeliverable;
    return faults_.UndeliverableDelay(flags_.long_delays);
  }
  // Admitted when the tap lets it go, to the server of then.
  if (call->hold == Hold::kAsking) return {};
  call->server = end.slot->server;
  call->target = end.slot->server.get();
  call->reliable = flags_.reliable;
  call->long_reordering = flags_.long_reordering;
  call->phase = call->reliable ? Phase::kQueued : Phase::kDelayed;
  return call->reliable ? Milliseconds(0) : faults_.RequestDelay();
}

void Core::Schedule(CallId id, Phase phase, Milliseconds delay) {
  if (phase == Phase::kQueued) {
    workers_.Submit([this, id] { Start(id); });
    return;
  }
  if (phase == Phase::kCompleted) {
    workers_.Submit([this, id] { Finish(id); });
    return;
  }
  if (phase == Phase::kUndeliverable) {
    // On the timer thread and before the delay is over, even one of 0 ms. Also
    // without an observer, which must not change what the threads do.
    timers_.After({}, [this, id] { ReportUndeliverable(id); });
  }
  timers_.After(delay, [this, id, phase] { OnDelayOver(id, phase); });
}

void Core::ReportUndeliverable(CallId id) {
  Packet packet;
  std::string args;
  {
    base::MutexLock lock(&mu_);
    const auto found = FindLocked(id, Phase::kUndeliverable);
    if (found == calls_.end()) return;
    packet = found->second.packet;
    args = std::move(found->second.args);
  }
  packet.fate = Packet::Fate::kUndeliverable;
  packet.bytes = args;
  Report(packet);
}

void Core::OnDelayOver(CallId id, Phase phase) {
  const Phase next =
      phase == Phase::kDelayed ? Phase::kQueued : Phase::kCompleted;
  {
    base::MutexLock lock(&mu_);
    const auto found = FindLocked(id, phase);
    if (found == calls_.end()) return;
    found->second.phase = next;
  }
  Schedule(id, next);
}

void Core::Start(CallId id) {
  // Both are destroyed at the end, when this thread is in no callback any more:
  // a destructor may close ends, even that of the callback.
  RunningCall running;
  CompletedCall lost;
  {
    base::MutexLock lock(&mu_);
    const auto found = FindLocked(id, Phase::kQueued);
    if (found == calls_.end()) return;
    Call& call = found->second;
    running = StartLocked(&call);
    if (!call.reliable && faults_.LosesRequest()) lost = TakeLocked(found);
  }
  Packet& packet = running.packet;
  packet.fate = lost.empty() ? Packet::Fate::kDelivered : Packet::Fate::kLost;
  packet.bytes = running.args;
  Report(packet);
  if (!lost.empty()) return Complete(&lost);
  if (running.dead) PollAt(Clock::now() + kPollInterval, id);
  OnReply(&running, running.server->Dispatch(packet.method, running.args));
}

Core::RunningCall Core::StartLocked(Call* call) {
  call->phase = Phase::kRunning;
  call->started = Clock::now();
  return {.packet = call->packet,
          .end = call->end,
          .args = std::move(call->args),
          .server = std::move(call->server),
          .dead = IsDeadLocked(*call)};
}

void Core::OnReply(RunningCall* running, std::string reply) {
  Packet& packet = running->packet;
  packet.kind = Packet::Kind::kReply;
  packet.fate = Packet::Fate::kRefused;
  packet.bytes = reply;
  bool asks = false;
  CompletedCall completed;
  {
    base::MutexLock lock(&mu_);
    const auto found = FindLocked(packet.call, Phase::kRunning);
    // Else its caller was told, or gave up, while the handler ran.
    if (found != calls_.end()) {
      Call& call = found->second;
      JudgeReplyLocked(call, &packet);
      const bool arrives = packet.fate == Packet::Fate::kDelivered;
      asks = arrives && tap_ && call.callback;
      if (asks || packet.fate == Packet::Fate::kReordered) {
        call.phase = Phase::kReplyDelayed;
        if (asks) call.hold = Hold::kAsking;
        call.outcome = reply;
      } else {
        if (arrives) total_bytes_ += reply.size();
        completed = TakeLocked(found);
      }
    }
  }
  if (asks) return AskTap(packet, running->end);
  Report(packet);
  if (packet.fate == Packet::Fate::kReordered) {
    Schedule(packet.call, Phase::kReplyDelayed, packet.delay);
  }
  if (completed.empty()) return;
  if (packet.fate == Packet::Fate::kDelivered) {
    completed.mapped().outcome = std::move(reply);
  }
  Complete(&completed);
}

void Core::JudgeReplyLocked(const Call& call, Packet* reply) {
  // The order of the draws is part of the behavior: a refused reply draws
  // nothing, a lost one is not considered for reordering.
  if (IsDeadLocked(call)) return;
  if (!call.reliable && faults_.LosesReply()) {
    reply->fate = Packet::Fate::kLost;
  } else if (call.long_reordering && faults_.ReordersReply()) {
    reply->fate = Packet::Fate::kReordered;
    reply->delay = faults_.ReorderingDelay();
  } else {
    reply->fate = Packet::Fate::kDelivered;
  }
}

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

Core::Calls::iterator Core::FindLocked(CallId id, Phase phase) {
  const auto found = calls_.find(id);
  const bool there = found != calls_.end() && found->second.phase == phase;
  return there ? found : calls_.end();
}

bool Core::IsDeadLocked(const Call& call) const {
  return !ends_[call.end].enabled || call.slot->server.get() != call.target;
}

void Core::PollAt(Clock::time_point when, CallId id) {
  timers_.At(when, [this, id] { Poll(id); });
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

void Core::Report(const Packet& packet) const {
  VLOG(3) << "DROP " << packet;
  if (observer_) observer_(packet);
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
