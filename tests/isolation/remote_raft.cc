// raft::Make() for tests whose Raft runs in another process: an instance here
// asks the one there, and does for it what goes out: calls to peers, saves,
// deliveries.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "raft/raft.h"
#include "rpc/codec.h"
#include "tests/isolation/raft_process.h"
#include "tests/isolation/raw_bytes.h"
#include "tests/isolation/wire.h"

namespace isolation {
namespace {

using Ends = std::vector<std::shared_ptr<rpc::ClientEnd>>;

// What the other process said is not what it should be: it is the Raft's fault.
template <typename T>
T DecodeOrDie(std::string_view bytes) {
  absl::StatusOr<T> value = rpc::Decode<T>(bytes);
  CHECK(value.ok()) << "the process of the Raft under test: "
                    << value.status().message();
  return *std::move(value);
}

// What belongs to one instance in the other process, which has it as long as
// this is alive: while the tests or a running call hold it.
//
// Thread safety: safe. Lock order: mu_ is a leaf.
class Instance : public Listener {
 public:
  Instance(RaftProcess* process, Ends peers,
           std::shared_ptr<persister::Persister> disk,
           std::shared_ptr<raft::ApplyChannel> channel)
      : process_(process),
        peers_(std::move(peers)),
        disk_(std::move(disk)),
        channel_(std::move(channel)),
        saved_(disk_->ReadRaftState()) {}

  ~Instance() override {
    Tell({.kind = Kind::kForget});
    process_->Remove(id_);
  }

  // REQUIRES: `me` is owned by a shared pointer.
  void Begin(const std::shared_ptr<Instance>& me) {
    id_ = process_->Add(me);
    deliverer_ = std::thread([this] { DeliverLoop(); });
  }

  // Blocks for an answer.
  std::optional<std::string> Ask(Kind kind, std::string_view name = {},
                                 std::string_view bytes = {}) const {
    return process_->Ask({.kind = kind,
                          .instance = id_,
                          .name = std::string(name),
                          .bytes = std::string(bytes)});
  }
  void Tell(Message message) const {
    message.instance = id_;
    process_->Tell(message);
  }

  void OnMessage(Message message) override {
    switch (message.kind) {
      case Kind::kCall:
        return OnCall(std::move(message));
      case Kind::kSave:
        return OnSave(message);
      case Kind::kApply:
        return OnApply(std::move(message));
      default:
        LOG(FATAL) << "the process of the Raft under test says what only the "
                      "tests may say";
    }
  }

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
    for (const auto& peer : peers_) {
      if (peer != nullptr) peer->Close();
    }
  }

 private:
  void OnCall(Message message) {
    const int32_t peer = message.number;
    CHECK(peer >= 0 && peer < static_cast<int32_t>(peers_.size()))
        << "the process of the Raft under test calls peer " << peer;
    const auto answer = [process = process_, id = id_, call = message.call,
                         peer](std::optional<RawBytes> reply) {
      process->Tell({.kind = Kind::kAnswer,
                     .call = call,
                     .instance = id,
                     .number = reply.has_value() ? 1 : 0,
                     .name = std::to_string(peer),
                     .bytes = reply.has_value() ? std::move(reply->bytes)
                                                : std::string()});
    };
    process_->AfterDelay([answer, end = peers_[static_cast<size_t>(peer)],
                          call = std::move(message)]() mutable {
      end->CallAsync(RawMethod{call.name}, RawBytes{std::move(call.bytes)},
                     answer);
    });
  }

  void OnSave(const Message& message) {
    auto args = DecodeOrDie<SaveArgs>(message.bytes);
    CHECK(args.kept <= saved_.size())
        << "the process of the Raft under test keeps what it never saved";
    saved_.Truncate(args.kept);
    saved_.Append(args.added);
    if (args.has_snapshot) {
      disk_->Save(saved_, args.snapshot);
    } else {
      disk_->SaveRaftState(saved_);
    }
  }

  void OnApply(Message message) EXCLUDES(mu_) {
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

  RaftProcess* const process_;
  const Ends peers_;
  const std::shared_ptr<persister::Persister> disk_;
  const std::shared_ptr<raft::ApplyChannel> channel_;
  uint64_t id_ = 0;
  base::Rope saved_;  // for the reader's thread

  base::Mutex mu_;
  base::CondVar changed_;
  std::deque<std::string> deliveries_ ABSL_GUARDED_BY(mu_);
  bool is_killed_ ABSL_GUARDED_BY(mu_) = false;

  std::thread deliverer_;
};

class RemoteRaft : public raft::Raft {
 public:
  RemoteRaft(const MakeArgs& args, std::shared_ptr<Instance> instance)
      : instance_(std::move(instance)) {
    instance_->Begin(instance_);
    const std::optional<std::string> methods =
        instance_->Ask(Kind::kMake, "", rpc::Encode(args));
    methods_ = absl::StrSplit(methods.value_or(""), '\n', absl::SkipEmpty());
  }

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
      services.back().Handle(RawMethod{method}, [instance = instance_,
                                                 method](const RawBytes& args) {
        std::optional<std::string> reply =
            instance->Ask(Kind::kHandle, method, args.bytes);
        CHECK(reply.has_value())
            << "the Raft under test does not answer a " << method
            << ", or cannot decode its arguments";
        return RawBytes{*std::move(reply)};
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
  const std::shared_ptr<Instance> instance_;
  std::vector<std::string> methods_;

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
  const isolation::MakeArgs args = {
      .servers = static_cast<int32_t>(peers.size()),
      .me = me,
      .seed = options.random->Below(~uint64_t{0}),
      .raft_state = persister->ReadRaftState().ToString(),
      .snapshot = persister->ReadSnapshot().ToString()};
  return std::make_shared<isolation::RemoteRaft>(
      args, std::make_shared<isolation::Instance>(
                &isolation::RaftProcess::For(me), std::move(peers),
                std::move(persister), std::move(apply_channel)));
}

}  // namespace raft
