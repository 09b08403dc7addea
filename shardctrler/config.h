// Which group serves which shard, and how that changes when groups come and go.
//
// Thread safety: pure functions and values.

#ifndef SHARDCTRLER_CONFIG_H_
#define SHARDCTRLER_CONFIG_H_

#include <array>
#include <cereal/types/array.hpp>
#include <cereal/types/map.hpp>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rpc/codec.h"

namespace shardctrler {

inline constexpr int kShards = 10;

// Names a group of servers, from 1.
using Gid = int64_t;
inline constexpr Gid kNoGroup = 0;

// The names of the servers of each group. Ordered: what is computed from it
// must be the same on all servers.
using Groups = std::map<Gid, std::vector<std::string>>;

// One in the list of all configurations, which is kept forever.
struct Config {
  int64_t num = 0;  // its place in the list
  // The group of each shard; kNoGroup for all of them if there is no group.
  std::array<Gid, kShards> shards = {};
  Groups groups = {};

  auto Fields() { return std::tie(num, shards, groups); }
  bool operator==(const Config&) const = default;
};

// These return the configuration that follows `config`, with the next number;
// `config` itself if there is nothing to change; or an error that says why the
// request makes no sense.

// With these groups too. One that is there already must have these very
// servers; a server belongs to one group. One that has left may come back, with
// other servers too.
absl::StatusOr<Config> Join(const Config& config, const Groups& groups);

// Without these groups. Those that are not there are ignored.
absl::StatusOr<Config> Leave(const Config& config,
                             const std::vector<Gid>& gids);

// With that shard at that group, whatever its share is then; the next Join() or
// Leave() may undo it. A group that is not there is ignored; to one that is
// there it is always a change, even if it has the shard already.
absl::StatusOr<Config> Move(const Config& config, int shard, Gid gid);

// For configurations of any number of shards.

// Gives the shards to the groups so that no share is larger than another by
// more than one, with as few moves as that takes. `shards` has the group of
// each; one that is not among the groups counts as none.
void Rebalance(const Groups& groups, std::span<Gid> shards);

// Whether that group can be one beside those.
absl::Status CheckGroup(Gid gid, const std::vector<std::string>& servers,
                        const Groups& others);

}  // namespace shardctrler

#endif  // SHARDCTRLER_CONFIG_H_
