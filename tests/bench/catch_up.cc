// Case (c): how fast a follower that was cut off gets what it has missed.
//
// When it is heard again its term is the newest, so there is an election first
// (5.1). Hence three figures: until a leader stands, until the follower
// delivers something new, and the rate from the moment that a leader stands.

#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/bench/bench_cluster.h"
#include "tests/bench/cases.h"
#include "tests/bench/measure.h"

namespace tests::bench {
namespace {

using benchmark::State;
using raft::ServerId;

// Commands that everybody has before the follower is cut off.
constexpr uint64_t kBefore = 10;

// Looks every millisecond who leads, until `server` has delivered all. Returns
// when the leader that stands at the end was first seen; nothing if it takes
// for ever.
std::optional<Clock::time_point> LeaderSince(BenchCluster* cluster,
                                             ServerId server) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  Clock::time_point since = Clock::now();
  raft::Term term = 0;
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

// Returns who is cut off and has missed `commands`; nothing if it went wrong.
std::optional<ServerId> FallBehind(BenchCluster* cluster, uint64_t commands) {
  const std::optional<ServerId> leader = cluster->AwaitLeader();
  if (!leader.has_value()) return std::nullopt;
  if (!cluster->SubmitMany(*leader, kBefore)) return std::nullopt;
  if (!cluster->AwaitDelivered()) return std::nullopt;
  const ServerId lost = (*leader + 1) % cluster->size();
  cluster->CutOff(lost);
  if (!cluster->SubmitMany(*leader, commands)) return std::nullopt;
  if (!cluster->AwaitDelivered()) return std::nullopt;
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
  // The look at who leads may come after a very short catch-up.
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

}  // namespace tests::bench
