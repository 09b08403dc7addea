#include "tests/harness/service_group.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/random.h"

namespace harness {

// Has observers told of what a service gives to its Raft.
class ServiceGroup::ObservedRaft : public raft::Raft {
 public:
  ObservedRaft(std::shared_ptr<raft::Raft> raft, Observers observers,
               raft::ServerId me, int incarnation)
      : raft_(std::move(raft)),
        observers_(std::move(observers)),
        me_(me),
        incarnation_(incarnation) {}

  raft::StartResult Start(std::string_view command) override {
    const raft::StartResult result = raft_->Start(command);
    observers_.Tell(&ClusterObserver::OnStart, me_, incarnation_, command,
                    result);
    return result;
  }
  void Snapshot(raft::Index index, base::Rope snapshot) override {
    observers_.Tell(&ClusterObserver::OnSnapshot, me_, index, snapshot);
    raft_->Snapshot(index, std::move(snapshot));
  }
  raft::State GetState() const override {
    return observers_.GetState(me_, incarnation_,
                               [this] { return raft_->GetState(); });
  }
  raft::Status GetStatus() const override { return raft_->GetStatus(); }
  std::vector<rpc::Service> Services() override { return raft_->Services(); }
  void Kill() override { raft_->Kill(); }

 private:
  const std::shared_ptr<raft::Raft> raft_;
  const Observers observers_;
  const raft::ServerId me_;
  const int incarnation_;
};

ServiceGroup::ServiceGroup(labrpc::Network* network, Options options)
    : options_(std::move(options)),
      observers_(options_.make_observers(options_.group, options_.servers,
                                         options_.on_error),
                 options_.group),
      slots_(static_cast<size_t>(options_.servers)),
      machines_(network,
                {.group = options_.group,
                 .servers = options_.servers,
                 .make_node =
                     [this](Ends ends, int /*group*/, raft::ServerId me,
                            std::shared_ptr<persister::Persister> disk) {
                       return MakeNode(std::move(ends), me, std::move(disk));
                     },
                 .slow_disks = options_.slow_disks,
                 .observers = observers_}) {
  observers_.Tell(&ClusterObserver::OnService, options_.show_command);
}

Node ServiceGroup::MakeNode(Ends ends, raft::ServerId me,
                            std::shared_ptr<persister::Persister> disk) {
  int incarnation = 0;
  {
    base::MutexLock lock(&mu_);
    incarnation = ++slots_[static_cast<size_t>(me)].incarnation;
  }
  Node node = options_.make_service(std::move(ends), me, std::move(disk),
                                    MakeRsmOptions(me, incarnation));
  if (node.raft != nullptr) {
    SetRaft(me, std::make_shared<ObservedRaft>(node.raft, observers_, me,
                                               incarnation));
  }
  node.kill = [this, me, kill = std::move(node.kill)] {
    kill();
    SetRaft(me, nullptr);  // not the last reference: no destructor
  };
  return node;
}

// Group 0 has the names that it has had since there was but one.
rsm::Options ServiceGroup::MakeRsmOptions(raft::ServerId me, int incarnation) {
  rsm::Options options;
  options.max_raft_state = options_.max_raft_state;
  const std::string group =
      options_.group == 0 ? std::string() : absl::StrCat("G", options_.group);
  options.raft.name = group;
  options.raft.random = base::Random::ForOwner(
      absl::StrCat("raft/", group, group.empty() ? "" : "/", me));
  options.make_raft = [this, incarnation](
                          Ends ends, raft::ServerId server,
                          std::shared_ptr<persister::Persister> disk,
                          std::shared_ptr<raft::ApplyChannel> channel,
                          raft::Options raft_options) {
    auto observed = std::make_shared<ObservedRaft>(
        options_.make_raft(std::move(ends), server, std::move(disk),
                           std::move(channel), std::move(raft_options)),
        observers_, server, incarnation);
    SetRaft(server, observed);
    return observed;
  };
  options.hooks.on_apply = [observers = observers_,
                            me](const raft::ApplyMsg& message) {
    if (message.kind == raft::ApplyMsg::Kind::kState) return;
    observers.Tell(&ClusterObserver::OnApply, me, message);
  };
  return options;
}

ServiceGroup::Slot ServiceGroup::SlotOf(raft::ServerId server) {
  base::MutexLock lock(&mu_);
  return slots_[static_cast<size_t>(server)];
}

void ServiceGroup::SetRaft(raft::ServerId server,
                           std::shared_ptr<raft::Raft> raft) {
  base::MutexLock lock(&mu_);
  slots_[static_cast<size_t>(server)].raft = std::move(raft);
}

void ServiceGroup::StartAll() {
  for (raft::ServerId i = 0; i < size(); ++i) machines_.Start(i);
}

void ServiceGroup::CrashAll() {
  for (raft::ServerId i = 0; i < size(); ++i) machines_.Crash(i);
}

void ServiceGroup::ConnectAll() {
  machines_.Partition({});
  for (raft::ServerId i = 0; i < size(); ++i) machines_.Connect(i);
}

std::shared_ptr<raft::Raft> ServiceGroup::RaftOf(raft::ServerId server) {
  return SlotOf(server).raft;
}

raft::State ServiceGroup::GetState(raft::ServerId server) {
  const std::shared_ptr<raft::Raft> raft = RaftOf(server);
  return raft == nullptr ? raft::State() : raft->GetState();
}

std::string ServiceGroup::DescribeRaft(raft::ServerId server) {
  const std::shared_ptr<raft::Raft> raft = RaftOf(server);
  if (raft == nullptr) return "down";
  const raft::Status status = raft->GetStatus();
  return absl::StrCat("term ", status.term,
                      raft->GetState().is_leader ? ", leads" : "",
                      ", last entry (", status.last_index, ",",
                      status.last_term, "), commit ", status.commit_index);
}

std::optional<raft::ServerId> ServiceGroup::Leader() {
  for (raft::ServerId i = 0; i < size(); ++i) {
    if (GetState(i).is_leader) return i;
  }
  return std::nullopt;
}

size_t ServiceGroup::LogSize() const {
  size_t largest = 0;
  for (raft::ServerId i = 0; i < size(); ++i) {
    largest = std::max(largest, machines_.StateSize(i));
  }
  return largest;
}

size_t ServiceGroup::SnapshotSize() const {
  size_t largest = 0;
  for (raft::ServerId i = 0; i < size(); ++i) {
    largest = std::max(largest, machines_.SnapshotSize(i));
  }
  return largest;
}

}  // namespace harness
