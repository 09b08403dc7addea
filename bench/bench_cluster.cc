#include "bench/bench_cluster.h"

#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tests::bench {
namespace {

using raft::ServerId;

// How often the client looks at what is outstanding; a look takes a lock.
constexpr uint64_t kLookEvery = 1'024;
constexpr std::chrono::milliseconds kPoll(1);

std::string ServerName(ServerId server) { return absl::StrCat(server); }

std::string EndName(ServerId from, ServerId to) {
  return absl::StrCat(from, "-", to);
}

}  // namespace

BenchCluster::BenchCluster(const Options& options)
    : network_("bench"),
      commands_(options.command_bytes),
      servers_(static_cast<size_t>(options.servers)) {
  if (options.observer != nullptr) network_.SetObserver(options.observer);
  for (ServerId i = 0; i < size(); ++i) Start(i, options);
  for (ServerId i = 0; i < size(); ++i) Rejoin(i);
}

BenchCluster::~BenchCluster() {
  // Kill() closes the channel, which ends the consumer.
  for (Server& server : servers_) server.raft->Kill();
  network_.Cleanup();
}

void BenchCluster::Start(ServerId server, const Options& options) {
  std::vector<std::shared_ptr<rpc::ClientEnd>> ends;
  for (ServerId to = 0; to < size(); ++to) {
    ends.push_back(network_.MakeEnd(EndName(server, to)));
    network_.Connect(EndName(server, to), ServerName(to));
  }
  auto channel = std::make_shared<raft::ApplyChannel>(options.channel_capacity);
  Server& made = At(server);
  made.disk = std::make_shared<persister::SimulatedDisk>();
  // The checks watch for bugs; a service that wants speed switches them off.
  made.raft = raft::Make(std::move(ends), server, made.disk, channel,
                         {.check_invariants = false});
  made.consumer =
      std::make_unique<Consumer>(std::move(channel), options.command_bytes);
  auto node = std::make_shared<labrpc::Server>();
  for (rpc::Service& service : made.raft->Services()) {
    node->AddService(std::move(service));
  }
  network_.AddServer(ServerName(server), std::move(node));
}

void BenchCluster::RunConsumers(ServerId except) {
  for (ServerId i = 0; i < size(); ++i) {
    if (i != except) consumer(i).Run();
  }
}

std::optional<BenchCluster::Leader> BenchCluster::FindLeader(raft::Term above) {
  std::optional<Leader> leader;
  for (ServerId i = 0; i < size(); ++i) {
    if (!At(i).reachable) continue;
    const raft::State state = raft(i).GetState();
    if (!state.is_leader || state.term <= above) continue;
    leader = {i, state.term};
    above = state.term;
  }
  return leader;
}

std::optional<ServerId> BenchCluster::AwaitLeader() {
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (Clock::now() < deadline) {
    const std::optional<Leader> leader = FindLeader();
    if (leader.has_value() && AllFollow(*leader)) return leader->server;
    std::this_thread::sleep_for(kPoll);
  }
  return std::nullopt;
}

bool BenchCluster::AllFollow(const Leader& leader) {
  for (ServerId i = 0; i < size(); ++i) {
    if (!At(i).reachable) continue;
    const raft::State state = raft(i).GetState();
    if (state.term != leader.term) return false;
  }
  return true;
}

bool BenchCluster::Submit(ServerId leader) {
  const raft::StartResult result =
      raft(leader).Start(commands_.Make(++submitted_));
  return result.is_leader && result.index == submitted_;
}

bool BenchCluster::SubmitMany(ServerId leader, uint64_t count) {
  const uint64_t last = submitted_ + count;
  while (submitted_ < last) {
    if (!Submit(leader)) return false;
    if (submitted_ % kLookEvery != 0 || submitted_ <= kMostOutstanding) {
      continue;
    }
    if (!consumer(leader).Await(submitted_ - kMostOutstanding,
                                Clock::now() + kPatience)) {
      return false;
    }
  }
  return true;
}

bool BenchCluster::AwaitDelivered() {
  const Clock::time_point deadline = Clock::now() + kPatience;
  for (ServerId i = 0; i < size(); ++i) {
    if (!At(i).reachable) continue;
    if (!consumer(i).Await(submitted_, deadline)) return false;
  }
  return true;
}

void BenchCluster::SetReachable(ServerId server, bool reachable) {
  At(server).reachable = reachable;
  for (ServerId other = 0; other < size(); ++other) {
    const bool on = reachable && At(other).reachable;
    network_.Enable(EndName(server, other), on);
    network_.Enable(EndName(other, server), on);
  }
}

}  // namespace tests::bench
