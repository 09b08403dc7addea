// One server of the shard controller: the list of configurations, which an Rsm
// replicates.
//
// Every change is a log entry, and so is a query for the latest configuration,
// or for one that this server does not know; any other it answers itself. One
// that waits is answered when this server knows the configuration.

#ifndef SHARDCTRLER_SERVER_H_
#define SHARDCTRLER_SERVER_H_

#include <memory>
#include <vector>

#include "persister/persister.h"
#include "raft/raft.h"
#include "raft/types.h"
#include "rpc/rpc.h"
#include "rsm/rsm.h"
#include "shardctrler/registry.h"

namespace shardctrler {

// Thread safety: safe.
class Server {
 public:
  // Makes server `me` of the controller's group, as raft::Make() and Rsm do.
  // `on_new` is as in registry.h, for views.
  Server(std::vector<std::shared_ptr<rpc::ClientEnd>> peers, raft::ServerId me,
         std::shared_ptr<persister::Persister> persister,
         rsm::Options options = {}, Configs::OnNew on_new = nullptr);

  // What Clerks and peers call. They may outlive the server.
  std::vector<rpc::Service> Services();

  raft::Raft& raft() { return rsm_->raft(); }

  // Ends the server: calls in progress are lost, threads joined. Idempotent.
  void Kill() {
    configs_->Close();
    rsm_->Kill();
  }

 private:
  const std::shared_ptr<Configs> configs_;
  const std::shared_ptr<rsm::Rsm> rsm_;
};

}  // namespace shardctrler

#endif  // SHARDCTRLER_SERVER_H_
