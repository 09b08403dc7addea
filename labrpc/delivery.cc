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

void Waiter::Set(Outcome outcome) {
  {
    base::MutexLock lock(&mu_);
    outcome_ = std::move(outcome);
    set_ = true;
  }
  is_set_.Signal();
}

Outcome Waiter::Await() {
  base::MutexLock lock(&mu_);
  while (!set_) is_set_.Wait(&mu_);
  return std::move(outcome_);
}

bool Core::Send(EndId end, std::string_view method, std::string args,
                Caller caller) {
  Call call;
  call.end = end;
  call.method = std::string(method);
  call.args = std::move(args);
  call.caller = std::move(caller);
  call.sent = TimerQueue::Clock::now();
  CallId id = 0;
  Phase phase = Phase::kQueued;
  std::chrono::milliseconds delay(0);
  std::optional<Question> question;
  {
    base::MutexLock lock(&mu_);
    if (cleaned_up_ || ends_[end].closed) return false;
    ++total_count_;
    total_bytes_ += static_cast<int64_t>(call.args.size());
    delay = AdmitLocked(&call);
    phase = call.phase;
    id = next_call_++;
    if (tap_ != nullptr && phase != Phase::kUndeliverable) {
      question = {
          RouteLocked(id, call), end, call.method, call.args, phase, delay};
      call.phase = Phase::kHeldRequest;
      call.asking = true;
    }
    calls_.emplace_hint(calls_.end(), id, std::move(call));
  }
  if (question.has_value()) {
    AskAboutRequest(*question);
  } else {
    GoOn(id, phase, delay);
  }
  return true;
}

void Core::GoOn(CallId id, Phase phase, std::chrono::milliseconds delay) {
  if (phase == Phase::kQueued) {
    Submit(id);
    return;
  }
  if (phase == Phase::kUndeliverable) {
    // On the timer thread and before the delay is over, even one of 0 ms. Also
    // when nobody observes: whether somebody does must not change what the
    // threads do.
    timers_.After({}, [this, id] { ReportUndeliverable(id); });
  }
  AwaitDelay(id, delay);
}

std::chrono::milliseconds Core::AdmitLocked(Call* call) {
  const End& end = ends_[call->end];
  call->slot = end.slot;
  if (!end.enabled || end.slot == nullptr || end.slot->server == nullptr) {
    call->phase = Phase::kUndeliverable;
    return faults_.UndeliverableDelay(flags_.long_delays);
  }
  call->server = end.slot->server;
  call->target = end.slot->server.get();
  call->reliable = flags_.reliable;
  call->long_reordering = flags_.long_reordering;
  call->phase = call->reliable ? Phase::kQueued : Phase::kDelayed;
  return call->reliable ? std::chrono::milliseconds(0) : faults_.RequestDelay();
}

void Core::AwaitDelay(CallId id, std::chrono::milliseconds delay) {
  timers_.After(delay, [this, id] { OnDelayOver(id); });
}

