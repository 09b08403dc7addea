// A Raft that does what a test says, to test the harness itself: which server
// leads or takes a command, and what is delivered, are the test's decision.
//
// Thread safety: FakeRaft is safe; FakeRafts is the test's main thread's.

#ifndef TESTS_UNIT_HARNESS_FAKE_RAFT_H_
#define TESTS_UNIT_HARNESS_FAKE_RAFT_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "persister/persister.h"
#include "rpc/rpc.h"
#include "tests/harness/commands.h"
#include "tests/harness/raft_cluster.h"

namespace harness {

// Answers with the server's own number.
inline constexpr rpc::Method<raft::ServerId, raft::ServerId> kPing{"Fake.Ping"};

class FakeRaft : public raft::Raft {
 public:
  FakeRaft(std::vector<std::shared_ptr<rpc::ClientEnd>> its_ends,
           raft::ServerId server,
           std::shared_ptr<persister::Persister> persister,
           std::shared_ptr<raft::ApplyChannel> apply_channel)
      : ends(std::move(its_ends)),
        me(server),
        disk(std::move(persister)),
        channel(std::move(apply_channel)) {}

  // Takes part in no election, unless the test says so.
  void Believe(raft::State state) {
    base::MutexLock lock(&mu_);
    state_ = state;
  }

  // Runs at each command that a leader takes, with its index.
  using OnStart = std::function<void(raft::Index, const Command&)>;
  void WhenStarted(OnStart on_start) {
    base::MutexLock lock(&mu_);
    on_start_ = std::move(on_start);
  }

  // Runs while it is killed.
  void WhenKilled(std::function<void()> on_kill) {
    base::MutexLock lock(&mu_);
    on_kill_ = std::move(on_kill);
  }

  // Delivers; false if the channel is closed.
  bool Deliver(raft::Index index, const Command& command) {
    return DeliverBytes(index, EncodeCommand(command));
  }
  bool DeliverBytes(raft::Index index, std::string bytes) {
    raft::ApplyMsg message;
    message.index = index;
    message.command = std::move(bytes);
    return channel->Send(std::move(message));
  }

  bool DeliverSnapshot(raft::Index index, base::Rope snapshot) {
    raft::ApplyMsg message;
    message.kind = raft::ApplyMsg::Kind::kSnapshot;
    message.index = index;
    message.snapshot = std::move(snapshot);
    return channel->Send(std::move(message));
  }

  // How many commands it was asked to take, as leader or not.
  int asked() {
    base::MutexLock lock(&mu_);
    return asked_;
  }
  bool killed() {
    base::MutexLock lock(&mu_);
    return killed_;
  }

  void Snapshot(raft::Index index, base::Rope snapshot) override {
    base::MutexLock lock(&mu_);
    snapshots_[index] = std::move(snapshot);
  }
  // What its service gave to Snapshot().
  std::map<raft::Index, base::Rope> snapshots() {
    base::MutexLock lock(&mu_);
    return snapshots_;
  }

  raft::StartResult Start(std::string_view bytes) override {
    OnStart on_start;
    raft::StartResult result;
    {
      base::MutexLock lock(&mu_);
      ++asked_;
      if (!state_.is_leader) return result;
      result = {next_index_++, state_.term, true};
      on_start = on_start_;
    }
    if (on_start) on_start(result.index, *DecodeCommand(bytes));
    return result;
  }

  raft::State GetState() const override {
    base::MutexLock lock(&mu_);
    return state_;
  }

  void Kill() override {
    std::function<void()> on_kill;
    {
      base::MutexLock lock(&mu_);
      killed_ = true;
      on_kill = on_kill_;
    }
    if (on_kill) on_kill();
  }

  raft::Status GetStatus() const override { return {}; }

  std::vector<rpc::Service> Services() override {
    rpc::Service service("Fake");
    service.Handle(kPing,
                   [server = me](const raft::ServerId&) { return server; });
    return {service};
  }

  const std::vector<std::shared_ptr<rpc::ClientEnd>> ends;
  const raft::ServerId me;
  const std::shared_ptr<persister::Persister> disk;
  const std::shared_ptr<raft::ApplyChannel> channel;

 private:
  mutable base::Mutex mu_;
  raft::State state_ ABSL_GUARDED_BY(mu_);
  raft::Index next_index_ ABSL_GUARDED_BY(mu_) = 1;
  OnStart on_start_ ABSL_GUARDED_BY(mu_);
  std::function<void()> on_kill_ ABSL_GUARDED_BY(mu_);
  int asked_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<raft::Index, base::Rope> snapshots_ ABSL_GUARDED_BY(mu_);
  bool killed_ ABSL_GUARDED_BY(mu_) = false;
};

// The fakes of one cluster, by server.
class FakeRafts {
 public:
  // For a cluster of fakes, whose waits and limits are divided by `hurry`.
  RaftClusterOptions Options(int hurry = 1) {
    return {.make_raft =
                [this](auto ends, raft::ServerId me, auto disk, auto channel) {
                  auto fake = std::make_shared<FakeRaft>(
                      std::move(ends), me, std::move(disk), std::move(channel));
                  newest_[me] = fake;
                  return fake;
                },
            .make_observers = [](int, int,
                                 const OnError&) { return Observers::List(); },
            .hurry = hurry};
  }

  // The newest incarnation of the server; null once it was destroyed.
  std::shared_ptr<FakeRaft> Of(raft::ServerId server) {
    return newest_[server].lock();
  }
  FakeRaft* operator[](raft::ServerId server) { return Of(server).get(); }

 private:
  std::map<raft::ServerId, std::weak_ptr<FakeRaft>> newest_;
};

}  // namespace harness

#endif  // TESTS_UNIT_HARNESS_FAKE_RAFT_H_
