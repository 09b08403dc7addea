// Case (i): what idle clusters cost: many of three servers in one process, as a
// service with many groups has them.

#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "bench/bench_cluster.h"
#include "bench/cases.h"
#include "bench/measure.h"

namespace bench {
namespace {

using benchmark::State;

void Idle(uint64_t clusters, std::chrono::milliseconds duration, State* state) {
  std::vector<std::unique_ptr<BenchCluster>> all;
  for (uint64_t i = 0; i < clusters; ++i) {
    all.push_back(std::make_unique<BenchCluster>(BenchCluster::Options()));
  }
  for (const auto& cluster : all) {
    if (!cluster->AwaitLeader().has_value()) {
      return state->SkipWithError("no leader");
    }
  }
  // What the elections have left under way comes to its end.
  std::this_thread::sleep_for(duration / 5);

  const Usage before = Usage::Now();
  const Clock::time_point begin = Clock::now();
  std::this_thread::sleep_for(duration);
  const double seconds = Seconds(Clock::now() - begin);
  const Usage after = Usage::Now();
  state->SetIterationTime(seconds);
  state->counters["cpu_share"] =
      (after.cpu_seconds - before.cpu_seconds) / seconds;
  state->counters["switches_per_cluster"] =
      (after.voluntary_switches - before.voluntary_switches) / seconds /
      static_cast<double>(clusters);
  state->counters["threads"] = ThreadCount();
}

}  // namespace

void RegisterIdle(Scale scale) {
  const uint64_t clusters = Scaled(scale, 100, 2);
  const std::chrono::milliseconds duration(Scaled(scale, 5'000, 100));
  AddCase(absl::StrCat("idle/clusters:", clusters),
          [=](State& state) { Idle(clusters, duration, &state); });
}

}  // namespace bench
