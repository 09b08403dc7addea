#include "shardkv1/config.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace shardkv1 {

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
    absl::Status error = shardctrler::CheckGroup(gid, servers, next.groups);
    if (!error.ok()) return error;
    next.groups.emplace(gid, servers);
  }
  shardctrler::Rebalance(next.groups, next.shards);
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
  shardctrler::Rebalance(next.groups, next.shards);
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
