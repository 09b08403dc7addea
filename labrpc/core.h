// The inside of a network, shared by the Network and all of its ends.
//
// core.cc keeps the registry (who leads where, what is switched on) and ends
// things: Close, Cleanup. delivery.cc takes one call from its caller to its
// outcome, tapping.cc asks the tap on its way. Use network.h; nothing else
// includes this file.
//
// A call under way is an entry of calls_ from its admission until somebody
// takes it out, under mu_, together with the duty to tell the caller. Timers
// and tasks know only its number: one that finds no entry, or one in another
// phase, does nothing. That is how a call ends exactly once, and why neither a
// timer nor a queue ever keeps a caller's closure or a server alive.
//
// Thread safety: safe. mu_ is held for look-ups and state changes only: no
// handler, callback, observer, tap or foreign destructor runs under it, and it
// is never held while another lock of the network's is taken. Invariants:
// nothing is added to calls_ after Cleanup; an entry in phase kEnded has a task
// that will take it out.

#ifndef LABRPC_CORE_H_
#define LABRPC_CORE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "labrpc/faults.h"
#include "labrpc/packet.h"
#include "labrpc/server.h"
#include "labrpc/tap.h"
#include "labrpc/timer_queue.h"
#include "labrpc/worker_pool.h"

namespace labrpc {

using EndId = size_t;     // index into Core::ends_; never used again
using CallId = uint64_t;  // in the order of admission

// What an encoded call yields: the encoded reply, or nothing.
using Outcome = std::optional<std::string>;

// Where the thread of a blocking call waits for the outcome.
class Waiter {
 public:
  void Set(Outcome outcome) ABSL_LOCKS_EXCLUDED(mu_);
  Outcome Await() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  base::Mutex mu_;
  base::CondVar is_set_;
  bool set_ ABSL_GUARDED_BY(mu_) = false;
  Outcome outcome_ ABSL_GUARDED_BY(mu_);
};

// Who is to be told the outcome; one of the two is set, or none for a message
// that the tap has duplicated.
struct Caller {
  std::function<void(Outcome)> callback = nullptr;
  std::shared_ptr<Waiter> waiter = nullptr;
};

class Core {
 public:
  explicit Core(base::Random random) : faults_(random) {}
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // The registry. As in network.h.
  EndId MakeEnd(const std::string& name) ABSL_LOCKS_EXCLUDED(mu_);
  void DeleteEnd(const std::string& name) ABSL_LOCKS_EXCLUDED(mu_);
  void Connect(const std::string& end_name, const std::string& server_name)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Enable(const std::string& end_name, bool enabled)
      ABSL_LOCKS_EXCLUDED(mu_);
  // A null `server` takes the name's server away.
  void SetServer(const std::string& name, std::shared_ptr<Server> server)
      ABSL_LOCKS_EXCLUDED(mu_);
  void SetObserver(Observer observer) ABSL_LOCKS_EXCLUDED(mu_);
  void SetTap(Tap tap) ABSL_LOCKS_EXCLUDED(mu_);
  int64_t GetCount(const std::string& server_name) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // What happens to messages, and how many there were.
  struct Flags {
    bool reliable = true;
    bool long_delays = false;
    bool long_reordering = false;
  };
  Flags GetFlags() const ABSL_LOCKS_EXCLUDED(mu_);
  void SetFlag(bool Flags::*flag, bool value) ABSL_LOCKS_EXCLUDED(mu_);
  int64_t GetTotalCount() const ABSL_LOCKS_EXCLUDED(mu_);
  int64_t GetTotalBytes() const ABSL_LOCKS_EXCLUDED(mu_);

  // Starts a call; `caller` will be told. Returns false, having dropped
  // `caller`, if the end is closed or the network cleaned up.
  bool Send(EndId end, std::string_view method, std::string args, Caller caller)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Network::Release().
  bool Release(CallId id) ABSL_LOCKS_EXCLUDED(mu_);

  // ClientEnd::Close().
  void Close(EndId end) ABSL_LOCKS_EXCLUDED(mu_);

  // Network::Cleanup().
  void Cleanup() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // A server name that was mentioned. Ends and calls point to it: it stays, at
  // its place, as long as the core.
  struct Slot {
    std::string name;
    std::shared_ptr<Server> server;  // null: deleted, or not yet added
  };

  struct End {
    std::string name;
    bool enabled = false;
    bool closed = false;
    Slot* slot = nullptr;  // where it leads; null: not connected
    int running = 0;       // callbacks that run now
  };

  // Who moves a call out of a phase stands behind it.
  enum class Phase {
    kHeldRequest,    // the tap is being asked, or holds it: whoever releases it
    kDelayed,        // on its way to the server: a timer
    kQueued,         // at the server: a worker
    kRunning,        // its handler runs: that worker; who finds it dead
    kHeldReply,      // as kHeldRequest
    kReordered,      // its reply waits out a long delay: a timer
    kUndeliverable,  // its caller waits for nothing: a timer
    kEnded,          // the outcome is known: a worker
  };

  struct Call {
    EndId end = 0;
    std::string method;
    std::string args;
    Caller caller;
    TimerQueue::Clock::time_point sent{};
    Phase phase = Phase::kUndeliverable;

