// Case (p): the work of peers.h, done by libraft. Ours does it in pipelined.cc
// and sequential.cc, the peers in Go in peers/.

#include "bench/peers.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "bench/consumer.h"
#include "bench/libraft.h"
#include "bench/measure.h"

namespace bench {
namespace {

using benchmark::State;

// How many commands "merged" gives to one call.
constexpr uint64_t kMerged = 64;

void OneAtATime(uint64_t commands, Libraft* cluster, State* state) {
  std::vector<double> us;
  us.reserve(commands);
  while (us.size() < commands) {
    const Clock::time_point begin = Clock::now();
    cluster->Submit(1);
    cluster->AwaitLeader(cluster->submitted());
    us.push_back(1e6 * Seconds(Clock::now() - begin));
  }
  state->counters["p50_us"] = Quantile(us, 0.5);
  state->counters["p99_us"] = Quantile(us, 0.99);
}

void Pipelined(const Work& work, uint64_t at_once, Libraft* cluster) {
  uint64_t look_at = work.window;
  while (cluster->submitted() < work.commands) {
    cluster->Submit(std::min(at_once, work.commands - cluster->submitted()));
    if (cluster->submitted() < look_at) continue;
    look_at = cluster->submitted() + LookEvery(work.window);
    cluster->AwaitLeader(cluster->submitted() - work.window);
  }
}

void Run(const Work& work, uint64_t at_once, State* state) {
  Libraft cluster(work.bytes);
  const Usage before = Usage::Now();
  const Clock::time_point begin = Clock::now();
  if (work.window == 1) {
    OneAtATime(work.commands, &cluster, state);
  } else {
    Pipelined(work, at_once, &cluster);
  }
  cluster.AwaitAll();
  const double seconds = Seconds(Clock::now() - begin);
  state->SetIterationTime(seconds);
  state->counters["per_second"] = static_cast<double>(work.commands) / seconds;
  ReportUsage(before, work.commands, state);
}

}  // namespace

std::vector<Work> WorkOfPeers(Scale scale) {
  const uint64_t many = Scaled(scale, 1'000'000, 2'000);
  std::vector<Work> all;
  for (const size_t bytes : {16, 256}) {
    all.push_back({bytes, 1, Scaled(scale, 20'000, 50)});
    all.push_back({bytes, 1'024, many});
    all.push_back({bytes, kLargeWindow, many});
  }
  return all;
}

std::string CaseOfPeer(const std::string& name, const Work& work) {
  return absl::StrCat("peers/", name, "/bytes:", work.bytes,
                      "/window:", work.window);
}

void RegisterPeers(Scale scale) {
  if (!Libraft::IsThere()) return;
  for (const Work& work : WorkOfPeers(scale)) {
    AddCase(CaseOfPeer("libraft", work),
            [=](State& state) { Run(work, 1, &state); });
    if (work.window == 1) continue;
    AddCase(CaseOfPeer("libraft-merged", work),
            [=](State& state) { Run(work, kMerged, &state); });
  }
}

}  // namespace bench
