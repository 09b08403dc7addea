#include "bench/bench_cluster.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "persister/files/file_storage.h"

namespace bench {
namespace {

using raft::ServerId;

constexpr std::chrono::milliseconds kPoll(1);

}  // namespace

BenchCluster::BenchCluster(const Options& options)
    : options_(options),
      network_("bench"),
      commands_(options.command_bytes),
      servers_(static_cast<size_t>(options.servers)),
      group_(&network_,
             {.servers = options.servers,
              .make_node =
                  [this](harness::Ends ends, int /*group*/, ServerId me,
                         std::shared_ptr<persister::Persister> disk) {
                    return MakeNode(std::move(ends), me, std::move(disk));
                  },
              .slow_disks = options.slow_disks}) {
  if (options.observer != nullptr) network_.SetObserver(options.observer);
  if (options.tap != nullptr) network_.SetTap(options.tap);
  for (ServerId i = 0; i < size(); ++i) group_.Start(i);
  for (ServerId i = 0; i < size(); ++i) group_.Connect(i);
}

BenchCluster::~BenchCluster() {
  group_.Kill();  // closes the channels, which ends the consumers
  network_.Cleanup();
}

std::shared_ptr<raft::Raft> BenchCluster::MakeRaft(
    harness::Ends ends, ServerId me, std::shared_ptr<persister::Persister> disk,
    std::shared_ptr<raft::ApplyChannel> channel) {
  // The checks watch for bugs; a service that wants speed switches them off.
  const raft::Options options = {.check_invariants = false};
  if (!options_.in_files) {
    return raft::Make(std::move(ends), me, std::move(disk), std::move(channel),
                      options);
  }
  if (!directory_.has_value()) directory_.emplace();
  const auto server = static_cast<uint64_t>(me) + 1;
  auto storage = persister::FileStorage::Open(
      &files_, absl::StrCat(directory_->path(), "/", server),
      {.wal = {.identity = {.cluster = 1, .server = server}}});
  CHECK(storage.ok()) << storage.status();
  return raft::MakeWithStorage(std::move(ends), me, *std::move(storage),
                               std::move(channel), options);
}

harness::Node BenchCluster::MakeNode(
    harness::Ends ends, ServerId me,
    std::shared_ptr<persister::Persister> disk) {
  auto channel =
      std::make_shared<raft::ApplyChannel>(options_.channel_capacity);
  const std::shared_ptr<raft::Raft> raft =
      MakeRaft(std::move(ends), me, std::move(disk), channel);
  At(me).raft = raft;
  At(me).consumer = std::make_unique<Consumer>(
      raft, std::move(channel), options_.command_bytes, options_.snapshots);
  return {.services = raft->Services(),
          .kill = [raft] { raft->Kill(); },
          .rest = nullptr};
}

size_t BenchCluster::StateSize() const {
  size_t most = 0;
  for (ServerId i = 0; i < size(); ++i) {
    most = std::max(most, group_.StateSize(i));
  }
  return most;
}

void BenchCluster::Restart(ServerId server) {
  group_.Start(server);
  consumer(server).Run();
  group_.Connect(server);
}

void BenchCluster::RunConsumers(ServerId except) {
  for (ServerId i = 0; i < size(); ++i) {
    if (i != except) consumer(i).Run();
  }
}

std::optional<BenchCluster::Leader> BenchCluster::FindLeader(raft::Term above) {
  std::optional<Leader> leader;
  for (ServerId i = 0; i < size(); ++i) {
    if (!group_.IsConnected(i)) continue;
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
    if (!group_.IsConnected(i)) continue;
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
  const uint64_t look_every = LookEvery(options_.window);
  while (submitted_ < last) {
    if (!Submit(leader)) return false;
    // A look takes a lock.
    if (submitted_ % look_every != 0 || submitted_ <= options_.window) continue;
    if (!consumer(leader).Await(submitted_ - options_.window,
                                Clock::now() + kPatience)) {
      return false;
    }
  }
  return true;
}

bool BenchCluster::AwaitDelivered() {
  const Clock::time_point deadline = Clock::now() + kPatience;
  for (ServerId i = 0; i < size(); ++i) {
    if (!group_.IsConnected(i)) continue;
    if (!consumer(i).Await(submitted_, deadline)) return false;
  }
  return true;
}

}  // namespace bench
