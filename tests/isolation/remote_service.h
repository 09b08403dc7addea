// In the tests: a server of a replicated service that runs in a process of its
// own.

#ifndef TESTS_ISOLATION_REMOTE_SERVICE_H_
#define TESTS_ISOLATION_REMOTE_SERVICE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persister/persister.h"
#include "raft/raft.h"
#include "rpc/codec.h"
#include "rpc/rpc.h"
#include "rsm/rsm.h"
#include "tests/harness/server_group.h"
#include "tests/isolation/raft_process.h"
#include "tests/isolation/remote.h"
#include "tests/isolation/wire.h"

namespace isolation {

// Thread safety: safe; the copies are one server.
class RemoteServer {
 public:
  // Starts the process. `args` says what it has, and which server that is. The
  // hooks of `options` are not called: what they would say of the service, it
  // would say of itself.
  RemoteServer(MakeArgs args, Ends ends,
               std::shared_ptr<persister::Persister> disk, rsm::Options options,
               Remote::MakeEnd make_end = nullptr);

  // What peers and clients call. A call that is not answered there fails.
  std::vector<rpc::Service> Services() const;

  // Its Raft, as far as the tests ask it: whether it leads.
  std::shared_ptr<raft::Raft> Raft() const;

  const Remote& remote() const { return *remote_; }

  // Kills the server, and ends its process. Once.
  void Kill() const;

 private:
  RaftProcess* process_;
  std::shared_ptr<Remote> remote_;
  std::vector<std::string> methods_;
};

// What the server is on its machine.
harness::Node NodeOf(const RemoteServer& server);

// A Clerk that runs in a process of its own.
//
// Thread safety: as the Clerk's: one call at a time; Close() from any thread.
class RemoteClerk {
 public:
  RemoteClerk(MakeArgs::What what, Ends servers,
              Remote::MakeEnd make_end = nullptr);
  ~RemoteClerk() { process_->End(); }
  RemoteClerk(const RemoteClerk&) = delete;
  RemoteClerk& operator=(const RemoteClerk&) = delete;

  template <typename Answer, typename Call>
  Answer Ask(const Call& call) const {
    return DecodeOrDie<Answer>(
        clerk_->Ask(Kind::kClerk, "", rpc::Encode(call)).value_or(""));
  }

  void Close() const {
    clerk_->AskAsync(Kind::kKill, "", "",
                     [](const std::optional<std::string>&) {});
  }

 private:
  RaftProcess* const process_;
  const std::shared_ptr<Remote> clerk_;
};

}  // namespace isolation

#endif  // TESTS_ISOLATION_REMOTE_SERVICE_H_
