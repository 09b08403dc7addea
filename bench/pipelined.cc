// Cases (b) pipelined throughput and its evenness, (e) RPCs and bytes per
// command, the largest single RPC, and (g) memory.
//
// One client thread calls Start() as fast as it can; the run is over when every
// server has delivered every command.

#include <algorithm>
#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "bench/bench_cluster.h"
#include "bench/cases.h"
#include "bench/measure.h"

namespace bench {
namespace {

using benchmark::State;
using raft::ServerId;

constexpr char kDisturbed[] = "the leader lost office in mid-run";

// When all servers had reached each of the counts that they watch.
std::vector<Clock::time_point> ReachedByAll(BenchCluster* cluster) {
  std::vector<Clock::time_point> all = cluster->consumer(0).Reached();
  for (ServerId i = 1; i < cluster->size(); ++i) {
    const std::vector<Clock::time_point> one = cluster->consumer(i).Reached();
    for (size_t k = 0; k < all.size(); ++k) all[k] = std::max(all[k], one[k]);
  }
  return all;
}

void WatchAll(BenchCluster* cluster, const std::vector<uint64_t>& counts) {
  for (ServerId i = 0; i < cluster->size(); ++i) {
    cluster->consumer(i).Watch(counts);
  }
}

// How many commands a second between two moments.
double Rate(uint64_t commands, Clock::time_point from, Clock::time_point to) {
  return static_cast<double>(commands) / std::max(Seconds(to - from), 1e-9);
}

// What a run has cost when it ends.
class Costs {
 public:
  explicit Costs(const BenchCluster& cluster)
      : cluster_(cluster),
        usage_(Usage::Now()),
        rpcs_(cluster.network().GetTotalCount()),
        bytes_(cluster.network().GetTotalBytes()) {}

  void Report(uint64_t commands, State* state) const {
    const auto count = static_cast<double>(commands);
    const labrpc::Network& network = cluster_.network();
    ReportUsage(usage_, commands, state);
    state->counters["rpcs_per_command"] =
        static_cast<double>(network.GetTotalCount() - rpcs_) / count;
    state->counters["bytes_per_command"] =
        static_cast<double>(network.GetTotalBytes() - bytes_) / count;
  }

