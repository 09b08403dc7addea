// The shard controller and the sharded service under test, in their processes:
// a server of the one or the other, or a Clerk of it, in each.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "rpc/codec.h"
#include "shardctrler/clerk.h"
#include "shardctrler/server.h"
#include "shardkv/clerk.h"
#include "shardkv/server.h"
#include "tests/isolation/hosted.h"
#include "tests/isolation/hosted_replica.h"
#include "tests/isolation/service_wire.h"
#include "tests/isolation/sharded_wire.h"

namespace isolation {
namespace {

class HostedCtrler : public HostedReplica {
 public:
  using HostedReplica::HostedReplica;

  void Make(const MakeArgs& args) override {
    server_ = std::make_shared<shardctrler::Server>(
        Peers(), args.me, MakeDisk(args), raft_.OptionsFor(args));
    Offer(server_->Services());
  }

 private:
  void Kill() override { server_->Kill(); }

  std::shared_ptr<shardctrler::Server> server_;
};

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

CtrlerAnswer AnswerOf(const absl::Status& status) {
  return {.failed = !status.ok(), .error = std::string(status.message())};
}

CtrlerAnswer Answer(shardctrler::Clerk* clerk, const CtrlerCall& call) {
  switch (call.method) {
    case CtrlerCall::Method::kQuery: {
      const absl::StatusOr<shardctrler::Config> config = clerk->Query(call.num);
      CtrlerAnswer answer = AnswerOf(config.status());
      if (config.ok()) answer.config = *config;
      return answer;
    }
    case CtrlerCall::Method::kJoin:
      return AnswerOf(clerk->Join(call.groups));
    case CtrlerCall::Method::kLeave:
      return AnswerOf(clerk->Leave(call.gids));
    case CtrlerCall::Method::kMove:
      return AnswerOf(clerk->Move(call.shard, call.gid));
  }
  LOG(FATAL) << "no method of a Clerk";
}

ClerkAnswer Answer(shardkv::Clerk* clerk, const ClerkCall& call) {
  const auto answer_of = [](const absl::Status& status) {
    return ClerkAnswer{.failed = !status.ok(),
                       .error = std::string(status.message())};
  };
  switch (call.method) {
    case ClerkCall::Method::kGet: {
      absl::StatusOr<std::string> value = clerk->Get(call.key);
      ClerkAnswer answer = answer_of(value.status());
      if (value.ok()) answer.value = *std::move(value);
      return answer;
    }
    case ClerkCall::Method::kPut:
      return answer_of(clerk->Put(call.key, call.value));
    case ClerkCall::Method::kAppend:
      return answer_of(clerk->Append(call.key, call.value));
    default:
      LOG(FATAL) << "no method of this Clerk";
  }
}

// Answers a client's calls, and ends its Clerk.
template <typename Clerk, typename Call>
void ServeClerk(Clerk* clerk, const Message& question,
                rpc::RespondBytes respond) {
  switch (question.kind) {
    case Kind::kClerk:
      return std::move(respond)(
          rpc::Encode(Answer(clerk, *rpc::Decode<Call>(question.bytes))));
    case Kind::kKill:
      clerk->Close();
      return std::move(respond)("");
    default:
      LOG(FATAL) << "what no Clerk is asked";
  }
}

class HostedCtrlerClerk : public Hosted {
 public:
  using Hosted::Hosted;

  void Make(const MakeArgs& /*args*/) override {
    clerk_ = std::make_unique<shardctrler::Clerk>(Peers());
  }
  void Serve(const Message& question, rpc::RespondBytes respond) override {
    ServeClerk<shardctrler::Clerk, CtrlerCall>(clerk_.get(), question,
                                               std::move(respond));
  }

 private:
  std::unique_ptr<shardctrler::Clerk> clerk_;
};

class HostedShardClerk : public Hosted {
 public:
  using Hosted::Hosted;

  void Make(const MakeArgs& /*args*/) override {
    clerk_ = std::make_unique<shardkv::Clerk>(
        Peers(), [this](const std::string& name) { return MakeEnd(name); });
  }
  void Serve(const Message& question, rpc::RespondBytes respond) override {
    ServeClerk<shardkv::Clerk, ClerkCall>(clerk_.get(), question,
                                          std::move(respond));
  }

 private:
  std::unique_ptr<shardkv::Clerk> clerk_;
};

}  // namespace

std::shared_ptr<Hosted> MakeHosted(Wire* wire, uint64_t instance,
                                   const MakeArgs& args) {
  switch (args.what) {
    case MakeArgs::What::kCtrler:
      return std::make_shared<HostedCtrler>(wire, instance, args.peers);
    case MakeArgs::What::kCtrlerClerk:
      return std::make_shared<HostedCtrlerClerk>(wire, instance, args.peers);
    case MakeArgs::What::kShardServer:
      return std::make_shared<HostedShardServer>(wire, instance, args.peers);
    case MakeArgs::What::kShardClerk:
      return std::make_shared<HostedShardClerk>(wire, instance, args.peers);
    default:
      LOG(FATAL) << "what this program does not have";
  }
}

}  // namespace isolation
