#include "bench/shard_cluster.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "bench/bench_cluster.h"
#include "tests/harness/link.h"

namespace bench {

using harness::Ends;
using harness::ServerName;
using raft::ServerId;
using shardctrler::Gid;

namespace {

constexpr int kCtrlers = 0;  // the number of the controller's group

rsm::Options MakeOptions() {
  return rsm::Options{.raft = {.check_invariants = false}};
}

// Looks every millisecond; false if it does not come true.
template <typename Condition>
bool Await(Condition is_true) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!is_true()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace

ShardCluster::ShardCluster(int groups) : network_("bench") {
  for (int group = kCtrlers; group <= groups; ++group) {
    groups_.push_back(std::make_unique<harness::ServerGroup>(
        &network_,
        harness::ServerGroup::Options{
            .group = group,
            .servers = kServers,
            .make_node = [this](Ends ends, int number, ServerId me,
                                std::shared_ptr<persister::Persister> disk) {
              return number == kCtrlers
                         ? MakeCtrler(std::move(ends), me, std::move(disk))
                         : MakeServer(std::move(ends), number, me,
                                      std::move(disk));
            }}));
    for (ServerId i = 0; i < kServers; ++i) groups_.back()->Start(i);
    for (ServerId i = 0; i < kServers; ++i) groups_.back()->Connect(i);
  }
  ctrler_ = std::make_unique<shardctrler::Clerk>(MakeCtrlerEnds());
}

ShardCluster::~ShardCluster() {
  for (const auto& group : groups_) group->Kill();
  network_.Cleanup();
}

harness::Node ShardCluster::MakeCtrler(
    Ends ends, ServerId me, std::shared_ptr<persister::Persister> disk) {
  auto server = std::make_shared<shardctrler::Server>(
      std::move(ends), me, std::move(disk), MakeOptions());
  ctrlers_[static_cast<size_t>(me)] = server;
  return {.services = server->Services(),
          .kill = [server] { server->Kill(); },
          .rest = nullptr};
}

harness::Node ShardCluster::MakeServer(
    Ends ends, Gid gid, ServerId me,
    std::shared_ptr<persister::Persister> disk) {
  auto server = std::make_shared<shardkv::Server>(
      std::move(ends), me, std::move(disk), gid, MakeCtrlerEnds(),
      [this](const std::string& name) { return MakeEndTo(name); },
      MakeOptions());
  servers_[{gid, me}] = server;
  return {.services = server->Services(),
          .kill = [server] { server->Kill(); },
          .rest = nullptr};
}

std::shared_ptr<rpc::ClientEnd> ShardCluster::MakeEndTo(
    const std::string& name) {
  const std::string made = absl::StrCat("E", ++ends_made_, "-", name);
  std::shared_ptr<rpc::ClientEnd> end = network_.MakeEnd(made);
  network_.Connect(made, name);
  network_.Enable(made, true);
  return end;
}

std::shared_ptr<rpc::ClientEnd> ShardCluster::MakeEnd(Gid gid,
                                                      ServerId server) {
  return MakeEndTo(ServerName(static_cast<int>(gid), server));
}

Ends ShardCluster::MakeCtrlerEnds() {
  Ends ends;
  for (ServerId i = 0; i < kServers; ++i) ends.push_back(MakeEnd(kCtrlers, i));
  return ends;
}

std::unique_ptr<shardkv::Clerk> ShardCluster::MakeClerk() {
  return std::make_unique<shardkv::Clerk>(
      MakeCtrlerEnds(),
      [this](const std::string& name) { return MakeEndTo(name); });
}

std::optional<ServerId> ShardCluster::LeaderOf(Gid gid) const {
  for (ServerId i = 0; i < kServers; ++i) {
    raft::Raft& raft = gid == kCtrlers
                           ? ctrlers_[static_cast<size_t>(i)]->raft()
                           : servers_.at({gid, i})->raft();
    if (raft.GetState().is_leader) return i;
  }
  return std::nullopt;
}

bool ShardCluster::AwaitLeaders() {
  return Await([this] {
    for (size_t gid = 0; gid < groups_.size(); ++gid) {
      if (!LeaderOf(static_cast<Gid>(gid)).has_value()) return false;
    }
    return true;
  });
}

void ShardCluster::Join(const std::vector<Gid>& gids) {
  shardctrler::Groups joining;
  for (const Gid gid : gids) {
    for (ServerId i = 0; i < kServers; ++i) {
      joining[gid].push_back(ServerName(static_cast<int>(gid), i));
    }
  }
  config_ = shardctrler::Join(config_, joining).value();
  CHECK(ctrler_->Join(joining).ok());
}

void ShardCluster::Leave(const std::vector<Gid>& gids) {
  config_ = shardctrler::Leave(config_, gids).value();
  CHECK(ctrler_->Leave(gids).ok());
}

void ShardCluster::Move(int shard, Gid gid) {
  config_ = shardctrler::Move(config_, shard, gid).value();
  CHECK(ctrler_->Move(shard, gid).ok());
}

bool ShardCluster::Serve(const std::vector<int>& shards) const {
  std::map<Gid, shardkv::Moves> known;  // of the leaders
  return std::all_of(shards.begin(), shards.end(), [&](int shard) {
    const Gid gid = OwnerOf(shard);
    if (!known.contains(gid)) {
      const std::optional<ServerId> leader = LeaderOf(gid);
      if (!leader.has_value()) return false;
      known[gid] = At(gid, *leader).moves();
    }
    const shardkv::ShardState state = StateOf(known[gid], gid, shard);
    return known[gid].config.num == config_.num &&
           (state == shardkv::ShardState::kOwned ||
            state == shardkv::ShardState::kToConfirm);
  });
}

bool ShardCluster::AwaitSettled() const {
  return Await([this] {
    return std::all_of(
        servers_.begin(), servers_.end(), [this](const auto& server) {
          const shardkv::Moves moves = server.second->moves();
          return moves.config == config_ && moves.coming.empty() &&
                 moves.to_confirm.empty() && moves.leaving.empty();
        });
  });
}

size_t ShardCluster::DiskBytes() const {
  size_t bytes = 0;
  for (const auto& group : groups_) {
    for (ServerId i = 0; i < kServers; ++i) {
      bytes += group->StateSize(i) + group->SnapshotSize(i);
    }
  }
  return bytes;
}

}  // namespace bench
