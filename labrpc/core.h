// The inside of a network, shared by the Network and its ends: the registry of
// ends and servers, and the calls in progress. Use network.h.
//
// A call in progress is an entry of calls_ from its admission until a thread
// takes it out, under mu_, together with the duty to complete it. Timers and
// tasks know only its number and the phase it was in: one that does not find it
// there does nothing. That is how a call completes exactly once, and why
// neither a timer nor a queue keeps a callback or a server alive.
//
// Thread safety: safe. mu_ is held for lookups and state changes only: no
// handler, callback, observer, tap or foreign destructor runs under it, and it
// is never held while another lock of the network is taken.
// Invariants: nothing is added to calls_ after Cleanup; an entry in phase
// kCompleted has a task that will take it out.

#ifndef LABRPC_CORE_H_
#define LABRPC_CORE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/random.h"
#include "labrpc/faults.h"
#include "labrpc/packet.h"
#include "labrpc/server.h"
#include "labrpc/tap.h"
#include "labrpc/timer_queue.h"
#include "labrpc/worker_pool.h"

namespace labrpc {

using EndId = size_t;     // index into Core::ends_; never reused
using CallId = uint64_t;  // in the order of admission

// What an encoded call yields: the encoded reply, or nothing.
using Outcome = std::optional<std::string>;

// Receives the outcome; dropped, without being run, if the end is closed first.
using Callback = std::function<void(Outcome)>;

class Core : public std::enable_shared_from_this<Core> {
 public:
  explicit Core(base::Random random) : faults_(random) {}

  // Starts a call; drops `callback` if the end is closed or the network cleaned
  // up. Without a callback it is a duplicate, uncounted and unseen by the tap.
  void Send(EndId end, std::string_view method, rpc::Frame args,
            Callback callback) EXCLUDES(mu_);

  // ClientEnd::Close().
  void Close(EndId end) EXCLUDES(mu_);

 private:
  friend class Network;

  using Clock = TimerQueue::Clock;
  using Milliseconds = std::chrono::milliseconds;

  // What happens to messages.
  struct Flags {
    bool reliable = true;
    bool long_delays = false;
    bool long_reordering = false;
  };

  // A server name that was mentioned.
  struct Slot {
    std::string name;
    std::shared_ptr<Server> server;  // null: deleted, or not yet added
  };

  struct End {
    std::string name;
    bool enabled = false;
    bool closed = false;
    Slot* slot = nullptr;  // where it leads; null: not connected
    int running = 0;       // its callbacks that run now
  };

  // In brackets what moves a call on.
  enum class Phase {
    kDelayed,        // on its way to the server [timer, tap]
    kQueued,         // at the server [worker]
    kRunning,        // to be answered by the handler [worker, dead check]
    kReplyDelayed,   // on its way to the caller [timer, tap]
    kUndeliverable,  // never arrives; its caller waits [timer]
    kCompleted,      // the outcome is known [worker]
  };

  // The tap acts where messages are delayed: one that it holds has no timer. A
  // release while it still decides is left to the deciding thread, so that what
  // the observer is told of a message comes before what follows from it.
  enum class Hold { kNo, kAsking, kReleased, kHeld };

  struct Call {
    Packet packet{};  // the part that all reports on this call share
    EndId end = 0;
    rpc::Frame args;
    Callback callback;
    Phase phase = Phase::kDelayed;
    Hold hold = Hold::kNo;

    // What the network was like when the call was admitted; only this counts
    // for it later. `server` goes to the worker that runs the handler, `target`
    // stays, to tell whether the slot still holds that object.
    Flags flags;
    Slot* slot = nullptr;
    std::shared_ptr<Server> server;
    const Server* target = nullptr;

    Clock::time_point started{};  // the handler
    Outcome outcome;              // in kReplyDelayed and kCompleted
  };
  using Calls = std::map<CallId, Call>;
  // One taken out, to be completed, and destroyed, without mu_.
  using CompletedCall = Calls::node_type;

  // A call whose handler runs, as its worker sees it.
  struct RunningCall {
    Packet packet;
    EndId end;
    rpc::Frame args;
    std::shared_ptr<Server> server;
    bool dead;  // the dead check failed before the handler began
  };

  static constexpr Milliseconds kPollInterval{100};  // of the dead check

  // The registry; network.cc.
  EndId FindEndLocked(const std::string& name, const char* operation)
      REQUIRES(mu_);
  Slot* SlotLocked(const std::string& name) REQUIRES(mu_);

  // The timeline of a call, in order; delivery.cc.
  std::string_view InternLocked(std::string_view method) REQUIRES(mu_);
  Milliseconds AdmitLocked(Call* call) REQUIRES(mu_);
  void AskTap(Packet packet, EndId end) EXCLUDES(mu_);
  void Obey(CallId id, Ruling ruling) EXCLUDES(mu_);
  void Schedule(CallId id, Phase phase, Milliseconds delay = {});
  void ReportUndeliverable(CallId id) EXCLUDES(mu_);
  void MoveOn(CallId id, Phase phase) EXCLUDES(mu_);
  void Start(CallId id) EXCLUDES(mu_);
  rpc::RespondBytes AnswerLater(Packet packet, EndId end);
  void OnReply(Packet* request, EndId end, std::string reply) EXCLUDES(mu_);
  void JudgeReplyLocked(const Call& call, Packet* reply) REQUIRES(mu_);
  bool IsObserved() const;
  void Report(const Packet& packet) const;
  // The call if it is in that phase, else the end of calls_.
  Calls::iterator FindLocked(CallId id, Phase phase) REQUIRES(mu_);

  // How it ends; completion.cc.
  void Finish(CallId id) EXCLUDES(mu_);
  CompletedCall TakeLocked(Calls::iterator call) REQUIRES(mu_);
  void Complete(CompletedCall* completed) EXCLUDES(mu_);
  void FailLocked(Call* call) REQUIRES(mu_);
  void SetServer(const std::string& name, std::shared_ptr<Server> server)
      EXCLUDES(mu_);
  void PollRunningCalls(EndId end) EXCLUDES(mu_);
  void Poll(CallId id) EXCLUDES(mu_);
  bool IsDeadLocked(const Call& call) const REQUIRES(mu_);

  TimerQueue timers_;
  WorkerPool workers_{&timers_};

  // Set before the first call, constant from then on.
  Observer observer_;
  Tap tap_;

  mutable base::Mutex mu_;
  base::CondVar callbacks_returned_;  // of an end that is closed

  Faults faults_ ABSL_GUARDED_BY(mu_);
  Flags flags_ ABSL_GUARDED_BY(mu_);
  bool cleaned_up_ ABSL_GUARDED_BY(mu_) = false;  // for good

  // Elements of these keep their places: packets refer to names.
  std::map<std::string, Slot> slots_ ABSL_GUARDED_BY(mu_);
  std::deque<End> ends_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, EndId> end_ids_ ABSL_GUARDED_BY(mu_);
  std::set<std::string, std::less<>> methods_ ABSL_GUARDED_BY(mu_);

  Calls calls_ ABSL_GUARDED_BY(mu_);
  CallId next_call_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t total_count_ ABSL_GUARDED_BY(mu_) = 0;
  size_t total_bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace labrpc

#endif  // LABRPC_CORE_H_
