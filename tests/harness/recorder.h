// Turns what can be seen of a cluster into a stream of events, JSON objects
// that tools/trace/README.md describes: for `make trace` and for live views.
//
// What a server's term and role are it concludes from what the server says,
// saves and answers, so it works for any Raft that speaks the lab's messages.
//
// Thread safety: safe. Its lock is a leaf and no scheduling point of the
// simulator: a run that is recorded is the run without it. The sink is called
// without it, by several threads at once.

#ifndef TESTS_HARNESS_RECORDER_H_
#define TESTS_HARNESS_RECORDER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/rope.h"
#include "base/spin_lock.h"
#include "raft/types.h"
#include "tests/harness/observer.h"

namespace harness {

// Takes the events.
using EventSink = std::function<void(const nlohmann::ordered_json&)>;

// The event as a line of a file, with its line feed.
std::string EventLine(const nlohmann::ordered_json& event);

class Recorder : public ClusterObserver {
 public:
  using Clock = std::chrono::steady_clock;

  // What the event "run" says.
  struct Run {
    std::string test = {};
    uint64_t seed = 0;
    std::string mode = "real";  // or "simulated"
    std::string profile = {};   // of the simulator, if it was chosen
  };

  explicit Recorder(EventSink sink) : Recorder(std::move(sink), 0) {}
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // A cluster of `servers` servers is made, none of which runs yet; it may not
  // be the first one of its test.
  void OnCluster(const Run& run, int servers) EXCLUDES(lock_);

  // Another group is made on that cluster's network. Returns the recorder of
  // that; what concerns no group is left to this one.
  std::shared_ptr<Recorder> OnGroup(int group, int servers);

  void OnIncarnationBegin(raft::ServerId server, int incarnation) override
      EXCLUDES(lock_);
  void OnIncarnationEnd(raft::ServerId server) override EXCLUDES(lock_);
  void OnMessage(const Message& message) override EXCLUDES(lock_);
  void OnSave(raft::ServerId server, int incarnation,
              const std::optional<DiskState>& state) override EXCLUDES(lock_);
  void OnFlush(raft::ServerId server, int incarnation,
               std::chrono::microseconds took) override EXCLUDES(lock_);
  void OnApply(raft::ServerId server, const raft::ApplyMsg& message) override
      EXCLUDES(lock_);
  void OnSnapshot(raft::ServerId server, raft::Index index,
                  const base::Rope& snapshot) override EXCLUDES(lock_);
  void OnState(raft::ServerId server, int incarnation, raft::Term floor,
               raft::State state) override EXCLUDES(lock_);
  void OnStart(raft::ServerId server, int incarnation, std::string_view command,
               raft::StartResult result) override EXCLUDES(lock_);
  void OnLink(raft::ServerId server, bool connected) override EXCLUDES(lock_);
  void OnPartition(const std::vector<std::set<raft::ServerId>>& parts) override;
  void OnNetwork(std::string_view setting, bool on) override;
  void OnService(ShowCommand show) override { show_command_ = show; }
  void OnOperation(const OperationEvent& operation) override;
  void OnHistory(const HistoryEvent& history) override;
  void OnConfig(const ConfigEvent& config) override EXCLUDES(lock_);
  void OnShards(raft::ServerId server, const ShardsEvent& shards) override
      EXCLUDES(lock_);
  void OnTitle(std::string_view title) override;
  void OnStep(const StepEvent& step) override;

  // What the oracle has found, and how the test fails and ends.
  void OnViolation(std::string_view rule, std::string_view section,
                   std::string_view text);
  void OnFailure(std::string_view message, std::string_view place);
  void OnTestEnd(bool passed);

 private:
  enum class Role { kDown, kFollower, kCandidate, kLeader };

  // What a server has shown of itself.
  struct Shown {
    int incarnation = 0;
    raft::Term term = 0;
    Role role = Role::kDown;
    raft::Index saved = 0;  // the last index on its disk
  };

  Recorder(EventSink sink, int group, Clock::time_point begin = Clock::now())
      : sink_(std::move(sink)), begin_(begin), group_(group) {}

  static const char* NameOf(Role role);
  double SecondsSince(Clock::time_point time) const;
  std::string TextOf(std::string_view command) const;
  Shown ShownBy(raft::ServerId server) const EXCLUDES(lock_);
  void Shows(raft::ServerId server, int incarnation, raft::Term term, Role role)
      EXCLUDES(lock_);
  void ShowsByReply(raft::ServerId server, raft::Term term, bool agrees)
      EXCLUDES(lock_);
  bool IsRunning(raft::ServerId server, int incarnation) const EXCLUDES(lock_);
  nlohmann::ordered_json Event(std::string_view name) const;
  nlohmann::ordered_json EventOf(std::string_view name,
                                 raft::ServerId server) const EXCLUDES(lock_);
  nlohmann::ordered_json MessageEvent(const Message& message) const;

  const EventSink sink_;
  const Clock::time_point begin_;
  const int group_;
  std::atomic<ShowCommand> show_command_ = nullptr;  // of the service, if any

  mutable base::SpinLock lock_;
  std::map<raft::ServerId, Shown> shown_ ABSL_GUARDED_BY(lock_);
  int64_t last_config_ ABSL_GUARDED_BY(lock_) = 0;
};

}  // namespace harness

#endif  // TESTS_HARNESS_RECORDER_H_