 private:
  const BenchCluster& cluster_;
  const Usage usage_;
  const int64_t rpcs_;
  const int64_t bytes_;
};

void Pipelined(const BenchCluster::Options& options, uint64_t commands,
               State* state) {
  BenchCluster cluster(options);
  cluster.RunConsumers();
  WatchAll(&cluster, {commands});
  const std::optional<ServerId> leader = cluster.AwaitLeader();
  if (!leader.has_value()) return state->SkipWithError("no leader");
  const Costs costs(cluster);
  const Clock::time_point begin = Clock::now();
  if (!cluster.SubmitMany(*leader, commands) || !cluster.AwaitDelivered()) {
    return state->SkipWithError(kDisturbed);
  }
  const std::vector<Clock::time_point> at = ReachedByAll(&cluster);
  costs.Report(commands, state);
  state->SetIterationTime(Seconds(at[0] - begin));
  state->counters["per_second"] = Rate(commands, begin, at[0]);
}

// Whether a long log slows a cluster down: the first tenth of the commands
// against the last. The pipe is full before the first of them and until the
// last, so that neither its filling nor its draining counts.
void Flat(uint64_t commands, State* state) {
  constexpr uint64_t kPipe = kLargeWindow;
  const uint64_t tenth = commands / 10;
  BenchCluster cluster({});
  cluster.RunConsumers();
  WatchAll(&cluster,
           {kPipe, kPipe + tenth, kPipe + commands - tenth, kPipe + commands});
  const std::optional<ServerId> leader = cluster.AwaitLeader();
  if (!leader.has_value()) return state->SkipWithError("no leader");
  if (!cluster.SubmitMany(*leader, commands + 2 * kPipe) ||
      !cluster.AwaitDelivered()) {
    return state->SkipWithError(kDisturbed);
  }
  const std::vector<Clock::time_point> at = ReachedByAll(&cluster);
  state->SetIterationTime(Seconds(at[3] - at[0]));
  state->counters["first_tenth"] = Rate(tenth, at[0], at[1]);
  state->counters["last_tenth"] = Rate(tenth, at[2], at[3]);
  state->counters["last_to_first"] =
      Rate(tenth, at[2], at[3]) / Rate(tenth, at[0], at[1]);
}

// The observer has its cost, so this is a run of its own.
void LargestRpc(uint64_t commands, State* state) {
  std::atomic<size_t> largest{0};
  BenchCluster::Options options;
  options.command_bytes = 256;
  options.observer = [&largest](const labrpc::Packet& packet) {
    size_t seen = largest;
    while (packet.bytes.size() > seen &&
           !largest.compare_exchange_weak(seen, packet.bytes.size())) {
    }
  };
  BenchCluster cluster(options);
  cluster.RunConsumers();
  const std::optional<ServerId> leader = cluster.AwaitLeader();
  if (!leader.has_value()) return state->SkipWithError("no leader");
  // A server that missed all of it gets RPCs as large as they may be.
  const ServerId lost = (*leader + 1) % cluster.size();
  cluster.CutOff(lost);
  const Clock::time_point begin = Clock::now();
  if (!cluster.SubmitMany(*leader, commands)) {
    return state->SkipWithError(kDisturbed);
  }
  cluster.Rejoin(lost);
  if (!cluster.AwaitDelivered()) return state->SkipWithError(kDisturbed);
  state->SetIterationTime(Seconds(Clock::now() - begin));
  state->counters["largest_bytes"] = static_cast<double>(largest);
}

// All that the cluster keeps for its log: positions, bytes, disks. The channels
// are empty, and the last RPCs answered.
void Memory(uint64_t commands, State* state) {
  BenchCluster cluster({});
  cluster.RunConsumers();
  const std::optional<ServerId> leader = cluster.AwaitLeader();
  if (!leader.has_value()) return state->SkipWithError("no leader");
  const double before = HeapBytes();
  const Clock::time_point begin = Clock::now();
  if (!cluster.SubmitMany(*leader, commands) || !cluster.AwaitDelivered()) {
    return state->SkipWithError(kDisturbed);
  }
  state->SetIterationTime(Seconds(Clock::now() - begin));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const double entries =
      static_cast<double>(commands) * static_cast<double>(cluster.size());
  state->counters["bytes_per_entry"] = (HeapBytes() - before) / entries;
}

void AddPipelined(const BenchCluster::Options& options, uint64_t commands) {
  const uint64_t interval = options.snapshots.interval;
  AddCase(absl::StrCat(
              "pipelined/servers:", options.servers,
              "/bytes:", options.command_bytes, "/commands:", commands,
              interval == 0 ? "" : absl::StrCat("/snapshot_every:", interval),
              options.in_files ? "/files" : ""),
          [options, commands](State& state) {
            Pipelined(options, commands, &state);
          });
}

}  // namespace

void RegisterPipelined(Scale scale) {
  const std::vector<uint64_t> lengths =
      scale == Scale::kFull ? std::vector<uint64_t>{10'000, 100'000, 1'000'000}
                            : std::vector<uint64_t>{1'000};
  for (const int servers : {3, 5}) {
    for (const size_t bytes : {16, 256}) {
      for (const uint64_t commands : lengths) {
        AddPipelined({.servers = servers, .command_bytes = bytes}, commands);
      }
    }
  }
  for (const Work& work : WorkOfPeers(scale)) {
    if (work.window == 1) continue;  // sequential.cc
    AddCase(CaseOfPeer("ours", work), [work](State& state) {
      Pipelined({.command_bytes = work.bytes, .window = work.window},
                work.commands, &state);
    });
  }
  const uint64_t most = Scaled(scale, 1'000'000, 1'000);
  for (const int servers : {3, 5}) {
    AddPipelined({.servers = servers, .command_bytes = 256, .in_files = true},
                 most);
  }
  AddPipelined(
      {.snapshots = {.interval = most / 100, .state = std::string(64, 'x')}},
      most);
  AddCase(absl::StrCat("flat/commands:", most),
          [most](State& state) { Flat(most, &state); });
  AddCase("largest_rpc", [scale](State& state) {
    LargestRpc(Scaled(scale, 100'000, 1'000), &state);
  });
  AddCase(absl::StrCat("memory/commands:", most),
          [most](State& state) { Memory(most, &state); });
}

}  // namespace bench
