// raft::Make() for tests whose Raft runs in another process: an instance here
// asks the one there, and passes on its deliveries.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "base/mutex.h"
#include "raft/raft.h"
#include "rpc/codec.h"
#include "tests/isolation/raft_process.h"
#include "tests/isolation/raw_bytes.h"
#include "tests/isolation/remote.h"
#include "tests/isolation/wire.h"

namespace isolation {
namespace {

// What there is of it beside the Raft itself: its deliveries.
//
// Thread safety: safe. Lock order: mu_ is a leaf.
class RemoteInstance : public Remote {
 public:
  RemoteInstance(RaftProcess* process, Ends peers,
                 std::shared_ptr<persister::Persister> disk,
                 std::shared_ptr<raft::ApplyChannel> channel)
      : Remote(process, std::move(peers), std::move(disk)),
        channel_(std::move(channel)),
        deliverer_([this] { DeliverLoop(); }) {}

  // As raft::Raft::Kill() says. Once.
  void Kill() EXCLUDES(mu_) {
    Ask(Kind::kKill);
    channel_->Close();
    {
      base::MutexLock lock(&mu_);
      is_killed_ = true;
      changed_.SignalAll();
    }
    deliverer_.join();
    ClosePeers();
  }

 private:
  void OnApply(Message&& message) override EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    deliveries_.push_back(std::move(message.bytes));
    changed_.SignalAll();
  }

  void DeliverLoop() EXCLUDES(mu_) {
    while (std::optional<std::string> bytes = NextDelivery()) {
      auto delivery = DecodeOrDie<Delivery>(*bytes);
      raft::ApplyMsg message = {.kind = delivery.is_snapshot
                                            ? raft::ApplyMsg::Kind::kSnapshot
                                            : raft::ApplyMsg::Kind::kCommand,
                                .index = delivery.index,
                                .term = delivery.term,
                                .command = {},
                                .snapshot = {}};
      if (delivery.is_snapshot) {
        message.snapshot = delivery.bytes;
      } else {
        message.command = std::move(delivery.bytes);
      }
      if (channel_->Send(std::move(message))) Tell({.kind = Kind::kTaken});
    }
  }

  std::optional<std::string> NextDelivery() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    while (deliveries_.empty() && !is_killed_) changed_.Wait(&mu_);
    if (is_killed_) return std::nullopt;
    std::string bytes = std::move(deliveries_.front());
    deliveries_.pop_front();
    return bytes;
  }

  const std::shared_ptr<raft::ApplyChannel> channel_;

  base::Mutex mu_;
  base::CondVar changed_;
  std::deque<std::string> deliveries_ ABSL_GUARDED_BY(mu_);
  bool is_killed_ ABSL_GUARDED_BY(mu_) = false;

  std::thread deliverer_;  // started last
};

class RemoteRaft : public raft::Raft {
 public:
  RemoteRaft(raft::ServerId me, base::Random* random,
             std::shared_ptr<RemoteInstance> instance)
      : instance_(std::move(instance)),
        methods_(instance_->Make(instance_, {.me = me}, random)) {}

  ~RemoteRaft() override { Kill(); }

  raft::StartResult Start(std::string_view command) override {
    const auto answer = DecodeOrDie<StartAnswer>(
        instance_->Ask(Kind::kStart, "", command).value_or(""));
    return {answer.index, answer.term, answer.is_leader};
  }

  void Snapshot(raft::Index index, base::Rope snapshot) override {
    instance_->Ask(Kind::kSnapshot, "",
                   rpc::Encode(isolation::SnapshotArgs{
                       .index = index, .snapshot = snapshot.ToString()}));
  }

  raft::State GetState() const override {
    const auto answer =
        DecodeOrDie<StateAnswer>(instance_->Ask(Kind::kState).value_or(""));
    return {answer.term, answer.is_leader};
  }

  // For views only, and there are none here.
  raft::Status GetStatus() const override { return {}; }

  std::vector<rpc::Service> Services() override {
    std::vector<rpc::Service> services;
    for (const std::string& method : methods_) {
      const std::string service = method.substr(0, method.rfind('.'));
      if (services.empty() || services.back().name() != service) {
        services.emplace_back(service);
      }
      services.back().HandleAsync(
          RawMethod{method},
          [remote = instance_, method](const RawBytes& args,
                                       rpc::Responder<RawBytes> respond) {
            remote->Answer(method, args, std::move(respond));
          });
    }
    return services;
  }

  void Kill() override {
    base::MutexLock lock(&kill_mu_);
    if (!is_killed_) instance_->Kill();
    is_killed_ = true;
  }

 private:
  const std::shared_ptr<RemoteInstance> instance_;
  const std::vector<std::string> methods_;

  base::Mutex kill_mu_;  // a second caller waits for the first
  bool is_killed_ ABSL_GUARDED_BY(kill_mu_) = false;
};

}  // namespace
}  // namespace isolation

namespace raft {

std::shared_ptr<Raft> Make(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
                           ServerId me,
                           std::shared_ptr<persister::Persister> persister,
                           std::shared_ptr<ApplyChannel> apply_channel,
                           Options options) {
  if (!options.random.has_value()) {
    options.random = base::Random::FromEntropy();
  }
  return std::make_shared<isolation::RemoteRaft>(
      me, &*options.random,
      std::make_shared<isolation::RemoteInstance>(
          &isolation::RaftProcess::For(me), std::move(peers),
          std::move(persister), std::move(apply_channel)));
}

}  // namespace raft
