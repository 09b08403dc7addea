#include "shardkv/server.h"

#include <optional>
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

using CommandKind = kvraft::Command::Kind;
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

// The entries of calls; none if the call is above the limits.
std::optional<Command> EntryOf(const kvraft::Command& command,
                               uint64_t session = 0, uint64_t number = 0) {
  if (command.key.size() > kvraft::kMaxKeyBytes) return std::nullopt;
  return Command{Execute{
      ShardOf(command.key),
      Sessions::EncodeCommand(session, number, Machine::Encode(command))}};
}
std::optional<Command> EntryOf(const GetArgs& args) {
  return EntryOf({.kind = CommandKind::kGet, .key = args.key});
}
std::optional<Command> EntryOf(const PutAppendArgs& args) {
  const auto kind = args.append ? CommandKind::kAppend : CommandKind::kPut;
  return EntryOf({kind, args.key, args.value}, args.session, args.number);
}
std::optional<Command> EntryOf(const OpenSessionArgs& args) {
  return Command{Execute{args.shard, Sessions::EncodeOpen()}};
}
// No leader lacks the configuration of the move: it was committed before the
// shard could be read here.
std::optional<Command> EntryOf(const DeleteArgs& args) {
  return Command{Delete{args.move}};
}

// The answers to them.
void Answer(const rsm::Result& result, Reply* reply) {
  const auto [err, bytes] = Open(result);
  reply->err = err;
  if (err != Err::kOk) return;
  kvraft::Reply stored = *Machine::Decode(bytes);
  if (stored.err == kvraft::Err::kNoKey) reply->err = Err::kNoKey;
  reply->value = std::move(stored.value);
  reply->revision = stored.revision;
}
void Answer(const rsm::Result& result, OpenSessionReply* reply) {
  const auto [err, id] = Open(result);
  reply->err = err;
  if (err == Err::kOk) reply->session = *Sessions::DecodeId(id);
}
void Answer(const rsm::Result& result, DeleteReply* reply) {
  reply->err = rsm::ErrOf<Err>(result.outcome);
}

// Answers calls of that method when their entries have been executed.
template <typename Args, typename Reply>
void Serve(const rpc::Method<Args, Reply>& method,
           const std::shared_ptr<rsm::Rsm>& rsm, rpc::Service* service) {
  service->HandleAsync(
      method, [rsm](const Args& args, rpc::Responder<Reply> respond) {
        const std::optional<Command> entry = EntryOf(args);
        if (!entry) return std::move(respond).Send({.err = Err::kTooLarge});
        rsm->SubmitAsync(
            rpc::Encode(*entry),
            [respond = std::move(respond)](const rsm::Result& result) mutable {
              Reply reply;
              Answer(result, &reply);
              std::move(respond).Send(reply);
            });
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
               on_moves = std::move(on_moves)](const Transfers& moves) {
                on_moves(moves);
                manager->OnMoves(moves);
              }),
          std::move(options))) {
  manager_->Start(rsm_.get());
}

Moves Server::moves() const { return Told(manager_->transfers()); }

void Server::Kill() {
  manager_->Stop();
  rsm_->Kill();
}

std::vector<rpc::Service> Server::Services() {
  rpc::Service service("ShardKV");
  Serve(kGet, rsm_, &service);
  Serve(kPutAppend, rsm_, &service);
  Serve(kOpenSession, rsm_, &service);
  Serve(kDelete, rsm_, &service);
  service.Handle(kPull, [manager = manager_](const PullArgs& args) {
    return manager->Read(args);
  });
  std::vector<rpc::Service> services = rsm_->Services();
  services.push_back(std::move(service));
  return services;
}

}  // namespace shardkv
