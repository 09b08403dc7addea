// Which group serves which shard, in 2025's edition of the lab, and how that
// changes when groups come and go.
//
// Thread safety: pure functions and values.

#ifndef SHARDKV1_CONFIG_H_
#define SHARDKV1_CONFIG_H_

#include <array>
#include <cereal/types/array.hpp>
#include <cereal/types/map.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "rpc/codec.h"

namespace shardkv1 {

inline constexpr int kShards = 12;

// Names a group of servers, from 1.
using Gid = int64_t;
inline constexpr Gid kNoGroup = 0;

// The names of the servers of each group.
using Groups = std::map<Gid, std::vector<std::string>>;

// The group that serves all shards before any has moved.
inline constexpr Gid kFirstGroup = 1;

// The shard that has the key.
int ShardOf(std::string_view key);

struct Config {
  int64_t num = 0;  // of the first one in use 1
  // The group of each shard; kNoGroup for all of them if there is no group.
  std::array<Gid, kShards> shards = {};
  Groups groups = {};

  auto Fields() { return std::tie(num, shards, groups); }
  bool operator==(const Config&) const = default;
};

// The first one: the first group, of these servers, has all shards.
Config FirstConfig(const std::vector<std::string>& servers);

// Whether the group owns a shard. With more groups than shards some do not.
bool IsMember(const Config& config, Gid gid);

// These return the configuration that follows `config`, with the next number,
// or an error that says why the request makes no sense. Shares differ by one
// shard at most, and no more shards have moved than that takes.

// With these groups too; one that is there already is an error.
absl::StatusOr<Config> Join(const Config& config, const Groups& groups);

// Without these groups; one that is not there is an error.
absl::StatusOr<Config> Leave(const Config& config,
                             const std::vector<Gid>& gids);

// "config 2: shards 1 1 2 ..., groups 1 2", for people.
std::string ToString(const Config& config);

}  // namespace shardkv1

#endif  // SHARDKV1_CONFIG_H_
