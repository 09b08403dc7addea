// Case (c): how fast a follower that was cut off gets what it has missed.
//
// It is heard again when it has stood for election in vain, so that its term is
// the newest and there is an election first (5.1). Hence three figures: until a
// leader stands, until the follower delivers something new, and the rate from
// the moment that a leader stands.

#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "bench/bench_cluster.h"
#include "bench/cases.h"
#include "bench/measure.h"

namespace bench {
namespace {

using benchmark::State;
using raft::ServerId;

// Commands that all servers have before the follower is cut off.
constexpr uint64_t kBefore = 10;

// Looks every millisecond which server leads, until `server` has delivered all.
// Returns when the leader at the end was first seen, the end of time if all was
// over before a look; nothing if it is not over after kPatience.
// REQUIRES: the term of `server` is the newest.
std::optional<Clock::time_point> LeaderSince(BenchCluster* cluster,
                                             ServerId server) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  Clock::time_point since = Clock::time_point::max();
  raft::Term term = cluster->raft(server).GetState().term;
  const uint64_t all = cluster->submitted();
  while (cluster->consumer(server).count() < all) {
    if (Clock::now() > deadline) return std::nullopt;
    if (const auto leader = cluster->FindLeader(/*above=*/term)) {
      since = Clock::now();
      term = leader->term;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return since;
}

// Waits until `lost` has a newer term than the others; false if it never has.
bool AwaitCandidacy(BenchCluster* cluster, ServerId lost, raft::Term term) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (cluster->raft(lost).GetState().term <= term) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// Returns the server that is cut off and has missed `commands`; nothing if it
// went wrong.
std::optional<ServerId> FallBehind(BenchCluster* cluster, uint64_t commands) {
  const std::optional<ServerId> leader = cluster->AwaitLeader();
  if (!leader.has_value()) return std::nullopt;
  if (!cluster->SubmitMany(*leader, kBefore)) return std::nullopt;
  if (!cluster->AwaitDelivered()) return std::nullopt;
  const ServerId lost = (*leader + 1) % cluster->size();
  cluster->CutOff(lost);
  if (!cluster->SubmitMany(*leader, commands)) return std::nullopt;
  if (!cluster->AwaitDelivered()) return std::nullopt;
  const raft::Term term = cluster->raft(*leader).GetState().term;
  if (!AwaitCandidacy(cluster, lost, term)) return std::nullopt;
  return lost;
}

void CatchUp(uint64_t commands, State* state) {
  BenchCluster cluster({});
  cluster.RunConsumers();
  const std::optional<ServerId> lost = FallBehind(&cluster, commands);
  if (!lost.has_value()) return state->SkipWithError("no stable leader");
  cluster.consumer(*lost).Watch({kBefore + 1, kBefore + commands});

  const Clock::time_point heard = Clock::now();
  cluster.Rejoin(*lost);
  const std::optional<Clock::time_point> leader = LeaderSince(&cluster, *lost);
  if (!leader.has_value()) return state->SkipWithError("never caught up");

  const std::vector<Clock::time_point> at = cluster.consumer(*lost).Reached();
  // A short catch-up may be over before the look that sees the leader.
  const Clock::time_point from = std::min(*leader, at[0]);
  state->SetIterationTime(Seconds(at[1] - heard));
  state->counters["leader_ms"] = 1e3 * Seconds(from - heard);
  state->counters["first_ms"] = 1e3 * Seconds(at[0] - heard);
  state->counters["per_second"] =
      static_cast<double>(commands) / std::max(Seconds(at[1] - from), 1e-9);
}

}  // namespace

void RegisterCatchUp(Scale scale) {
  for (const uint64_t full : {20'000, 1'000'000}) {
    const uint64_t commands = Scaled(scale, full, full / 1'000);
    AddCase(absl::StrCat("catch_up/commands:", commands),
            [=](State& state) { CatchUp(commands, &state); });
  }
}

}  // namespace bench
