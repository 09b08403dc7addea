#include "shardkv1/server.h"

#include <utility>

#include "kvraft/messages.h"
#include "kvraft/replicated_store.h"
#include "rpc/codec.h"
#include "rsm/service.h"
#include "shardkv1/group.h"

namespace shardkv1 {
namespace {

// Answers with the reply that the execution of the command encodes.
template <typename Reply>
void Execute(rsm::Rsm* rsm, const Command& command,
             rpc::Responder<Reply> respond) {
  rsm->SubmitAsync(
      rpc::Encode(command),
      [respond = std::move(respond)](const rsm::Result& result) mutable {
        const Err err = rsm::ErrOf<Err>(result.outcome);
        if (err != Err::kOk) return std::move(respond).Send({.err = err});
        std::move(respond).Send(rpc::Decode<Reply>(result.value).value());
      });
}

void ExecuteCall(rsm::Rsm* rsm, const kvraft::Command& command,
                 rpc::Responder<Reply> respond) {
  if (command.key.size() > kvraft::kMaxKeyBytes) {
    return std::move(respond).Send({.err = Err::kTooLarge});
  }
  Execute(rsm, {command}, std::move(respond));
}

// A call of a controller is its own log entry.
template <typename Args, typename Reply>
void AddMove(const rpc::Method<Args, Reply>& method,
             const std::shared_ptr<rsm::Rsm>& rsm, rpc::Service* service) {
  service->HandleAsync(method,
                       [rsm](const Args& args, rpc::Responder<Reply> respond) {
                         Execute(rsm.get(), {args}, std::move(respond));
                       });
}

}  // namespace

Server::Server(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
               raft::ServerId me,
               std::shared_ptr<persister::Persister> persister, Gid gid,
               rsm::Options options)
    : rsm_(std::make_shared<rsm::Rsm>(
          std::move(peers), me, std::move(persister),
          std::make_unique<Group>(gid,
                                  [known = known_](const ShardStatuses& now) {
                                    base::SpinLockHolder lock(&known->lock);
                                    known->statuses = now;
                                  }),
          std::move(options))) {}

ShardStatuses Server::statuses() const {
  base::SpinLockHolder lock(&known_->lock);
  return known_->statuses;
}

std::vector<rpc::Service> Server::Services() {
  using Kind = kvraft::Command::Kind;
  using Respond = rpc::Responder<Reply>;
  rpc::Service service("ShardGroup");
  service.HandleAsync(kGet, [rsm = rsm_](const GetArgs& args, Respond respond) {
    ExecuteCall(rsm.get(), {.kind = Kind::kGet, .key = args.key},
                std::move(respond));
  });
  service.HandleAsync(kPut, [rsm = rsm_](const PutArgs& args, Respond respond) {
    ExecuteCall(rsm.get(),
                {Kind::kPutVersion, args.key, args.value, args.version},
                std::move(respond));
  });
  AddMove(kFreeze, rsm_, &service);
  AddMove(kInstall, rsm_, &service);
  AddMove(kDelete, rsm_, &service);
  std::vector<rpc::Service> services = rsm_->Services();
  services.push_back(std::move(service));
  return services;
}

}  // namespace shardkv1
