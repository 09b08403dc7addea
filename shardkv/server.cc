#include "shardkv/server.h"

#include <string>
#include <utility>

#include "kvraft/messages.h"
#include "kvraft/replicated_store.h"
#include "rpc/codec.h"
#include "rsm/service.h"
#include "rsm/sessions.h"
#include "rsm/typed.h"
#include "shardkv/group.h"

namespace shardkv {
namespace {

using Machine = rsm::Typed<kvraft::Store>;
using rsm::Sessions;

// What became of an Execute, and, if it was executed, what it returned.
std::pair<Err, std::string> Open(const rsm::Result& outcome) {
  const Err err = rsm::ErrOf<Err>(outcome.outcome);
  if (err != Err::kOk) return {err, ""};
  const Result result = rpc::Decode<Result>(outcome.value).value();
  if (!result.served) return {Err::kWrongGroup, ""};
  return rsm::OpenAnswer<Err>(result.value);
}

std::string Encode(int shard, std::string request) {
  return rpc::Encode(Command{Execute{shard, std::move(request)}});
}

void OpenSession(rsm::Rsm* rsm, const OpenSessionArgs& args,
                 rpc::Responder<OpenSessionReply> respond) {
  rsm->SubmitAsync(
      Encode(args.shard, Sessions::EncodeOpen()),
      [respond = std::move(respond)](const rsm::Result& result) mutable {
        const auto [err, id] = Open(result);
        OpenSessionReply reply{.err = err};
        if (err == Err::kOk) reply.session = *Sessions::DecodeId(id);
        std::move(respond).Send(reply);
      });
}

Reply ReplyOf(kvraft::Reply stored) {
  return {.err = stored.err == kvraft::Err::kNoKey ? Err::kNoKey : Err::kOk,
          .value = std::move(stored.value),
          .revision = stored.revision};
}

// Answers when the command has been executed, in its session if it has one.
void ExecuteCall(rsm::Rsm* rsm, const kvraft::Command& command,
                 uint64_t session, uint64_t number,
                 rpc::Responder<Reply> respond) {
  if (command.key.size() > kvraft::kMaxKeyBytes) {
    return std::move(respond).Send({.err = Err::kTooLarge});
  }
  rsm->SubmitAsync(
      Encode(
          ShardOf(command.key),
          Sessions::EncodeCommand(session, number, Machine::Encode(command))),
      [respond = std::move(respond)](const rsm::Result& result) mutable {
        const auto [err, reply] = Open(result);
        std::move(respond).Send(err == Err::kOk
                                    ? ReplyOf(*Machine::Decode(reply))
                                    : Reply{.err = err});
      });
}

// No leader lacks the configuration of the move: it was committed before the
// shard could be read here.
void DeleteShard(rsm::Rsm* rsm, const DeleteArgs& args,
                 rpc::Responder<DeleteReply> respond) {
  rsm->SubmitAsync(
      rpc::Encode(Command{Delete{args.move}}),
      [respond = std::move(respond)](const rsm::Result& result) mutable {
        std::move(respond).Send({rsm::ErrOf<Err>(result.outcome)});
      });
}

}  // namespace

Server::Server(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
               raft::ServerId me,
               std::shared_ptr<persister::Persister> persister,
               shardctrler::Gid gid,
               std::vector<std::shared_ptr<rpc::ClientEnd>> ctrlers,
               MakeEnd make_end, rsm::Options options, Group::OnMoves on_moves)
    : manager_(
          std::make_shared<Manager>(std::move(ctrlers), std::move(make_end))),
      rsm_(std::make_shared<rsm::Rsm>(
          std::move(peers), me, std::move(persister),
          std::make_unique<Group>(
              gid,
              [manager = manager_,
               on_moves = std::move(on_moves)](const Moves& moves) {
                on_moves(moves);
                manager->OnMoves(moves);
              }),
          std::move(options))) {
  manager_->Start(rsm_.get());
}

Moves Server::moves() const { return manager_->moves(); }

void Server::Kill() {
  manager_->Stop();
  rsm_->Kill();
}

std::vector<rpc::Service> Server::Services() {
  using CommandKind = kvraft::Command::Kind;
  using Respond = rpc::Responder<Reply>;
  rpc::Service service("ShardKV");
  service.HandleAsync(kGet, [rsm = rsm_](const GetArgs& args, Respond respond) {
    ExecuteCall(rsm.get(), {.kind = CommandKind::kGet, .key = args.key},
                /*session=*/0, /*number=*/0, std::move(respond));
  });
  service.HandleAsync(kPutAppend, [rsm = rsm_](const PutAppendArgs& args,
                                               Respond respond) {
    const auto kind = args.append ? CommandKind::kAppend : CommandKind::kPut;
    ExecuteCall(rsm.get(), {kind, args.key, args.value}, args.session,
                args.number, std::move(respond));
  });
  service.HandleAsync(kOpenSession,
                      [rsm = rsm_](const OpenSessionArgs& args,
                                   rpc::Responder<OpenSessionReply> respond) {
                        OpenSession(rsm.get(), args, std::move(respond));
                      });
  service.Handle(kPull, [manager = manager_](const PullArgs& args) {
    return manager->Read(args);
  });
  service.HandleAsync(kDelete,
                      [rsm = rsm_](const DeleteArgs& args,
                                   rpc::Responder<DeleteReply> respond) {
                        DeleteShard(rsm.get(), args, std::move(respond));
                      });
  std::vector<rpc::Service> services = rsm_->Services();
  services.push_back(std::move(service));
  return services;
}

}  // namespace shardkv
