// The shard controller and the sharded service under test, in their processes:
// a server of the one or the other, or a Clerk of it, in each.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/logging.h"
#include "rpc/codec.h"
#include "shardctrler/clerk.h"
#include "shardctrler/server.h"
#include "shardkv/clerk.h"
#include "shardkv/server.h"
#include "tests/isolation/hosted.h"
#include "tests/isolation/hosted_clerk.h"
#include "tests/isolation/hosted_replica.h"
#include "tests/isolation/service_wire.h"
#include "tests/isolation/sharded_wire.h"

namespace isolation {
namespace {

class HostedShardServer : public HostedReplica {
 public:
  using HostedReplica::HostedReplica;

  void Make(const MakeArgs& args) override {
    auto peers = Peers();
    std::vector<std::shared_ptr<rpc::ClientEnd>> ctrlers(
        peers.end() - args.ctrlers, peers.end());
    peers.resize(peers.size() - static_cast<size_t>(args.ctrlers));
    server_ = std::make_shared<shardkv::Server>(
        std::move(peers), args.me, MakeDisk(args), args.gid, std::move(ctrlers),
        [this](const std::string& name) { return MakeEnd(name); },
        raft_.OptionsFor(args));
    Offer(server_->Services());
  }

 private:
  void Kill() override { server_->Kill(); }

  std::shared_ptr<shardkv::Server> server_;
};

class HostedCtrlerClerk : public HostedClerk<shardctrler::Clerk, CtrlerCall> {
 public:
  using HostedClerk::HostedClerk;

 private:
  static std::string Encoded(const absl::Status& status) {
    return rpc::Encode(CtrlerAnswer{.failed = !status.ok(),
                                    .error = std::string(status.message())});
  }

  std::string Answer(shardctrler::Clerk* clerk,
                     const CtrlerCall& call) override {
    switch (call.method) {
      case CtrlerCall::Method::kQuery: {
        absl::StatusOr<shardctrler::Config> config = clerk->Query(call.num);
        if (!config.ok()) return Encoded(config.status());
        return rpc::Encode(CtrlerAnswer{.config = *std::move(config)});
      }
      case CtrlerCall::Method::kJoin:
        return Encoded(clerk->Join(call.groups));
      case CtrlerCall::Method::kLeave:
        return Encoded(clerk->Leave(call.gids));
      case CtrlerCall::Method::kMove:
        return Encoded(clerk->Move(call.shard, call.gid));
    }
    LOG(FATAL) << "no method of a Clerk";
  }
};

}  // namespace

std::shared_ptr<Hosted> MakeHosted(Wire* wire, uint64_t instance,
                                   const MakeArgs& args) {
  switch (args.what) {
    case MakeArgs::What::kCtrler:
      return std::make_shared<HostedServer<shardctrler::Server>>(wire, instance,
                                                                 args.peers);
    case MakeArgs::What::kCtrlerClerk:
      return std::make_shared<HostedCtrlerClerk>(wire, instance, args.peers);
    case MakeArgs::What::kShardServer:
      return std::make_shared<HostedShardServer>(wire, instance, args.peers);
    case MakeArgs::What::kShardClerk:
      return std::make_shared<HostedKeyValueClerk<shardkv::Clerk>>(
          wire, instance, args.peers);
    default:
      LOG(FATAL) << "what this program does not have";
  }
}

}  // namespace isolation
