// The sharded key/value service of 2025 under test, in its processes: a server
// of a group, the server that has the configurations, a Clerk, or a controller
// in each.

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/logging.h"
#include "kvraft/server.h"
#include "rpc/codec.h"
#include "shardkv1/clerk.h"
#include "shardkv1/controller.h"
#include "shardkv1/server.h"
#include "tests/isolation/hosted.h"
#include "tests/isolation/hosted_clerk.h"
#include "tests/isolation/hosted_replica.h"
#include "tests/isolation/service_wire.h"
#include "tests/isolation/shardkv1_wire.h"

namespace isolation {
namespace {

class HostedGroupServer : public HostedReplica {
 public:
  using HostedReplica::HostedReplica;

  void Make(const MakeArgs& args) override {
    server_ = std::make_shared<shardkv1::Server>(
        Peers(), args.me, MakeDisk(args), args.gid, raft_.OptionsFor(args));
    Offer(server_->Services());
  }

 private:
  void Kill() override { server_->Kill(); }

  std::shared_ptr<shardkv1::Server> server_;
};

class HostedShardKV1Clerk : public HostedClerk<shardkv1::Clerk, ClerkCall> {
 public:
  using HostedClerk::HostedClerk;

 private:
  std::string Answer(shardkv1::Clerk* clerk, const ClerkCall& call) override {
    switch (call.method) {
      case ClerkCall::Method::kGetVersioned:
        return rpc::Encode(clerk->Get(call.key));
      case ClerkCall::Method::kPutVersioned:
        return rpc::Encode(clerk->Put(call.key, call.value, call.version));
      default:
        LOG(FATAL) << "no method of this Clerk";
    }
  }
};

class HostedLibrary : public HostedClerk<shardkv1::Controller, LibraryCall> {
 public:
  using HostedClerk::HostedClerk;

 private:
  static std::string Encoded(const absl::Status& status) {
    return rpc::Encode(LibraryAnswer{.failed = !status.ok(),
                                     .error = std::string(status.message())});
  }

  std::string Answer(shardkv1::Controller* controller,
                     const LibraryCall& call) override {
    switch (call.method) {
      case LibraryCall::Method::kInitConfig:
        return Encoded(controller->InitConfig(call.config));
      case LibraryCall::Method::kInitController:
        return Encoded(controller->InitController());
      case LibraryCall::Method::kChangeConfigTo:
        return Encoded(controller->ChangeConfigTo(call.config));
      case LibraryCall::Method::kQuery: {
        absl::StatusOr<shardkv1::Config> config = controller->Query();
        if (!config.ok()) return Encoded(config.status());
        return rpc::Encode(LibraryAnswer{.config = *std::move(config)});
      }
    }
    LOG(FATAL) << "no method of a controller";
  }
};

}  // namespace

std::shared_ptr<Hosted> MakeHosted(Wire* wire, uint64_t instance,
                                   const MakeArgs& args) {
  switch (args.what) {
    case MakeArgs::What::kServer:
      return std::make_shared<HostedServer<kvraft::Server>>(wire, instance,
                                                            args.peers);
    case MakeArgs::What::kShardKV1Server:
      return std::make_shared<HostedGroupServer>(wire, instance, args.peers);
    case MakeArgs::What::kShardKV1Clerk:
      return std::make_shared<HostedShardKV1Clerk>(wire, instance, args.peers);
    case MakeArgs::What::kShardKV1Library:
      return std::make_shared<HostedLibrary>(wire, instance, args.peers);
    default:
      LOG(FATAL) << "what this program does not have";
  }
}

}  // namespace isolation
