// One server of a group of the sharded key/value service of 2025: shards, which
// an Rsm replicates. Groups do not know each other, nor the configuration.
//
// Every call is answered by the execution of its own log entry; whether the
// shard is served is known then, and not before.

#ifndef SHARDKV1_SERVER_H_
#define SHARDKV1_SERVER_H_

#include <memory>
#include <vector>

#include "base/spin_lock.h"
#include "persister/persister.h"
#include "raft/raft.h"
#include "raft/types.h"
#include "rpc/rpc.h"
#include "rsm/rsm.h"
#include "shardkv1/config.h"
#include "shardkv1/messages.h"

namespace shardkv1 {

// Thread safety: safe.
class Server {
 public:
  // Makes server `me` of group `gid`, as raft::Make() and Rsm do.
  Server(std::vector<std::shared_ptr<rpc::ClientEnd>> peers, raft::ServerId me,
         std::shared_ptr<persister::Persister> persister, Gid gid,
         rsm::Options options = {});

  // What Clerks, controllers and peers call. They may outlive the server.
  std::vector<rpc::Service> Services();

  raft::Raft& raft() { return rsm_->raft(); }

  // What this server knows of its group's shards.
  ShardStatuses statuses() const;

  // Ends the server: calls in progress are lost, threads joined. Idempotent.
  void Kill() { rsm_->Kill(); }

 private:
  // Thread safety: safe; a leaf.
  struct Known {
    base::SpinLock lock;
    ShardStatuses statuses ABSL_GUARDED_BY(lock);
  };

  const std::shared_ptr<Known> known_ = std::make_shared<Known>();
  const std::shared_ptr<rsm::Rsm> rsm_;
};

}  // namespace shardkv1

#endif  // SHARDKV1_SERVER_H_
