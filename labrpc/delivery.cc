// One call on its way: admission, delays and losses, the tap, the handler, the
// verdict on its reply.

#include <utility>

#include "base/logging.h"
#include "labrpc/core.h"

namespace labrpc {

namespace {

// The arguments, for those that look at a packet: copied to `flat` if they do
// not lie in one piece.
std::string_view Shown(const rpc::Frame& args, std::string* flat) {
  if (args.rest.empty()) return args.head;
  *flat = rpc::Frame(args).ToString();
  return *flat;
}

}  // namespace

void Core::Send(EndId end, std::string_view method, rpc::Frame args,
                Callback callback) {
  Call call;
  call.packet.sent = Clock::now();
  call.packet.is_duplicate = callback == nullptr;
  call.end = end;
  call.args = std::move(args);
  call.callback = std::move(callback);
  Packet packet;
  Phase phase{};
  Milliseconds delay(0);
  rpc::Frame shown;  // the call may be gone before the tap has decided
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
    std::string flat;
    packet.bytes = Shown(shown, &flat);
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
  // When the tap lets it go, it will be decided again.
  if (call->hold == Hold::kAsking) return {};
  call->server = end.slot->server;
  call->target = end.slot->server.get();
  call->flags = flags_;
  call->phase = flags_.reliable ? Phase::kQueued : Phase::kDelayed;
  return flags_.reliable ? Milliseconds(0) : faults_.RequestDelay();
}

void Core::Schedule(CallId id, Phase phase, Milliseconds delay) {
  switch (phase) {
    case Phase::kQueued:
      return workers_.Submit([this, id] { Start(id); });
    case Phase::kCompleted:
      return workers_.Submit([this, id] { Finish(id); });
    case Phase::kUndeliverable:
      // On the timer thread and before the delay is over, even one of 0 ms.
      // Also without an observer: it must not change what the threads do.
      timers_.After({}, [this, id] { ReportUndeliverable(id); });
      [[fallthrough]];
    default:
      timers_.After(delay, [this, id, phase] { MoveOn(id, phase); });
  }
}

void Core::ReportUndeliverable(CallId id) {
  Packet packet;
  rpc::Frame args;
  {
    base::MutexLock lock(&mu_);
    const auto found = FindLocked(id, Phase::kUndeliverable);
    if (found == calls_.end()) return;
    packet = found->second.packet;
    args = std::move(found->second.args);
  }
  packet.fate = Packet::Fate::kUndeliverable;
  std::string flat;
  packet.bytes = Shown(args, &flat);
  Report(packet);
}

// What the call waited for in that phase is over: a delay, or its handler,
// which has dropped the responder.
void Core::MoveOn(CallId id, Phase phase) {
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

void Core::AskTap(Packet packet, EndId end) {
  const bool is_reply = packet.kind == Packet::Kind::kReply;
  packet.fate = Packet::Fate::kDelivered;
  const Ruling ruling = tap_(packet);
  if (ruling == Ruling::kDuplicate && !is_reply) {
    Send(end, packet.method, {std::string(packet.bytes), {}}, nullptr);
  }
  if (ruling == Ruling::kDrop) packet.fate = Packet::Fate::kLost;
  if (ruling == Ruling::kHold) packet.fate = Packet::Fate::kReordered;
  // What becomes of a request that goes on is still to be decided.
  if (is_reply || ruling == Ruling::kDrop) Report(packet);
  Obey(packet.call, ruling);
}

void Core::Obey(CallId id, Ruling ruling) {
  Phase phase{};
  Milliseconds delay(0);
  {
    base::MutexLock lock(&mu_);
    const auto found = calls_.find(id);
    if (found == calls_.end() || found->second.hold == Hold::kNo) return;
    Call& call = found->second;
    if (ruling == Ruling::kHold && call.hold == Hold::kAsking) {
      call.hold = Hold::kHeld;
      return;
    }
    call.hold = Hold::kNo;
    if (ruling == Ruling::kDrop) {
      FailLocked(&call);
    } else if (call.phase == Phase::kDelayed) {
      delay = AdmitLocked(&call);
    } else {
      call.phase = Phase::kCompleted;
    }
    phase = call.phase;
  }
  Schedule(id, phase, delay);
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
    call.phase = Phase::kRunning;
    call.started = Clock::now();
    const bool dead = IsDeadLocked(call);
    // Until the dead check no other server may have the address of this one.
    running = {.packet = call.packet,
               .end = call.end,
               .args = std::move(call.args),
               .server = dead ? call.server : std::move(call.server),
               .dead = dead};
    if (!call.flags.reliable && faults_.LosesRequest()) {
      lost = TakeLocked(found);
    }
  }
  Packet& packet = running.packet;
  packet.fate = lost.empty() ? Packet::Fate::kDelivered : Packet::Fate::kLost;
  std::string flat;
  if (IsObserved()) packet.bytes = Shown(running.args, &flat);
  Report(packet);
  if (!lost.empty()) return Complete(&lost);
  if (running.dead) timers_.After(kPollInterval, [this, id] { Poll(id); });
  Outcome reply = running.server->Dispatch(packet.method, running.args, [&] {
    return AnswerLater(packet, running.end);
  });
  if (reply.has_value()) OnReply(&packet, running.end, *std::move(reply));
}

// The answer goes on from a worker, since locks may be held where it is given;
// after Cleanup() it goes nowhere. It keeps the core, but not the server, which
// may own what has to answer.
rpc::RespondBytes Core::AnswerLater(Packet packet, EndId end) {
  return [core = shared_from_this(), packet, end](Outcome reply) {
    core->workers_.Submit(
        [core = core.get(), packet, end, reply = std::move(reply)]() mutable {
          if (!reply.has_value()) {
            return core->MoveOn(packet.call, Phase::kRunning);
          }
          core->OnReply(&packet, end, *std::move(reply));
        });
  };
}

void Core::OnReply(Packet* request, EndId end, std::string reply) {
  Packet& packet = *request;
  packet.kind = Packet::Kind::kReply;
  packet.fate = Packet::Fate::kRefused;
  packet.bytes = reply;
  bool asks = false;
  CompletedCall completed;
  {
    base::MutexLock lock(&mu_);
    const auto found = FindLocked(packet.call, Phase::kRunning);
    // Otherwise the call ended while the handler ran.
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
  if (asks) return AskTap(packet, end);
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
  if (!call.flags.reliable && faults_.LosesReply()) {
    reply->fate = Packet::Fate::kLost;
  } else if (call.flags.long_reordering && faults_.ReordersReply()) {
    reply->fate = Packet::Fate::kReordered;
    reply->delay = faults_.ReorderingDelay();
  } else {
    reply->fate = Packet::Fate::kDelivered;
  }
}

Core::Calls::iterator Core::FindLocked(CallId id, Phase phase) {
  const auto found = calls_.find(id);
  const bool there = found != calls_.end() && found->second.phase == phase;
  return there ? found : calls_.end();
}

// Whether anything looks at the packets that Report() gets.
bool Core::IsObserved() const { return observer_ != nullptr || VLOG_IS_ON(3); }

void Core::Report(const Packet& packet) const {
  VLOG(3) << "DROP " << packet;
  if (observer_) observer_(packet);
}

}  // namespace labrpc
