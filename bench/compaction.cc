// Case (l): log compaction in the long run, in virtual time alone: whether log
// and memory stay bounded under load, and whether a follower gets a large
// snapshot while all else goes on (7).

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "bench/bench_cluster.h"
#include "bench/cases.h"
#include "bench/measure.h"
#include "tests/harness/link.h"

namespace bench {
namespace {

using base::MutexLock;
using benchmark::State;
using raft::ServerId;
using std::chrono::milliseconds;

constexpr char kDisturbed[] = "the leader lost office in mid-run";

// The load: a thousand commands a second, in ticks.
constexpr milliseconds kTick(10);
constexpr uint64_t kCommandsInTick = 10;

// Between how many commands the services take a snapshot.
constexpr uint64_t kInterval = 10'000;

// Watches what the servers are sent, and lets each chunk of a snapshot travel
// for a tick: a link of 100 MB a second.
class Links {
 public:
  labrpc::Observer Observer() {
    return [this](const labrpc::Packet& packet) { Observe(packet); };
  }

  labrpc::Tap Tap() {
    return [this](const labrpc::Packet& packet) {
      if (packet.kind != labrpc::Packet::Kind::kRequest ||
          packet.method != "Raft.InstallSnapshot") {
        return labrpc::Ruling::kPass;
      }
      MutexLock lock(&mu_);
      held_.push_back(packet.call);
      return labrpc::Ruling::kHold;
    };
  }

  // Lets the chunks arrive that were sent before the last call.
  void Release(labrpc::Network* network) {
    std::vector<uint64_t> ripe;
    {
      MutexLock lock(&mu_);
      ripe = std::exchange(ripe_, std::exchange(held_, {}));
    }
    for (const uint64_t call : ripe) network->Release(call);
  }

  // The longest time between two requests of a leader to one server; one that
  // was down, or has just come, does not count.
  void Forget(ServerId server) {
    MutexLock lock(&mu_);
    heard_.erase(server);
  }
  double longest_silence() {
    MutexLock lock(&mu_);
    return longest_silence_;
  }

  uint64_t chunks() {
    MutexLock lock(&mu_);
    return chunks_;
  }
  size_t largest() {
    MutexLock lock(&mu_);
    return largest_;
  }

 private:
  void Observe(const labrpc::Packet& packet) {
    const auto link = harness::ParseLink(packet.end);
    if (!link.has_value()) return;
    MutexLock lock(&mu_);
    largest_ = std::max(largest_, packet.bytes.size());
    if (packet.kind != labrpc::Packet::Kind::kRequest ||
        packet.fate != labrpc::Packet::Fate::kDelivered) {
      return;
    }
    const bool is_chunk = packet.method == "Raft.InstallSnapshot";
    if (is_chunk) ++chunks_;
    if (!is_chunk && packet.method != "Raft.AppendEntries") return;
    const Clock::time_point now = Clock::now();
    const auto [last, is_first] = heard_.try_emplace(link->to, now);
    if (!is_first) {
      longest_silence_ =
          std::max(longest_silence_, Seconds(now - last->second));
    }
    last->second = now;
  }

