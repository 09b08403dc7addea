#include "shardctrler/server.h"

#include <optional>
#include <string>
#include <utility>

#include "rpc/codec.h"
#include "rsm/service.h"
#include "rsm/sessions.h"
#include "shardctrler/messages.h"

namespace shardctrler {
namespace {

// Answers when the command has been executed, in its session if it has one.
void Execute(rsm::Rsm* rsm, const Command& command, uint64_t session,
             uint64_t number, rpc::Responder<Reply> respond) {
  rsm->SubmitAsync(
      rsm::Sessions::EncodeCommand(session, number, rpc::Encode(command)),
      [respond = std::move(respond)](const rsm::Result& result) mutable {
        const auto [err, reply] = rsm::Open<Err>(result);
        std::move(respond).Send(err == Err::kOk ? *rpc::Decode<Reply>(reply)
                                                : Reply{.err = err});
      });
}

// Has the service execute calls of that method in their sessions.
template <typename Args>
void HandleChange(rpc::Service* service, const rpc::Method<Args, Reply>& method,
                  std::shared_ptr<rsm::Rsm> rsm) {
  service->HandleAsync(method, [rsm = std::move(rsm)](
                                   const Args& args,
                                   rpc::Responder<Reply> respond) {
    Execute(rsm.get(), {args}, args.session, args.number, std::move(respond));
  });
}

}  // namespace

Server::Server(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
               raft::ServerId me,
               std::shared_ptr<persister::Persister> persister,
               rsm::Options options, Configs::OnNew on_new)
    : configs_(std::make_shared<Configs>(std::move(on_new))),
      rsm_(std::make_shared<rsm::Rsm>(
          std::move(peers), me, std::move(persister),
          std::make_unique<rsm::Sessions>(std::make_unique<Registry>(configs_)),
          std::move(options))) {}

std::vector<rpc::Service> Server::Services() {
  rpc::Service service("ShardCtrler");
  HandleChange(&service, kJoin, rsm_);
  HandleChange(&service, kLeave, rsm_);
  HandleChange(&service, kMove, rsm_);
  service.HandleAsync(kQuery, [rsm = rsm_, configs = configs_](
                                  const QueryArgs& args,
                                  rpc::Responder<Reply> respond) {
    if (args.wait) return configs->Await(args.num, std::move(respond));
    std::optional<Config> known = configs->Find(args.num);
    if (known.has_value()) {
      return std::move(respond).Send(
          {.err = Err::kOk, .config = *std::move(known)});
    }
    Execute(rsm.get(), {args}, /*session=*/0, /*number=*/0, std::move(respond));
  });
  service.HandleAsync(kOpenSession,
                      [rsm = rsm_](const OpenSessionArgs& /*args*/,
                                   rpc::Responder<OpenSessionReply> respond) {
                        rsm::OpenSession(rsm.get(), std::move(respond));
                      });
  std::vector<rpc::Service> services = rsm_->Services();
  services.push_back(std::move(service));
  return services;
}

}  // namespace shardctrler
