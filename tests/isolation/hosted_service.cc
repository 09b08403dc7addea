// The key/value service under test, in its processes: a server of it in one, a
// Clerk in another. And an Rsm, whose machine is in the tests.

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "base/logging.h"
#include "base/rope.h"
#include "kvraft/clerk.h"
#include "kvraft/server.h"
#include "rpc/codec.h"
#include "rsm/rsm.h"
#include "rsm/state_machine.h"
#include "tests/isolation/hosted.h"
#include "tests/isolation/hosted_clerk.h"
#include "tests/isolation/hosted_replica.h"
#include "tests/isolation/raw_bytes.h"
#include "tests/isolation/service_wire.h"

namespace isolation {
namespace {

class ForwardedMachine : public rsm::StateMachine {
 public:
  explicit ForwardedMachine(std::shared_ptr<rpc::ClientEnd> machine)
      : machine_(std::move(machine)) {}

  std::string Apply(std::string_view command) override {
    return Call(kMachineApply, std::string(command));
  }
  base::Rope Snapshot() override { return Call(kMachineSnapshot, ""); }
  absl::Status Restore(const base::Rope& snapshot) override {
    Call(kMachineRestore, snapshot.ToString());
    return absl::OkStatus();
  }

 private:
  std::string Call(const RawMethod& method, std::string bytes) {
    return machine_->Call(method, {std::move(bytes)})
        .value_or(RawBytes())
        .bytes;
  }

  const std::shared_ptr<rpc::ClientEnd> machine_;
};

class HostedRsm : public HostedReplica {
 public:
  using HostedReplica::HostedReplica;

  // The last peer is the machine.
  void Make(const MakeArgs& args) override {
    auto peers = Peers();
    auto machine = std::make_unique<ForwardedMachine>(peers.back());
    peers.pop_back();
    rsm_ =
        std::make_shared<rsm::Rsm>(std::move(peers), args.me, MakeDisk(args),
                                   std::move(machine), raft_.OptionsFor(args));
    Offer(rsm_->Services());
  }

 private:
  void Submit(std::string_view command, rpc::RespondBytes respond) override {
    rsm_->SubmitAsync(command, [respond = std::move(respond)](
                                   const rsm::Result& result) mutable {
      std::move(respond)(
          rpc::Encode(SubmitAnswer{result.outcome, result.value}));
    });
  }
  void Kill() override { rsm_->Kill(); }

  std::shared_ptr<rsm::Rsm> rsm_;
};

}  // namespace

std::shared_ptr<Hosted> MakeHosted(Wire* wire, uint64_t instance,
                                   const MakeArgs& args) {
  switch (args.what) {
    case MakeArgs::What::kServer:
      return std::make_shared<HostedServer<kvraft::Server>>(wire, instance,
                                                            args.peers);
    case MakeArgs::What::kClerk:
      return std::make_shared<HostedKeyValueClerk<kvraft::Clerk>>(
          wire, instance, args.peers);
    case MakeArgs::What::kRsm:
      return std::make_shared<HostedRsm>(wire, instance, args.peers);
    default:
      LOG(FATAL) << "what this program does not have";
  }
}

}  // namespace isolation
