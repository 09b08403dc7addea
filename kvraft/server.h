// One server of the key/value service: keys and their values, which an Rsm
// replicates.
//
// Every call, Get too, is answered by the execution of its own log entry, so
// that a leader that was replaced and does not know it answers nothing.

#ifndef KVRAFT_SERVER_H_
#define KVRAFT_SERVER_H_

#include <memory>
#include <vector>

#include "persister/persister.h"
#include "raft/raft.h"
#include "raft/types.h"
#include "rpc/rpc.h"
#include "rsm/rsm.h"

namespace kvraft {

// Thread safety: safe.
class Server {
 public:
  // Makes server `me` of a group, as raft::Make() and Rsm do.
  Server(std::vector<std::shared_ptr<rpc::ClientEnd>> peers, raft::ServerId me,
         std::shared_ptr<persister::Persister> persister,
         rsm::Options options = {});

  // What Clerks and peers call. They may outlive the server.
  std::vector<rpc::Service> Services();

  raft::Raft& raft() { return rsm_->raft(); }

  // Ends the server: calls in progress are lost, threads joined. Idempotent.
  void Kill() { rsm_->Kill(); }

 private:
  const std::shared_ptr<rsm::Rsm> rsm_;
};

}  // namespace kvraft

#endif  // KVRAFT_SERVER_H_
