#include "tests/shardkv/gate.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "raft/messages.h"
#include "rpc/codec.h"

namespace tests {

using harness::Fail;
using harness::Kind;
using harness::Place;
using harness::ShardCluster;
using labrpc::Packet;
using labrpc::Ruling;
using raft::ServerId;

void Gate::Hold(IsMeant held) {
  base::MutexLock lock(&mu_);
  held_ = std::move(held);
}

void Gate::Drop(IsMeant dropped) {
  base::MutexLock lock(&mu_);
  dropped_ = std::move(dropped);
}

void Gate::DropOne(IsMeant dropped, IsMeant held_then) {
  base::MutexLock lock(&mu_);
  dropped_once_ = std::move(dropped);
  held_then_ = std::move(held_then);
}

size_t Gate::held() {
  base::MutexLock lock(&mu_);
  return calls_.size();
}

void Gate::Forget() {
  base::MutexLock lock(&mu_);
  held_ = dropped_ = dropped_once_ = held_then_ = nullptr;
}

void Gate::Open(labrpc::Network* network) {
  Forget();
  std::vector<uint64_t> calls;
  {
    base::MutexLock lock(&mu_);
    calls.swap(calls_);
  }
  for (const uint64_t call : calls) network->Release(call);
}

Ruling Gate::Rule(const Packet& packet) {
  base::MutexLock lock(&mu_);
  if (dropped_ && dropped_(packet)) return Ruling::kDrop;
  if (dropped_once_ && dropped_once_(packet)) {
    dropped_once_ = nullptr;
    held_ = std::move(held_then_);
    return Ruling::kDrop;
  }
  if (!held_ || !held_(packet)) return Ruling::kPass;
  calls_.push_back(packet.call);
  return Ruling::kHold;
}

bool IsRequest(const Packet& packet, std::string_view method) {
  return packet.kind == Packet::Kind::kRequest && packet.method == method;
}

bool IsOfGroup(const Packet& packet, int group) {
  return packet.server.starts_with(
      absl::StrCat("G", ShardCluster::GidOf(group), "/"));
}

std::optional<Appending> AppendingTo(const Packet& packet, int group) {
  if (!IsRequest(packet, raft::kAppendEntries.name) ||
      !IsOfGroup(packet, group)) {
    return std::nullopt;
  }
  const auto args = rpc::Decode<raft::AppendEntriesArgs>(packet.bytes);
  if (!args.ok()) return std::nullopt;
  Appending appending = {args->term, args->leader_commit, {}};
  raft::Index index = args->prev_log_index;
  for (const raft::EntryView entry : args->entries) {
    const auto command = rpc::Decode<shardkv::Command>(entry.command);
    appending.entries.emplace_back(
        ++index, command.ok() ? *command : shardkv::Command());
  }
  return appending;
}

void WaitUntil(ShardCluster* cluster, const std::string& what,
               const std::function<bool()>& is_so, Place place) {
  const auto limit =
      std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > limit) {
      Fail(Kind::kLiveness,
           absl::StrCat("expected ", what, " within 20 s\n",
                        cluster->Describe()),
           place);
    }
    cluster->stage().Sleep(std::chrono::milliseconds(5), place);
  }
}

void JoinWithHeld(ShardCluster* cluster, Gate* gate, std::string_view method,
                  Place place) {
  gate->Hold(
      [method](const Packet& packet) { return IsRequest(packet, method); });
  cluster->Join({1}, place);
  WaitUntil(
      cluster, "a call for each of five shards",
      [gate] { return gate->held() >= 5; }, place);
}

bool HasAll(ShardCluster* cluster, int group, ServerId server, int64_t num) {
  const std::optional<shardkv::Moves> moves = cluster->MovesOf(group, server);
  return moves.has_value() && moves->config.num >= num && moves->coming.empty();
}

}  // namespace tests
