// Case (f): what a Start() costs at a log of some length, and how long a server
// takes to read a long log back.
//
// The cluster has one server, which leads and commits alone: there is nothing
// but append, save and delivery.

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench_cluster.h"
#include "bench/cases.h"
#include "bench/measure.h"

namespace bench {
namespace {

using benchmark::State;
using raft::ServerId;

constexpr int kBlocks = 20;
constexpr int kBlockCommands = 100;

// A cluster of one whose log has `entries`; false if that went wrong.
bool Fill(BenchCluster* cluster, uint64_t entries) {
  if (!cluster->AwaitLeader().has_value()) return false;
  cluster->RunConsumers();
  return cluster->SubmitMany(0, entries) && cluster->AwaitDelivered();
}

// The median of small blocks: a block in which another thread was let in says
// nothing of the log.
void Append(uint64_t entries, State* state) {
  BenchCluster::Options options;
  options.servers = 1;
  BenchCluster cluster(options);
  if (!Fill(&cluster, entries)) return state->SkipWithError("no leader");
  std::vector<double> ns;
  for (int i = 0; i < kBlocks; ++i) {
    const Clock::time_point begin = Clock::now();
    if (!cluster.SubmitMany(0, kBlockCommands)) {
      return state->SkipWithError("the leader lost office in mid-run");
    }
    ns.push_back(1e9 * Seconds(Clock::now() - begin) / kBlockCommands);
    if (!cluster.AwaitDelivered()) return state->SkipWithError("lost entries");
  }
  state->SetIterationTime(1e-9 * Quantile(ns, 0.5));
  state->counters["ns"] = Quantile(ns, 0.5);
}

// The disk is a copy, as at every restart.
void Restart(uint64_t entries, State* state) {
  BenchCluster::Options options;
  options.servers = 1;
  BenchCluster cluster(options);
  if (!Fill(&cluster, entries)) return state->SkipWithError("no leader");
  const std::shared_ptr<persister::SimulatedDisk> disk = cluster.CopyDisk(0);
  labrpc::Network network("bench/restart");
  auto channel = std::make_shared<raft::ApplyChannel>(options.channel_capacity);

  const Clock::time_point begin = Clock::now();
  const std::shared_ptr<raft::Raft> raft =
      raft::Make({network.MakeEnd("0-0")}, 0, disk, std::move(channel),
                 {.check_invariants = false});
  const double seconds = Seconds(Clock::now() - begin);
  state->SetIterationTime(seconds);
  state->counters["seconds"] = seconds;
  raft->Kill();
}

}  // namespace

void RegisterStorage(Scale scale) {
  const std::vector<uint64_t> lengths =
      scale == Scale::kFull
          ? std::vector<uint64_t>{10, 1'000, 100'000, 1'000'000}
          : std::vector<uint64_t>{10, 1'000};
  for (const uint64_t entries : lengths) {
    AddCase(absl::StrCat("append/entries:", entries),
            [=](State& state) { Append(entries, &state); });
  }
  const uint64_t most = Scaled(scale, 1'000'000, 1'000);
  AddCase(absl::StrCat("restart/entries:", most),
          [=](State& state) { Restart(most, &state); });
}

}  // namespace bench