    // What the network was like when the call was admitted; only this counts
    // for it later. `server` goes to the worker that runs the handler, `target`
    // stays, to tell whether the slot still holds that object.
    Slot* slot = nullptr;
    std::shared_ptr<Server> server = nullptr;
    const Server* target = nullptr;
    bool reliable = true;
    bool long_reordering = false;

    TimerQueue::Clock::time_point started{};  // the handler
    Outcome outcome{};  // in kHeldReply, kReordered and kEnded

    // In kHeldRequest and kHeldReply.
    bool asking = false;    // the tap is deciding now
    bool released = false;  // meanwhile somebody has let it go
  };
  using Calls = std::map<CallId, Call>;

  // While a handler runs, the dead check is made each time that so much time
  // has passed. A timer is set only when there is something to find.
  static constexpr std::chrono::milliseconds kPollInterval{100};

  // What a report on a message needs and a call's entry may no longer hold. The
  // names live as long as the core.
  struct Route {
    const Observer* observer = nullptr;  // null: none
    const Tap* tap = nullptr;            // null: none, or not for this call
    CallId call = 0;
    TimerQueue::Clock::time_point sent{};
    std::string_view end;
    std::string_view server;
  };

  // A request that the tap is to be asked about, and how it would go on.
  struct Question {
    Route route;
    EndId end;
    std::string method;
    std::string args;
    Phase next;
    std::chrono::milliseconds delay;
  };

  // A worker's share of a call while it runs the handler.
  struct Errand {
    CallId id;
    Route route;
    std::string method;
    std::string args;
    std::shared_ptr<Server> server;
    bool dead;  // the dead check found something before it began
  };

  // A call taken out of calls_, whose caller is to be told. It still owns all
  // that the entry owned, to be destroyed without mu_.
  struct Ended {
    Calls::node_type call;
    Outcome outcome;
  };

  // Registry helpers.
  End& FindEndLocked(const std::string& name, const char* operation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Slot* SlotLocked(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PollRunningCalls(EndId end) ABSL_LOCKS_EXCLUDED(mu_);

  // The time line of a call, in order; delivery.cc.
  std::chrono::milliseconds AdmitLocked(Call* call)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void GoOn(CallId id, Phase phase, std::chrono::milliseconds delay);
  void AwaitDelay(CallId id, std::chrono::milliseconds delay);
  void OnDelayOver(CallId id) ABSL_LOCKS_EXCLUDED(mu_);
  void ReportUndeliverable(CallId id) ABSL_LOCKS_EXCLUDED(mu_);
  // Has a worker do what comes next for the call: Work().
  void Submit(CallId id) ABSL_LOCKS_EXCLUDED(mu_);
  void Submit(const std::vector<CallId>& ids) ABSL_LOCKS_EXCLUDED(mu_);
  void Work(CallId id) ABSL_LOCKS_EXCLUDED(mu_);
  Errand StartLocked(CallId id, Call* call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RunHandler(const Errand& errand) ABSL_LOCKS_EXCLUDED(mu_);
  void PollAt(TimerQueue::Clock::time_point when, CallId id);
  void Poll(CallId id) ABSL_LOCKS_EXCLUDED(mu_);
  bool IsDeadLocked(const Call& call) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Packet::Fate JudgeReplyLocked(const Call& call)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Ended TakeLocked(Calls::iterator call, Outcome outcome)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Tell(Ended* ended) ABSL_LOCKS_EXCLUDED(mu_);

  // tapping.cc
  void AskAboutRequest(const Question& question) ABSL_LOCKS_EXCLUDED(mu_);
  void Duplicate(const Question& question) ABSL_LOCKS_EXCLUDED(mu_);
  void AskAboutReply(const Errand& errand, std::string_view reply)
      ABSL_LOCKS_EXCLUDED(mu_);
  bool KeepHolding(CallId id) ABSL_LOCKS_EXCLUDED(mu_);
  void DropHeld(CallId id) ABSL_LOCKS_EXCLUDED(mu_);

  Route RouteLocked(CallId id, const Call& call) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static Packet MakePacket(const Route& route, Packet::Kind kind,
                           Packet::Fate fate, std::string_view method,
                           std::string_view bytes,
                           std::chrono::milliseconds delay = {});
  static void Report(const Route& route, Packet::Kind kind, Packet::Fate fate,
                     std::string_view method, std::string_view bytes,
                     std::chrono::milliseconds delay = {});

  TimerQueue timers_;
  WorkerPool workers_{&timers_};

  mutable base::Mutex mu_;
  base::CondVar callbacks_returned_;  // of an end that is closed

  Faults faults_ ABSL_GUARDED_BY(mu_);
  Flags flags_ ABSL_GUARDED_BY(mu_);
  bool cleaned_up_ ABSL_GUARDED_BY(mu_) = false;  // for good
  Observer observer_
      ABSL_GUARDED_BY(mu_);       // never changes once there are calls
  Tap tap_ ABSL_GUARDED_BY(mu_);  // nor does this

  // Elements of both keep their places: reports read names without the lock.
  std::map<std::string, Slot> slots_ ABSL_GUARDED_BY(mu_);
  std::deque<End> ends_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, EndId> end_ids_ ABSL_GUARDED_BY(mu_);

  Calls calls_ ABSL_GUARDED_BY(mu_);
  CallId next_call_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t total_count_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t total_bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace labrpc

#endif  // LABRPC_CORE_H_