  base::Mutex mu_;
  std::vector<uint64_t> held_ ABSL_GUARDED_BY(mu_);  // since the last tick
  std::vector<uint64_t> ripe_ ABSL_GUARDED_BY(mu_);
  std::map<ServerId, Clock::time_point> heard_ ABSL_GUARDED_BY(mu_);
  double longest_silence_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t chunks_ ABSL_GUARDED_BY(mu_) = 0;
  size_t largest_ ABSL_GUARDED_BY(mu_) = 0;
};

// Constant load, with a snapshot every 10,000 commands.
void Bounded(milliseconds duration, State* state) {
  Links links;
  BenchCluster cluster(
      {.snapshots = {.interval = kInterval, .state = std::string(1'000, 'x')},
       .observer = links.Observer()});
  cluster.RunConsumers();
  const std::optional<ServerId> leader = cluster.AwaitLeader();
  if (!leader.has_value()) return state->SkipWithError("no leader");
  size_t largest_state = 0;
  double heap_early = 0;
  double heap = 0;
  for (milliseconds passed(0); passed < duration; passed += kTick) {
    if (!cluster.SubmitMany(*leader, kCommandsInTick)) {
      return state->SkipWithError(kDisturbed);
    }
    std::this_thread::sleep_for(kTick);
    if (passed.count() % 100 != 0) continue;
    largest_state = std::max(largest_state, cluster.StateSize());
    heap = std::max(heap, HeapBytes());
    if (passed <= duration / 10) heap_early = heap;
  }
  if (!cluster.AwaitDelivered()) return state->SkipWithError(kDisturbed);
  state->SetIterationTime(Seconds(duration));
  state->counters["installs"] = static_cast<double>(links.chunks());
  state->counters["largest_state_bytes"] = static_cast<double>(largest_state);
  state->counters["heap_bytes"] = heap;
  state->counters["heap_to_first_tenth"] = heap / heap_early;
  state->counters["longest_silence_ms"] = 1e3 * links.longest_silence();
}

// A follower that missed everything gets a snapshot, and on the way crashes
// that often, each time when a quarter of it has arrived.
class Travel {
 public:
  Travel(size_t bytes, int crashes)
      : crashes_left_(crashes),
        chunks_to_crash_(bytes / 4'000'000),
        cluster_({.snapshots = {.interval = kInterval,
                                .state = std::string(bytes, 'x')},
                  .observer = links_.Observer(),
                  .tap = links_.Tap()}) {
    cluster_.RunConsumers();
  }

  void Run(State* state) {
    const std::optional<ServerId> leader = cluster_.AwaitLeader();
    if (!leader.has_value()) return state->SkipWithError("no leader");
    leader_ = *leader;
    lost_ = (leader_ + 1) % cluster_.size();
    cluster_.Crash(lost_);
    if (!cluster_.SubmitMany(leader_, kInterval) ||
        !cluster_.AwaitDelivered()) {
      return state->SkipWithError("no stable leader");
    }
    term_ = cluster_.raft(leader_).GetState().term;
    const Clock::time_point begin = Clock::now();
    Restart();
    while (cluster_.consumer(lost_).count() < kInterval) {
      if (!Tick()) return state->SkipWithError(kDisturbed);
    }
    const double seconds = Seconds(Clock::now() - begin);
    const uint64_t commands = cluster_.submitted() - kInterval;
    if (!cluster_.AwaitDelivered()) return state->SkipWithError(kDisturbed);
    Report(seconds, commands, state);
  }

 private:
  void Restart() {
    links_.Forget(lost_);
    cluster_.Restart(lost_);
    chunks_before_ = links_.chunks();
  }

  bool Tick() {
    if (!cluster_.SubmitMany(leader_, kCommandsInTick)) return false;
    std::this_thread::sleep_for(kTick);
    links_.Release(&cluster_.network());
    if (crashes_left_ > 0 &&
        links_.chunks() - chunks_before_ >= chunks_to_crash_) {
      --crashes_left_;
      cluster_.Crash(lost_);
      std::this_thread::sleep_for(kTick);
      Restart();
    }
    return true;
  }

  void Report(double seconds, uint64_t commands, State* state) {
    raft::Term newest = 0;
    for (ServerId i = 0; i < cluster_.size(); ++i) {
      newest = std::max(newest, cluster_.raft(i).GetState().term);
    }
    state->SetIterationTime(seconds);
    state->counters["elections"] = static_cast<double>(newest - term_);
    state->counters["crashes_left"] = crashes_left_;
    state->counters["commands"] = static_cast<double>(commands);
    state->counters["chunks"] = static_cast<double>(links_.chunks());
    state->counters["largest_bytes"] = static_cast<double>(links_.largest());
    state->counters["longest_silence_ms"] = 1e3 * links_.longest_silence();
  }

  int crashes_left_;
  const uint64_t chunks_to_crash_;  // since the last start
  Links links_;
  BenchCluster cluster_;
  ServerId leader_ = raft::kNobody;
  ServerId lost_ = raft::kNobody;
  raft::Term term_ = 0;  // of the leader, before the snapshot travels
  uint64_t chunks_before_ = 0;
};

}  // namespace

void RegisterCompaction(Scale scale) {
  const milliseconds duration(Scaled(scale, 600'000, 2'000));
  AddCase("bounded", [=](State& state) { Bounded(duration, &state); });
  const uint64_t bytes = Scaled(scale, 100'000'000, 8'000'000);
  for (const int crashes : {0, 3}) {
    AddCase(absl::StrCat("travel/crashes:", crashes),
            [=](State& state) { Travel(bytes, crashes).Run(&state); });
  }
}

}  // namespace bench
