// Case (a), and (e) for lone commands: one client that waits until the leader
// has delivered its command before it gives the next.
//
// The client takes the leader's channel itself, so that what is measured is the
// module's, not a hand-over between the client's own threads.

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "bench/bench_cluster.h"
#include "bench/cases.h"
#include "bench/measure.h"

namespace bench {
namespace {

using benchmark::State;
using raft::ServerId;

// One command there and back; microseconds, or nothing if it went wrong.
std::optional<double> RoundTrip(BenchCluster* cluster, ServerId leader) {
  const Clock::time_point begin = Clock::now();
  if (!cluster->Submit(leader)) return std::nullopt;
  if (!cluster->consumer(leader).TakeOne()) return std::nullopt;
  return 1e6 * Seconds(Clock::now() - begin);
}

void Sequential(const BenchCluster::Options& options, uint64_t commands,
                State* state) {
  BenchCluster cluster(options);
  const std::optional<ServerId> leader = cluster.AwaitLeader();
  if (!leader.has_value()) return state->SkipWithError("no leader");
  cluster.RunConsumers(/*except=*/*leader);

  const int64_t rpcs = cluster.network().GetTotalCount();
  const int64_t bytes = cluster.network().GetTotalBytes();
  std::vector<double> us;
  us.reserve(commands);
  const Usage before = Usage::Now();
  const Clock::time_point begin = Clock::now();
  while (us.size() < commands) {
    const std::optional<double> one = RoundTrip(&cluster, *leader);
    if (!one.has_value()) {
      return state->SkipWithError("the leader lost office in mid-run");
    }
    us.push_back(*one);
  }
  const double seconds = Seconds(Clock::now() - begin);
  const auto count = static_cast<double>(commands);
  state->SetIterationTime(seconds);
  state->counters["per_second"] = count / seconds;
  state->counters["rpcs_per_command"] =
      static_cast<double>(cluster.network().GetTotalCount() - rpcs) / count;
  state->counters["bytes_per_command"] =
      static_cast<double>(cluster.network().GetTotalBytes() - bytes) / count;
  if (!cluster.AwaitDelivered()) {
    return state->SkipWithError("a follower did not deliver all");
  }
  ReportUsage(before, commands, state);
  state->counters["p50_us"] = Quantile(us, 0.5);
  state->counters["p99_us"] = Quantile(us, 0.99);
}

}  // namespace

void RegisterSequential(Scale scale) {
  const uint64_t commands = Scaled(scale, 20'000, 50);
  for (const int servers : {3, 5}) {
    AddCase(absl::StrCat("sequential/servers:", servers), [=](State& state) {
      Sequential({.servers = servers}, commands, &state);
    });
    AddCase(absl::StrCat("sequential/servers:", servers, "/files"),
            [=](State& state) {
              Sequential({.servers = servers, .in_files = true}, commands / 10,
                         &state);
            });
    AddCase(absl::StrCat("sequential/servers:", servers, "/one_cpu"),
            [=](State& state) {
              const PinnedTo pinned(AllowedCpus().front());
              Sequential({.servers = servers}, commands, &state);
            });
  }
  for (const Work& work : WorkOfPeers(scale)) {
    if (work.window > 1) continue;  // pipelined.cc
    AddCase(CaseOfPeer("ours", work), [work](State& state) {
      Sequential({.command_bytes = work.bytes}, work.commands, &state);
    });
  }
}

}  // namespace bench
