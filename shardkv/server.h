// One server of a group of the sharded key/value service: an Rsm of a Group,
// and the Manager that works while it leads.
//
// Every operation of a client is executed as a log entry, Get too, and there it
// is decided whether the group serves the shard.

#ifndef SHARDKV_SERVER_H_
#define SHARDKV_SERVER_H_

#include <memory>
#include <vector>

#include "persister/persister.h"
#include "raft/raft.h"
#include "raft/types.h"
#include "rpc/rpc.h"
#include "rsm/rsm.h"
#include "shardctrler/config.h"
#include "shardkv/group.h"
#include "shardkv/manager.h"
#include "shardkv/messages.h"

namespace shardkv {

// Thread safety: safe.
class Server {
 public:
  // Makes server `me` of group `gid`, as raft::Make() and Rsm do. `ctrlers`
  // lead to the servers of the controller, the ends that `make_end` makes to
  // those of other groups. `on_moves` is a test's (group.h).
  Server(
      std::vector<std::shared_ptr<rpc::ClientEnd>> peers, raft::ServerId me,
      std::shared_ptr<persister::Persister> persister, shardctrler::Gid gid,
      std::vector<std::shared_ptr<rpc::ClientEnd>> ctrlers, MakeEnd make_end,
      rsm::Options options = {},
      Group::OnMoves on_moves = [](const Transfers&) {});
  ~Server() { Kill(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // What Clerks, peers and other groups call. They may outlive the server.
  std::vector<rpc::Service> Services();

  raft::Raft& raft() { return rsm_->raft(); }

  // What this server knows of its group.
  Moves moves() const;

  // Ends the server: calls in progress are lost, threads joined. Idempotent;
  // one thread at a time.
  void Kill();

 private:
  const std::shared_ptr<Manager> manager_;
  const std::shared_ptr<rsm::Rsm> rsm_;
};

}  // namespace shardkv

#endif  // SHARDKV_SERVER_H_
