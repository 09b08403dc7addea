// The tap's part in a call: it acts where messages are delayed.
//
// A message at the tap waits in kDelayed or kReplyDelayed without a timer. One
// that is released while the tap still decides is only marked, and the deciding
// thread lets it go: so what the observer is told of a message always comes
// before what follows from it.

#include "labrpc/core.h"

namespace labrpc {

void Core::AskTap(Packet packet, EndId end) {
  const bool is_reply = packet.kind == Packet::Kind::kReply;
  packet.fate = Packet::Fate::kDelivered;
  const Ruling ruling = tap_(packet);
  if (ruling == Ruling::kDuplicate && !is_reply) {
    Send(end, packet.method, std::string(packet.bytes), nullptr);
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

bool Core::Release(CallId id) {
  {
    base::MutexLock lock(&mu_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return false;
    Hold& hold = found->second.hold;
    const bool is_asking = hold == Hold::kAsking;
    if (!is_asking && hold != Hold::kHeld) return false;
    hold = Hold::kReleased;
    if (is_asking) return true;
  }
  Obey(id, Ruling::kPass);
  return true;
}

}  // namespace labrpc
