// One server of a group of the sharded key/value service of 2025: shards, which
// an Rsm replicates. Groups do not know each other, nor the configuration.
//
// Every call is answered by the execution of its own log entry; whether the
// shard is served is known then, and not before.

#ifndef SHARDKV1_SERVER_H_
#define SHARDKV1_SERVER_H_

#include <memory>
#include <vector>

#include "persister/persister.h"
#include "raft/raft.h"
#include "raft/types.h"
#include "rpc/rpc.h"
#include "rsm/rsm.h"
#include "shardkv1/config.h"
#include "shardkv1/group.h"

namespace shardkv1 {

// Thread safety: safe.
class Server {
 public:
  // Makes server `me` of group `gid`, as raft::Make() and Rsm do. `on_shards`
  // is a test's (group.h).
  Server(
      std::vector<std::shared_ptr<rpc::ClientEnd>> peers, raft::ServerId me,
      std::shared_ptr<persister::Persister> persister, Gid gid,
      rsm::Options options = {},
      Group::OnShards on_shards = [](const Group::Statuses&) {});

  // What Clerks, controllers and peers call. They may outlive the server.
  std::vector<rpc::Service> Services();

  raft::Raft& raft() { return rsm_->raft(); }

  // Ends the server: calls in progress are lost, threads joined. Idempotent.
  void Kill() { rsm_->Kill(); }

 private:
  const std::shared_ptr<rsm::Rsm> rsm_;
};

}  // namespace shardkv1

#endif  // SHARDKV1_SERVER_H_
