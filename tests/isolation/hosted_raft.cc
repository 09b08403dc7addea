// The Raft under test, in its process.

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/logging.h"
#include "base/mutex.h"
#include "raft/raft.h"
#include "rpc/codec.h"
#include "tests/isolation/hosted.h"

namespace isolation {
namespace {

class HostedRaft : public Hosted {
 public:
  HostedRaft(Wire* wire, uint64_t instance, int32_t servers)
      : Hosted(wire, instance, servers),
        channel_(std::make_shared<raft::ApplyChannel>(/*capacity=*/0)) {
    forwarder_ = std::thread([this] { ForwardLoop(); });
  }

  ~HostedRaft() override {
    channel_->Close();
    {
      base::MutexLock lock(&mu_);
      is_ending_ = true;
      changed_.SignalAll();
    }
    forwarder_.join();
  }

  void Make(const MakeArgs& args) override EXCLUDES(mu_) {
    std::shared_ptr<raft::Raft> raft =
        raft::Make(Peers(), args.me, MakeDisk(args), channel_,
                   {.random = base::Random(args.seed)});
    Offer(raft->Services());
    base::MutexLock lock(&mu_);
    raft_ = std::move(raft);
  }

  void Serve(const Message& question, rpc::RespondBytes respond) override {
    switch (question.kind) {
      case Kind::kStart:
        return std::move(respond)(Start(question.bytes));
      case Kind::kSnapshot:
        Snapshot(question.bytes);
        return std::move(respond)("");
      case Kind::kState:
        return std::move(respond)(GetState());
      case Kind::kHandle:
        return Handle(question, std::move(respond));
      case Kind::kKill:
        Made()->Kill();
        return std::move(respond)("");
      default:
        LOG(FATAL) << "what no Raft is asked";
    }
  }

  void OnTaken() override EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    ++taken_;
    changed_.SignalAll();
  }

 private:
  std::shared_ptr<raft::Raft> Made() const EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    return raft_;
  }

  std::string Start(std::string_view command) {
    const raft::StartResult result = Made()->Start(command);
    return rpc::Encode(
        StartAnswer{result.index, result.term, result.is_leader});
  }

  void Snapshot(std::string_view args) {
    const auto decoded = *rpc::Decode<SnapshotArgs>(args);
    Made()->Snapshot(decoded.index, decoded.snapshot);
  }

  std::string GetState() const {
    const raft::State state = Made()->GetState();
    return rpc::Encode(StateAnswer{state.term, state.is_leader});
  }

  // One at a time, as the service takes them.
  void ForwardLoop() EXCLUDES(mu_) {
    while (std::optional<raft::ApplyMsg> message = channel_->Receive()) {
      const bool is_snapshot = message->kind == raft::ApplyMsg::Kind::kSnapshot;
      const Delivery delivery = {.is_snapshot = is_snapshot,
                                 .index = message->index,
                                 .term = message->term,
                                 .bytes = is_snapshot
                                              ? message->snapshot.ToString()
                                              : std::move(message->command)};
      wire_->Send({.kind = Kind::kApply,
                   .instance = instance_,
                   .bytes = rpc::Encode(delivery)});
      base::MutexLock lock(&mu_);
      ++sent_;
      while (taken_ < sent_ && !is_ending_) changed_.Wait(&mu_);
      if (is_ending_) return;
    }
  }

  const std::shared_ptr<raft::ApplyChannel> channel_;

  mutable base::Mutex mu_;
  base::CondVar changed_;
  std::shared_ptr<raft::Raft> raft_ ABSL_GUARDED_BY(mu_);  // set once
  bool is_ending_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t sent_ ABSL_GUARDED_BY(mu_) = 0;  // deliveries
  uint64_t taken_ ABSL_GUARDED_BY(mu_) = 0;

  std::thread forwarder_;
};

}  // namespace

std::shared_ptr<Hosted> MakeHosted(Wire* wire, uint64_t instance,
                                   const MakeArgs& args) {
  return std::make_shared<HostedRaft>(wire, instance, args.peers);
}

}  // namespace isolation