void Core::OnDelayOver(CallId id) {
  {
    base::MutexLock lock(&mu_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    Call& call = found->second;
    if (call.phase == Phase::kEnded) return;
    if (call.phase == Phase::kDelayed) {
      call.phase = Phase::kQueued;
    } else {
      if (call.outcome.has_value()) {
        total_bytes_ += static_cast<int64_t>(call.outcome->size());
      }
      call.phase = Phase::kEnded;
    }
  }
  Submit(id);
}

void Core::ReportUndeliverable(CallId id) {
  Route route;
  std::string method;
  std::string args;
  {
    base::MutexLock lock(&mu_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    if (found->second.phase != Phase::kUndeliverable) return;
    if (observer_ == nullptr && !VLOG_IS_ON(3)) return;
    route = RouteLocked(id, found->second);
    method = found->second.method;
    args = found->second.args;
  }
  Report(route, Packet::Kind::kRequest, Packet::Fate::kUndeliverable, method,
         args);
}

void Core::Submit(CallId id) {
  workers_.Submit([this, id] { Work(id); });
}

void Core::Submit(const std::vector<CallId>& ids) {
  for (const CallId id : ids) Submit(id);
}

void Core::Work(CallId id) {
  // Both are destroyed at the end, when this thread is in no callback any more:
  // a destructor may close ends, even that of the callback.
  std::optional<Errand> errand;
  std::optional<Ended> ended;
  {
    base::MutexLock lock(&mu_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    Call& call = found->second;
    if (call.phase == Phase::kEnded) {
      ended = TakeLocked(found, std::move(call.outcome));
    } else if (call.phase == Phase::kQueued) {
      errand = StartLocked(id, &call);
      if (!call.reliable && faults_.LosesRequest()) {
        ended = TakeLocked(found, std::nullopt);
      }
    }
  }
  if (errand.has_value()) {
    const bool lost = ended.has_value();
    Report(errand->route, Packet::Kind::kRequest,
           lost ? Packet::Fate::kLost : Packet::Fate::kDelivered,
           errand->method, errand->args);
    if (!lost) RunHandler(*errand);
  }
  if (ended.has_value()) Tell(&*ended);
}

Core::Errand Core::StartLocked(CallId id, Call* call) {
  call->phase = Phase::kRunning;
  call->started = TimerQueue::Clock::now();
  return {.id = id,
          .route = RouteLocked(id, *call),
          .method = std::move(call->method),
          .args = std::move(call->args),
          .server = std::move(call->server),
          .dead = IsDeadLocked(*call)};
}

void Core::RunHandler(const Errand& errand) {
  if (errand.dead) {
    PollAt(TimerQueue::Clock::now() + kPollInterval, errand.id);
  }
  std::string reply = errand.server->Dispatch(errand.method, errand.args);
  const bool observed = errand.route.observer != nullptr ||
                        errand.route.tap != nullptr || VLOG_IS_ON(3);
  const std::string seen = observed ? reply : std::string();
  Packet::Fate fate = Packet::Fate::kRefused;
  std::chrono::milliseconds delay(0);
  std::optional<Ended> ended;
  bool asks = false;
  {
    base::MutexLock lock(&mu_);
    const auto found = calls_.find(errand.id);
    // Gone, or ended: the caller was told, or gave up, while the handler ran.
    if (found != calls_.end() && found->second.phase == Phase::kRunning) {
      fate = JudgeReplyLocked(found->second);
      if (fate == Packet::Fate::kReordered) {
        found->second.phase = Phase::kReordered;
        found->second.outcome = std::move(reply);
        delay = faults_.ReorderingDelay();
      } else if (fate == Packet::Fate::kDelivered &&
                 errand.route.tap != nullptr) {
        found->second.phase = Phase::kHeldReply;
        found->second.asking = true;
        found->second.outcome = std::move(reply);
        asks = true;
      } else if (fate == Packet::Fate::kDelivered) {
        total_bytes_ += static_cast<int64_t>(reply.size());
        ended = TakeLocked(found, std::move(reply));
      } else {
        ended = TakeLocked(found, std::nullopt);
      }
    }
  }
  if (asks) {
    AskAboutReply(errand, seen);
    return;
  }
  Report(errand.route, Packet::Kind::kReply, fate, errand.method, seen, delay);
  if (fate == Packet::Fate::kReordered) AwaitDelay(errand.id, delay);
  if (ended.has_value()) Tell(&*ended);
}

void Core::PollAt(TimerQueue::Clock::time_point when, CallId id) {
  timers_.At(when, [this, id] { Poll(id); });
}

void Core::Poll(CallId id) {
  {
    base::MutexLock lock(&mu_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    Call& call = found->second;
    if (call.phase != Phase::kRunning || !IsDeadLocked(call)) return;
    call.phase = Phase::kEnded;
  }
  Submit(id);
}

bool Core::IsDeadLocked(const Call& call) const {
  return !ends_[call.end].enabled || call.slot->server.get() != call.target;
}

Packet::Fate Core::JudgeReplyLocked(const Call& call) {
  // The order of the draws is part of the behaviour: a refused reply draws
  // nothing, a lost one is not considered for reordering.
  if (IsDeadLocked(call)) return Packet::Fate::kRefused;
  if (!call.reliable && faults_.LosesReply()) return Packet::Fate::kLost;
  if (call.long_reordering && faults_.ReordersReply()) {
    return Packet::Fate::kReordered;
  }
  return Packet::Fate::kDelivered;
}

Core::Ended Core::TakeLocked(Calls::iterator call, Outcome outcome) {
  if (call->second.caller.callback) ++ends_[call->second.end].running;
  return {.call = calls_.extract(call), .outcome = std::move(outcome)};
}

void Core::Tell(Ended* ended) {
  const Call& call = ended->call.mapped();
  if (call.caller.waiter != nullptr) {
    call.caller.waiter->Set(std::move(ended->outcome));
    return;
  }
  if (!call.caller.callback) return;
  running_callback = {this, call.end};
  call.caller.callback(std::move(ended->outcome));
  running_callback = {};

  base::MutexLock lock(&mu_);
  End& end = ends_[call.end];
  --end.running;
  if (end.closed && end.running == 0) callbacks_returned_.SignalAll();
}

void Core::Close(EndId end) {
  CHECK(running_callback.core != this || running_callback.end != end)
      << "Close() would wait for the callback that calls it";
  std::vector<Call> given_up;  // destroyed without the lock
  {
    base::MutexLock lock(&mu_);
    ends_[end].closed = true;
    for (auto it = calls_.begin(); it != calls_.end();) {
      const auto call = it++;
      if (call->second.end != end) continue;
      given_up.push_back(std::move(call->second));
      calls_.erase(call);
    }
  }
  for (const Call& call : given_up) {
    if (call.caller.waiter != nullptr) call.caller.waiter->Set(std::nullopt);
  }
  base::MutexLock lock(&mu_);
  while (ends_[end].running > 0) callbacks_returned_.Wait(&mu_);
}

Core::Route Core::RouteLocked(CallId id, const Call& call) const {
  Route route;
  if (observer_ != nullptr) route.observer = &observer_;
  const bool has_caller =
      call.caller.callback != nullptr || call.caller.waiter != nullptr;
  if (tap_ != nullptr && has_caller) route.tap = &tap_;
  route.call = id;
  route.sent = call.sent;
  route.end = ends_[call.end].name;
  if (call.slot != nullptr) route.server = call.slot->name;
  return route;
}

Packet Core::MakePacket(const Route& route, Packet::Kind kind,
                        Packet::Fate fate, std::string_view method,
                        std::string_view bytes,
                        std::chrono::milliseconds delay) {
  return {.kind = kind,
          .fate = fate,
          .call = route.call,
          .sent = route.sent,
          .end = route.end,
          .server = route.server,
          .method = method,
          .bytes = bytes,
          .delay = delay};
}

void Core::Report(const Route& route, Packet::Kind kind, Packet::Fate fate,
                  std::string_view method, std::string_view bytes,
                  std::chrono::milliseconds delay) {
  const Packet packet = MakePacket(route, kind, fate, method, bytes, delay);
  VLOG(3) << "DROP " << packet;
  if (route.observer != nullptr) (*route.observer)(packet);
}

}  // namespace labrpc
