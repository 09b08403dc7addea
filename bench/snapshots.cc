// Case (k): what a snapshot costs that discards entries, however long the log
// is, and what one costs that a follower has to get.

#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench_cluster.h"
#include "bench/cases.h"
#include "bench/measure.h"

namespace bench {
namespace {

using benchmark::State;
using raft::ServerId;

constexpr int kClusters = 5;

// How often a byte of a snapshot is copied on its way: into the arguments of
// InstallSnapshot, into their encoded form, out of that, and into the
// follower's snapshot. The disks and the services share it.
constexpr double kCopies = 4;

// How long a Snapshot() takes that discards `discarded` of `entries`, at a
// cluster of one; negative if that went wrong.
double TimeOfSnapshot(uint64_t entries, uint64_t discarded) {
  BenchCluster cluster({.servers = 1});
  cluster.RunConsumers();
  if (!cluster.AwaitLeader().has_value()) return -1;
  if (!cluster.SubmitMany(0, entries) || !cluster.AwaitDelivered()) return -1;
  const Clock::time_point begin = Clock::now();
  cluster.raft(0).Snapshot(discarded, std::string(64, 'x'));
  return Seconds(Clock::now() - begin);
}

// The median of some clusters: a log of that length can be cut once.
void Discard(uint64_t entries, uint64_t discarded, State* state) {
  std::vector<double> seconds;
  for (int i = 0; i < kClusters; ++i) {
    seconds.push_back(TimeOfSnapshot(entries, discarded));
    if (seconds.back() < 0) return state->SkipWithError("no stable leader");
  }
  state->SetIterationTime(Quantile(seconds, 0.5));
  state->counters["us"] = 1e6 * Quantile(seconds, 0.5);
}

// Notes when the first chunk of a snapshot arrives.
class FirstChunk {
 public:
  labrpc::Observer Observer() {
    return [this](const labrpc::Packet& packet) {
      if (packet.method != "Raft.InstallSnapshot") return;
      auto none = Clock::time_point();
      at_.compare_exchange_strong(none, Clock::now());
    };
  }
  Clock::time_point at() const { return at_; }

 private:
  std::atomic<Clock::time_point> at_{Clock::time_point()};
};

// From the first chunk until the follower's service has the snapshot.
void Install(size_t bytes, State* state) {
  constexpr uint64_t kCommands = 1'000;
  FirstChunk first_chunk;
  BenchCluster cluster(
      {.snapshots = {.interval = kCommands, .state = std::string(bytes, 'x')},
       .observer = first_chunk.Observer()});
  cluster.RunConsumers();
  const std::optional<ServerId> leader = cluster.AwaitLeader();
  if (!leader.has_value()) return state->SkipWithError("no leader");
  const ServerId lost = (*leader + 1) % cluster.size();
  cluster.Crash(lost);
  if (!cluster.SubmitMany(*leader, kCommands) || !cluster.AwaitDelivered()) {
    return state->SkipWithError("no stable leader");
  }
  cluster.Restart(lost);
  if (!cluster.AwaitDelivered()) return state->SkipWithError("no snapshot");
  const double seconds = Seconds(Clock::now() - first_chunk.at());
  state->SetIterationTime(seconds);
  state->counters["copied_per_second"] =
      kCopies * static_cast<double>(bytes) / seconds;
}

}  // namespace

void RegisterSnapshots(Scale scale) {
  const uint64_t discarded = Scaled(scale, 100'000, 100);
  for (const uint64_t entries : {2 * discarded, 10 * discarded}) {
    AddCase(absl::StrCat("discard/entries:", entries),
            [=](State& state) { Discard(entries, discarded, &state); });
  }
  const uint64_t bytes = Scaled(scale, 100'000'000, 3'000'000);
  AddCase(absl::StrCat("install/bytes:", bytes),
          [=](State& state) { Install(bytes, &state); });
}

}  // namespace bench
