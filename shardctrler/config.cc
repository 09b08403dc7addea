#include "shardctrler/config.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace shardctrler {
namespace {

// The shards of each group, ascending; those without a group under kNoGroup.
using Shares = std::map<Gid, std::set<size_t>>;

Shares SharesOf(const Groups& groups, std::span<const Gid> shards) {
  Shares shares;
  for (const auto& [gid, servers] : groups) shares[gid];
  for (size_t shard = 0; shard < shards.size(); ++shard) {
    const Gid gid = shards[shard];
    shares[groups.contains(gid) ? gid : kNoGroup].insert(shard);
  }
  return shares;
}

Config Next(const Config& config) {
  Config next = config;
  ++next.num;
  return next;
}

// Which group has that server; kNoGroup: none.
Gid GroupOf(const std::string& server, const Groups& groups) {
  for (const auto& [gid, servers] : groups) {
    const bool has_it =
        std::find(servers.begin(), servers.end(), server) != servers.end();
    if (has_it) return gid;
  }
  return kNoGroup;
}

}  // namespace

// A step takes the lowest shard of the largest share, or one without a group as
// long as there is any, and gives it to the smallest; of equal ones the group
// with the lowest number has it.
//
// Each step brings a shard from a share that must shrink to one that must grow,
// so none is moved twice.
void Rebalance(const Groups& groups, std::span<Gid> shards) {
  Shares shares = SharesOf(groups, shards);
  std::set<size_t> free = std::move(shares[kNoGroup]);
  shares.erase(kNoGroup);
  if (shares.empty()) {
    for (const size_t shard : free) shards[shard] = kNoGroup;
    return;
  }
  const auto is_smaller = [](const auto& a, const auto& b) {
    return a.second.size() < b.second.size();
  };
  // Both are the first, with the lowest number, of equal ones.
  const auto smallest = [&] {
    return std::min_element(shares.begin(), shares.end(), is_smaller);
  };
  const auto largest = [&] {
    return std::max_element(shares.begin(), shares.end(), is_smaller);
  };
  while (!free.empty() ||
         largest()->second.size() > smallest()->second.size() + 1) {
    std::set<size_t>& from = free.empty() ? largest()->second : free;
    auto& [gid, to] = *smallest();
    const size_t shard = *from.begin();
    from.erase(shard);
    to.insert(shard);
    shards[shard] = gid;
  }
}

absl::Status CheckGroup(Gid gid, const std::vector<std::string>& servers,
                        const Groups& others) {
  if (gid <= kNoGroup) {
    return absl::InvalidArgumentError(
        absl::StrCat("group ", gid, ": groups are numbered from 1"));
  }
  if (servers.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("group ", gid, " has no servers"));
  }
  if (others.contains(gid)) {
    return absl::AlreadyExistsError(
        absl::StrCat("group ", gid, " is there already, with other servers"));
  }
  for (const std::string& server : servers) {
    const Gid other = GroupOf(server, others);
    if (other == kNoGroup) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "server ", server, " is in group ", other, " and in group ", gid));
  }
  return absl::OkStatus();
}

absl::StatusOr<Config> Join(const Config& config, const Groups& groups) {
  Config next = Next(config);
  for (const auto& [gid, servers] : groups) {
    const auto found = config.groups.find(gid);
    if (found != config.groups.end() && found->second == servers) continue;
    absl::Status error = CheckGroup(gid, servers, next.groups);
    if (!error.ok()) return error;
    next.groups.emplace(gid, servers);
  }
  if (next.groups == config.groups) return config;
  Rebalance(next.groups, next.shards);
  return next;
}

absl::StatusOr<Config> Leave(const Config& config,
                             const std::vector<Gid>& gids) {
  Config next = Next(config);
  for (const Gid gid : gids) next.groups.erase(gid);
  if (next.groups == config.groups) return config;
  Rebalance(next.groups, next.shards);
  return next;
}

absl::StatusOr<Config> Move(const Config& config, int shard, Gid gid) {
  if (shard < 0 || shard >= kShards) {
    return absl::InvalidArgumentError(absl::StrCat(
        "shard ", shard, ": shards are numbered from 0 to ", kShards - 1));
  }
  if (!config.groups.contains(gid)) return config;
  Config next = Next(config);
  next.shards[static_cast<size_t>(shard)] = gid;
  return next;
}

}  // namespace shardctrler
