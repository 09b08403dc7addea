#include "kvraft/server.h"

#include <algorithm>
#include <utility>

#include "kvraft/messages.h"
#include "kvraft/replicated_store.h"
#include "rsm/service.h"
#include "rsm/sessions.h"
#include "rsm/typed.h"

namespace kvraft {
namespace {

using Machine = rsm::Typed<Store>;

// Answers when the command has been executed, in its session if it has one.
void Execute(rsm::Rsm* rsm, const Command& command, uint64_t session,
             uint64_t number, rpc::Responder<Reply> respond) {
  if (command.key.size() > kMaxKeyBytes) {
    return std::move(respond).Send({.err = Err::kTooLarge});
  }
  rsm->SubmitAsync(
      rsm::Sessions::EncodeCommand(session, number, Machine::Encode(command)),
      [respond = std::move(respond)](const rsm::Result& result) mutable {
        const auto [err, reply] = rsm::Open<Err>(result);
        std::move(respond).Send(err == Err::kOk ? *Machine::Decode(reply)
                                                : Reply{.err = err});
      });
}

}  // namespace

void save(rpc::ByteWriter& writer, const Entries& entries) {
  std::vector<Entries::const_pointer> sorted;
  sorted.reserve(entries.size());
  for (const auto& entry : entries) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(),
            [](auto a, auto b) { return a->first < b->first; });
  writer(static_cast<uint64_t>(sorted.size()));
  for (const auto* entry : sorted) writer(entry->first, entry->second);
}

void load(rpc::ByteReader& reader, Entries& entries) {
  uint64_t count = 0;
  for (reader(count); count > 0; --count) {
    std::string key;
    reader(key);
    reader(entries[std::move(key)]);
  }
}

Reply Store::Apply(const Command& command) {
  ++revision;
  const auto found = entries.find(command.key);
  const bool exists = found != entries.end();
  const uint64_t version = exists ? found->second.version : 0;
  Reply reply{.err = exists ? Err::kOk : Err::kNoKey,
              .version = version,
              .revision = revision};
  if (command.kind == Command::Kind::kGet) {
    if (exists) reply.value = found->second.value;
    return reply;
  }
  if (command.kind == Command::Kind::kPutVersion &&
      command.version != version) {
    if (exists) reply.err = Err::kVersion;
    return reply;
  }
  Entry& entry = entries[command.key];
  if (command.kind != Command::Kind::kAppend) entry.value.clear();
  entry.value += command.value;
  reply.err = Err::kOk;
  reply.version = ++entry.version;
  return reply;
}

Server::Server(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
               raft::ServerId me,
               std::shared_ptr<persister::Persister> persister,
               rsm::Options options)
    : rsm_(std::make_shared<rsm::Rsm>(
          std::move(peers), me, std::move(persister),
          std::make_unique<rsm::Sessions>(std::make_unique<Machine>()),
          std::move(options))) {}

std::vector<rpc::Service> Server::Services() {
  rpc::Service service("KVServer");
  using Respond = rpc::Responder<Reply>;
  service.HandleAsync(kGet, [rsm = rsm_](const GetArgs& args, Respond respond) {
    Execute(rsm.get(), {.kind = Command::Kind::kGet, .key = args.key},
            /*session=*/0, /*number=*/0, std::move(respond));
  });
  service.HandleAsync(
      kPutAppend, [rsm = rsm_](const PutAppendArgs& args, Respond respond) {
        const auto kind =
            args.append ? Command::Kind::kAppend : Command::Kind::kPut;
        Execute(rsm.get(), {kind, args.key, args.value}, args.session,
                args.number, std::move(respond));
      });
  service.HandleAsync(kPut, [rsm = rsm_](const PutArgs& args, Respond respond) {
    Execute(rsm.get(),
            {Command::Kind::kPutVersion, args.key, args.value, args.version},
            /*session=*/0, /*number=*/0, std::move(respond));
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

}  // namespace kvraft
