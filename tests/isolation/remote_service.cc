#include "tests/isolation/remote_service.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "base/logging.h"
#include "rpc/codec.h"
#include "tests/isolation/raw_bytes.h"

namespace isolation {
namespace {

class StateOfRemote : public raft::Raft {
 public:
  explicit StateOfRemote(std::shared_ptr<Remote> server)
      : server_(std::move(server)) {}

  raft::State GetState() const override {
    const std::optional<std::string> bytes = server_->Ask(Kind::kState);
    if (!bytes.has_value()) return {};  // it is dead
    const auto answer = DecodeOrDie<StateAnswer>(*bytes);
    return {answer.term, answer.is_leader};
  }

  raft::StartResult Start(std::string_view /*command*/) override { Refuse(); }
  void Snapshot(raft::Index, base::Rope /*snapshot*/) override { Refuse(); }
  raft::Status GetStatus() const override { Refuse(); }
  std::vector<rpc::Service> Services() override { Refuse(); }
  void Kill() override { Refuse(); }

 private:
  [[noreturn]] static void Refuse() {
    LOG(FATAL) << "a Raft in another process, beneath a service there";
  }

  const std::shared_ptr<Remote> server_;
};

}  // namespace

RemoteServer::RemoteServer(MakeArgs args, Ends ends,
                           std::shared_ptr<persister::Persister> disk,
                           rsm::Options options, Remote::MakeEnd make_end)
    : process_(&RaftProcess::StartNew()),
      remote_(std::make_shared<Remote>(process_, std::move(ends),
                                       std::move(disk), std::move(make_end))) {
  if (options.max_raft_state.has_value()) {
    args.max_raft_state = static_cast<int64_t>(*options.max_raft_state);
  }
  methods_ =
      remote_->Make(remote_, std::move(args), &options.raft.random.value());
}

std::vector<rpc::Service> RemoteServer::Services() const {
  std::vector<rpc::Service> services;
  for (const std::string& method : methods_) {
    const std::string service = method.substr(0, method.rfind('.'));
    if (services.empty() || services.back().name() != service) {
      services.emplace_back(service);
    }
    services.back().HandleAsync(
        RawMethod{method},
        [remote = remote_, method](const RawBytes& args,
                                   rpc::Responder<RawBytes> respond) {
          remote->Answer(method, args, std::move(respond));
        });
  }
  return services;
}

std::shared_ptr<raft::Raft> RemoteServer::Raft() const {
  return std::make_shared<StateOfRemote>(remote_);
}

void RemoteServer::Kill() const {
  remote_->Ask(Kind::kKill);
  remote_->ClosePeers();
  process_->End();
}

harness::Node NodeOf(const RemoteServer& server) {
  return {.services = server.Services(),
          .kill = [server] { server.Kill(); },
          .rest = nullptr,
          .raft = server.Raft()};
}

RemoteClerk::RemoteClerk(MakeArgs::What what, Ends servers,
                         Remote::MakeEnd make_end)
    : process_(&RaftProcess::StartNew()),
      clerk_(std::make_shared<Remote>(process_, std::move(servers),
                                      /*disk=*/nullptr, std::move(make_end))) {
  clerk_->Make(clerk_, {.what = what}, nullptr);
}

}  // namespace isolation
