#include "shardkv1/config.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace shardkv1 {
namespace {

// A step takes the lowest shard of the largest share, or one without a group as
// long as there is any, and gives it to the smallest; of equal ones the group
// with the lowest number has it.
void Rebalance(const Groups& groups, std::array<Gid, kShards>* shards) {
  if (groups.empty()) {
    shards->fill(kNoGroup);
    return;
  }
  const auto has_none = [&groups](Gid gid) { return !groups.contains(gid); };
  const auto is_smaller = [](const auto& a, const auto& b) {
    return a.second < b.second;
  };
  while (true) {
    std::map<Gid, int> shares;
    for (const auto& [gid, servers] : groups) shares[gid] = 0;
    for (const Gid gid : *shards) {
      if (!has_none(gid)) ++shares[gid];
    }
    // Both are the first, with the lowest number, of equal ones.
    const auto smallest =
        std::min_element(shares.begin(), shares.end(), is_smaller);
    const auto largest =
        std::max_element(shares.begin(), shares.end(), is_smaller);
    auto moves = std::find_if(shards->begin(), shards->end(), has_none);
    if (moves == shards->end()) {
      if (largest->second <= smallest->second + 1) return;
      moves = std::find(shards->begin(), shards->end(), largest->first);
    }
    *moves = smallest->first;
  }
}

// Whether that group can be one beside those.
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
        absl::StrCat("group ", gid, " is there already"));
  }
  for (const auto& [other, its_servers] : others) {
    const auto shared = std::find_first_of(
        servers.begin(), servers.end(), its_servers.begin(), its_servers.end());
    if (shared == servers.end()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "server ", *shared, " is in group ", other, " and in group ", gid));
  }
  return absl::OkStatus();
}

}  // namespace

// FNV-1a, of 32 bits.
int ShardOf(std::string_view key) {
  uint32_t hash = 2166136261;
  for (const char c : key) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 16777619;
  }
  return static_cast<int>(hash % kShards);
}

Config FirstConfig(const std::vector<std::string>& servers) {
  Config config{.num = 1, .groups = {{kFirstGroup, servers}}};
  config.shards.fill(kFirstGroup);
  return config;
}

bool IsMember(const Config& config, Gid gid) {
  return std::find(config.shards.begin(), config.shards.end(), gid) !=
         config.shards.end();
}

absl::StatusOr<Config> Join(const Config& config, const Groups& groups) {
  Config next = config;
  ++next.num;
  for (const auto& [gid, servers] : groups) {
    absl::Status error = CheckGroup(gid, servers, next.groups);
    if (!error.ok()) return error;
    next.groups.emplace(gid, servers);
  }
  Rebalance(next.groups, &next.shards);
  return next;
}

absl::StatusOr<Config> Leave(const Config& config,
                             const std::vector<Gid>& gids) {
  Config next = config;
  ++next.num;
  for (const Gid gid : gids) {
    if (next.groups.erase(gid) > 0) continue;
    return absl::NotFoundError(absl::StrCat("group ", gid, " is not there"));
  }
  Rebalance(next.groups, &next.shards);
  return next;
}

std::string ToString(const Config& config) {
  std::vector<Gid> gids;
  for (const auto& [gid, servers] : config.groups) gids.push_back(gid);
  return absl::StrCat("config ", config.num, ": shards ",
                      absl::StrJoin(config.shards, " "), ", groups ",
                      absl::StrJoin(gids, " "));
}

}  // namespace shardkv1
