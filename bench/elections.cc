// Case (d): how long a cluster is without a leader when the old one is cut off;
// and how many heartbeats it costs.
//
// A repetition is one election of a new cluster: bench.py asks for 50, and for
// 500 of the same program under the simulator, and takes the quantiles.

#include <thread>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "bench/bench_cluster.h"
#include "bench/cases.h"
#include "bench/measure.h"

namespace bench {
namespace {

using benchmark::State;
using raft::ServerId;
using std::chrono::milliseconds;

// Waits for a leader of a newer term; false if none comes for a minute.
bool AwaitNewLeader(BenchCluster* cluster, raft::Term old) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (!cluster->FindLeader(old).has_value()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

void Election(int servers, State* state) {
  BenchCluster::Options options;
  options.servers = servers;
  BenchCluster cluster(options);
  const std::optional<ServerId> leader = cluster.AwaitLeader();
  if (!leader.has_value()) return state->SkipWithError("no leader");
  // The leader is lost at any moment between two of its heartbeats.
  base::Random random = base::Random::ForOwner("bench/election");
  std::this_thread::sleep_for(milliseconds(200 + random.Between(0, 119)));

  const raft::Term term = cluster.raft(*leader).GetState().term;
  const Clock::time_point begin = Clock::now();
  cluster.CutOff(*leader);
  if (!AwaitNewLeader(&cluster, term)) {
    return state->SkipWithError("no new leader");
  }
  state->SetIterationTime(Seconds(Clock::now() - begin));
}

void Heartbeats(int servers, milliseconds duration, State* state) {
  BenchCluster::Options options;
  options.servers = servers;
  BenchCluster cluster(options);
  if (!cluster.AwaitLeader().has_value()) {
    return state->SkipWithError("no leader");
  }
  const Clock::time_point begin = Clock::now();
  const int64_t before = cluster.network().GetTotalCount();
  std::this_thread::sleep_for(duration);
  const double seconds = Seconds(Clock::now() - begin);
  const int64_t rpcs = cluster.network().GetTotalCount() - before;
  state->SetIterationTime(seconds);
  state->counters["per_peer_and_second"] =
      static_cast<double>(rpcs) / (servers - 1) / seconds;
}

}  // namespace

void RegisterElections(Scale scale) {
  const milliseconds idle(Scaled(scale, 5'000, 200));
  for (const int servers : {3, 5}) {
    AddCase(absl::StrCat("election/servers:", servers),
            [=](State& state) { Election(servers, &state); });
    AddCase(absl::StrCat("heartbeats/servers:", servers),
            [=](State& state) { Heartbeats(servers, idle, &state); });
  }
}

}  // namespace bench
