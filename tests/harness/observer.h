// What can be seen of a group of Raft servers from outside, event by event.
//
// The oracle, the recorder and every other view of a run implement this; a
// group tells them in the order of its list (observers.h).
//
// An event may be reported later than it happened: threads run on in between.
// Only this order is certain: a request is reported before its handler runs; a
// reply when the handler has returned and before the caller gets it; a save
// before it returns, or, on a slow disk, before anything learns that it is
// durable.
//
// Thread safety: events come from many threads at once, some under a lock of
// the server that causes them. An implementation takes base/spin_lock.h and no
// other lock, so that observing changes no simulated run, and blocks on
// nothing.

#ifndef TESTS_HARNESS_OBSERVER_H_
#define TESTS_HARNESS_OBSERVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/rope.h"
#include "raft/types.h"
#include "tests/harness/disk.h"
#include "tests/harness/failure.h"
#include "tests/harness/message.h"

namespace harness {

// A step of a test: a check that takes time, a wait, an agreement.
struct StepEvent {
  uint64_t number = 0;    // counts the steps of the process
  bool is_begin = false;  // otherwise it ends
  std::string_view name;  // "Agree"
  std::string_view text;  // "100 on 3 servers"; empty at its end
  Place place;
};

// An operation of a client of the service that runs on the servers: it begins,
// or it has returned. One that is given up never returns.
struct OperationEvent {
  int client = 0;
  size_t number = 0;  // its place in the history
  std::chrono::steady_clock::time_point time;
  bool is_begin = false;
  std::string_view kind;  // "append"
  std::string_view key;
  std::optional<std::string_view> value = {};  // that it writes
  std::optional<uint64_t> version = {};        // that it replaces
  // If it has returned: "OK", "ErrVersion"; what it has read.
  std::string_view answer = {};
  std::optional<std::string_view> result = {};
  std::optional<uint64_t> result_version = {};
};

// The controller of a sharded service has a new configuration.
struct ConfigEvent {
  int64_t num = 0;
  std::vector<int64_t> shards = {};  // the group of each; 0: none
  std::vector<int64_t> groups = {};
};

// What a server of such a service knows of its group's shards has changed.
struct ShardsEvent {
  int64_t config = 0;  // the group is at
  std::vector<int> served = {};
  std::vector<int> to_confirm = {};  // served too; the old group has a copy yet
  std::vector<int> coming = {};
  std::vector<int> leaving = {};  // copies of earlier ones
};

// What was done is not linearizable. Operations are numbers of OperationEvents.
struct HistoryEvent {
  std::string_view text;  // says why; several lines
  std::string_view key = {};
  // With what had been called when this one returned, it cannot be put in
  // order.
  std::optional<size_t> first_impossible = {};
  std::vector<size_t> counterexample = {};  // these cannot, without others
  std::vector<size_t> window = {};          // in progress then
};

// The text of a command; empty if it is none of that service.
using ShowCommand = std::string (*)(std::string_view command);

class ClusterObserver {
 public:
  virtual ~ClusterObserver() = default;

  // A server starts: before anything else is seen of that incarnation. It ends
  // when no other server can hear from it any more, before its disk is copied.
  virtual void OnIncarnationBegin(raft::ServerId /*server*/,
                                  int /*incarnation*/) {}
  virtual void OnIncarnationEnd(raft::ServerId /*server*/) {}

  // A message between two servers, when its fate is known.
  virtual void OnMessage(const Message& /*message*/) {}

  // That incarnation saved this, or found it when it started; nothing if the
  // bytes do not decode. Not called unless CanReadDisks().
  virtual void OnSave(raft::ServerId /*server*/, int /*incarnation*/,
                      const std::optional<DiskState>& /*state*/) {}

  // A flush of that incarnation's slow disk has ended, and what OnSave() has
  // told since the flush before is durable by it.
  virtual void OnFlush(raft::ServerId /*server*/, int /*incarnation*/,
                       std::chrono::microseconds /*took*/) {}

  // A command or a snapshot that the server delivers.
  virtual void OnApply(raft::ServerId /*server*/,
                       const raft::ApplyMsg& /*message*/) {}

  // The service on that server is about to give a snapshot to its Raft.
  virtual void OnSnapshot(raft::ServerId /*server*/, raft::Index /*index*/,
                          const base::Rope& /*snapshot*/) {}

  // Start() of that incarnation returned this.
  virtual void OnStart(raft::ServerId /*server*/, int /*incarnation*/,
                       std::string_view /*command*/,
                       raft::StartResult /*result*/) {}

  // GetState() of that incarnation returned this; `floor` is what TermSeen()
  // returned before GetState() was called.
  virtual void OnState(raft::ServerId /*server*/, int /*incarnation*/,
                       raft::Term /*floor*/, raft::State /*state*/) {}

  // The highest term that this observer has seen the server in.
  virtual raft::Term TermSeen(raft::ServerId /*server*/) const { return 0; }

  // The test connects or disconnects a server, or sets up the network:
  // "reliable", "long_reordering".
  virtual void OnLink(raft::ServerId /*server*/, bool /*connected*/) {}
  // The network is divided into those parts; empty: it is whole again.
  virtual void OnPartition(
      const std::vector<std::set<raft::ServerId>>& /*parts*/) {}
  virtual void OnNetwork(std::string_view /*setting*/, bool /*on*/) {}

  // A service runs on the servers, and its commands read like that; before any
  // of them starts.
  virtual void OnService(ShowCommand /*show*/) {}
  // What its clients do, and the verdict on it if there is something wrong.
  virtual void OnOperation(const OperationEvent& /*operation*/) {}
  virtual void OnHistory(const HistoryEvent& /*history*/) {}

  // Of the controller: the same one from each server, perhaps late.
  virtual void OnConfig(const ConfigEvent& /*config*/) {}
  virtual void OnShards(raft::ServerId /*server*/,
                        const ShardsEvent& /*shards*/) {}

  // The test begins its title, or a step begins or ends.
  virtual void OnTitle(std::string_view /*title*/) {}
  virtual void OnStep(const StepEvent& /*step*/) {}
};

}  // namespace harness

#endif  // TESTS_HARNESS_OBSERVER_H_
