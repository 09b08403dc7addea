// The tap's part in a call: it is asked, and what it holds is kept and
// released.
//
// While it decides, the call waits in kHeldRequest or kHeldReply with `asking`
// set. A release that comes so early is only noted, and the asking thread goes
// on with the call itself: so what the observer is told of a message always
// comes before what follows from it.

#include <utility>

#include "labrpc/core.h"

namespace labrpc {

void Core::AskAboutRequest(const Question& question) {
  const CallId id = question.route.call;
  switch ((*question.route.tap)(
      MakePacket(question.route, Packet::Kind::kRequest,
                 Packet::Fate::kDelivered, question.method, question.args))) {
    case Ruling::kDrop:
      Report(question.route, Packet::Kind::kRequest, Packet::Fate::kLost,
             question.method, question.args);
      DropHeld(id);
      return;
    case Ruling::kHold:
      if (!KeepHolding(id)) Release(id);
      return;
    case Ruling::kDuplicate:
      Duplicate(question);
      break;
    case Ruling::kPass:
      break;
  }
  {
    base::MutexLock lock(&mu_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    if (found->second.phase != Phase::kHeldRequest) return;
    found->second.phase = question.next;
    found->second.asking = false;
  }
  GoOn(id, question.next, question.delay);
}

// Sends the request once more, as a call of nobody's.
void Core::Duplicate(const Question& question) {
  Call call;
  call.end = question.end;
  call.method = question.method;
  call.args = question.args;
  call.sent = question.route.sent;
  CallId id = 0;
  Phase phase = Phase::kQueued;
  std::chrono::milliseconds delay(0);
  {
    base::MutexLock lock(&mu_);
    if (cleaned_up_ || ends_[question.end].closed) return;
    delay = AdmitLocked(&call);
    phase = call.phase;
    id = next_call_++;
    calls_.emplace_hint(calls_.end(), id, std::move(call));
  }
  GoOn(id, phase, delay);
}

void Core::AskAboutReply(const Errand& errand, std::string_view reply) {
  const auto report = [&errand, reply](Packet::Fate fate) {
    Report(errand.route, Packet::Kind::kReply, fate, errand.method, reply);
  };
  switch ((*errand.route.tap)(MakePacket(errand.route, Packet::Kind::kReply,
                                         Packet::Fate::kDelivered,
                                         errand.method, reply))) {
    case Ruling::kDrop:
      report(Packet::Fate::kLost);
      DropHeld(errand.id);
      return;
    case Ruling::kHold:
      report(Packet::Fate::kReordered);
      if (!KeepHolding(errand.id)) Release(errand.id);
      return;
    case Ruling::kPass:
    case Ruling::kDuplicate:
      break;
  }
  report(Packet::Fate::kDelivered);
  KeepHolding(errand.id);
  Release(errand.id);
}

// Ends the asking: from now on Release() lets the message go on. Returns false
// if it has been called already.
bool Core::KeepHolding(CallId id) {
  std::shared_ptr<Server> server;  // a message on hold keeps no server alive
  base::MutexLock lock(&mu_);
  const auto found = calls_.find(id);
  if (found == calls_.end() || !found->second.asking) return true;
  found->second.asking = false;
  server.swap(found->second.server);
  return !found->second.released;
}

bool Core::Release(CallId id) {
  Phase phase = Phase::kEnded;
  std::chrono::milliseconds delay(0);
  {
    base::MutexLock lock(&mu_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return false;
    Call& call = found->second;
    if (call.phase != Phase::kHeldRequest && call.phase != Phase::kHeldReply) {
      return false;
    }
    if (call.asking) {
      call.released = true;
      return true;
    }
    if (call.phase == Phase::kHeldRequest) {
      delay = AdmitLocked(&call);
      phase = call.phase;
    } else {
      total_bytes_ += static_cast<int64_t>(call.outcome->size());
      call.phase = Phase::kEnded;
    }
  }
  if (phase == Phase::kEnded) {
    Submit(id);
  } else {
    GoOn(id, phase, delay);
  }
  return true;
}

// The caller gets nothing.
void Core::DropHeld(CallId id) {
  {
    base::MutexLock lock(&mu_);
    const auto found = calls_.find(id);
    if (found == calls_.end() || !found->second.asking) return;
    if (found->second.phase == Phase::kEnded) return;  // by Cleanup()
    found->second.asking = false;
    found->second.outcome.reset();
    found->second.phase = Phase::kEnded;
  }
  Submit(id);
}

}  // namespace labrpc
