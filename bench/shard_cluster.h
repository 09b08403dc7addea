// The sharded key/value service for benchmarks: a controller of three servers,
// and groups of three, on one network. Snapshots are off.
//
// Thread safety: one thread makes and ends it; all else may be called from any.

#ifndef BENCH_SHARD_CLUSTER_H_
#define BENCH_SHARD_CLUSTER_H_

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labrpc/network.h"
#include "raft/types.h"
#include "shardctrler/clerk.h"
#include "shardctrler/config.h"
#include "shardctrler/server.h"
#include "shardkv/clerk.h"
#include "shardkv/server.h"
#include "tests/harness/server_group.h"

namespace bench {

class ShardCluster {
 public:
  static constexpr int kServers = 3;  // of each group

  // The gids are 1, 2, ...; none has joined.
  explicit ShardCluster(int groups);
  ~ShardCluster();
  ShardCluster(const ShardCluster&) = delete;
  ShardCluster& operator=(const ShardCluster&) = delete;

  labrpc::Network& network() { return network_; }

  // Waits until the controller and all groups have a leader.
  bool AwaitLeaders();
  std::optional<raft::ServerId> LeaderOf(shardctrler::Gid gid) const;

  // Changes by the controller; each returns with its answer. One thread at a
  // time, no other client; what the controller refuses is fatal.
  void Join(const std::vector<shardctrler::Gid>& gids);
  void Leave(const std::vector<shardctrler::Gid>& gids);
  void Move(int shard, shardctrler::Gid gid);
  // The configuration after them.
  const shardctrler::Config& config() const { return config_; }
  shardctrler::Gid OwnerOf(int shard) const {
    return config_.shards[static_cast<size_t>(shard)];
  }

  // Whether the leader of each of those shards' groups serves it.
  bool Serve(const std::vector<int>& shards) const;
  // Waits until all servers are at the configuration, and no shard moves.
  bool AwaitSettled() const;

  // An enabled end to that server of a group.
  std::shared_ptr<rpc::ClientEnd> MakeEnd(shardctrler::Gid gid,
                                          raft::ServerId server);
  std::unique_ptr<shardkv::Clerk> MakeClerk();

  // The bytes on all disks.
  size_t DiskBytes() const;

 private:
  std::shared_ptr<rpc::ClientEnd> MakeEndTo(const std::string& name);
  harness::Ends MakeCtrlerEnds();
  harness::Node MakeCtrler(harness::Ends ends, raft::ServerId me,
                           std::shared_ptr<persister::Persister> disk);
  harness::Node MakeServer(harness::Ends ends, shardctrler::Gid gid,
                           raft::ServerId me,
                           std::shared_ptr<persister::Persister> disk);
  const shardkv::Server& At(shardctrler::Gid gid, raft::ServerId server) const {
    return *servers_.at({gid, server});
  }

  labrpc::Network network_;
  std::atomic<int> ends_made_ = 0;
  // Written by the constructor.
  std::vector<std::shared_ptr<shardctrler::Server>> ctrlers_{kServers};
  std::map<std::pair<shardctrler::Gid, raft::ServerId>,
           std::shared_ptr<shardkv::Server>>
      servers_;
  std::vector<std::unique_ptr<harness::ServerGroup>> groups_;  // by gid
  std::unique_ptr<shardctrler::Clerk> ctrler_;
  shardctrler::Config config_;
};

}  // namespace bench

#endif  // BENCH_SHARD_CLUSTER_H_
