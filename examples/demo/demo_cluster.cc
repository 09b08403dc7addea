#include "examples/demo/demo_cluster.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "raft/saved_state.h"

namespace tests {
namespace {

using base::MutexLock;
using raft::ServerId;

constexpr ServerId kServers = 5;

std::string ServerName(ServerId server) { return absl::StrCat(server); }

std::string EndName(ServerId from, ServerId to) {
  return absl::StrCat(from, "-", to);
}

}  // namespace

DemoCluster::DemoCluster(Journal* journal)
    : journal_(journal),
      applied_(kServers),
      network_("demo"),
      machines_(kServers),
      readers_(kServers) {
  network_.SetObserver(
      [this](const labrpc::Packet& packet) { ballots_.Observe(packet); });
  MutexLock lock(&mu_);
  for (ServerId i = 0; i < kServers; ++i) {
    Machine& machine = machines_[static_cast<size_t>(i)];
    machine.disk = std::make_shared<persister::SimulatedDisk>();
    machine.ends = MakeEnds(i);
  }
}

DemoCluster::~DemoCluster() {
  for (ServerId i = 0; i < kServers; ++i) {
    if (Get(i).raft != nullptr) Crash(i);
  }
  network_.Cleanup();
}

ServerView DemoCluster::StartServer(ServerId server) {
  auto channel = std::make_shared<raft::ApplyChannel>(/*capacity=*/0);
  applied_.Restart(server);
  const auto raft = raft::Make(
      Get(server).ends, server, DetachDisk(server), channel,
      {.random = base::Random::ForOwner(absl::StrCat("raft/", server))});
  readers_[static_cast<size_t>(server)] =
      std::thread([this, server, channel] { ReadLoop(server, channel.get()); });
  {
    MutexLock lock(&mu_);
    machines_[static_cast<size_t>(server)].raft = raft;
  }
  ServerView remembered = Look(server);
  auto node = std::make_shared<labrpc::Server>();
  for (rpc::Service& service : raft->Services()) {
    node->AddService(std::move(service));
  }
  network_.AddServer(ServerName(server), std::move(node));
  SetLink(server, Link::kUp);
  return remembered;
}

void DemoCluster::CutOff(ServerId server) { SetLink(server, Link::kCutOff); }

void DemoCluster::Rejoin(ServerId server) { SetLink(server, Link::kUp); }

void DemoCluster::Crash(ServerId server) {
  SetLink(server, Link::kCrashed);
  network_.DeleteServer(ServerName(server));
  // From here on nobody can hear of what the old instance does, so nobody can
  // rely on what it saves; only now may its disk be taken away.
  DetachDisk(server);
  Get(server).raft->Kill();  // closes its channel, which ends the reader
  readers_[static_cast<size_t>(server)].join();
  for (ServerId to = 0; to < kServers; ++to) {
    network_.DeleteEnd(EndName(server, to));
  }
  Machine next_life = Get(server);
  next_life.raft = nullptr;
  next_life.ends = MakeEnds(server);
  MutexLock lock(&mu_);
  std::swap(machines_[static_cast<size_t>(server)], next_life);
}

raft::StartResult DemoCluster::Submit(ServerId server,
                                      const std::string& command) {
  const Machine machine = Get(server);
  if (machine.raft == nullptr) return {};
  return machine.raft->Start(command);
}

ClusterView DemoCluster::View() const {
  ClusterView view;
  for (ServerId i = 0; i < kServers; ++i) view.push_back(Look(i));
  return view;
}

// New ends, disabled, for the next life of a server.
DemoCluster::Ends DemoCluster::MakeEnds(ServerId server) {
  Ends ends;
  for (ServerId to = 0; to < kServers; ++to) {
    const std::string name = EndName(server, to);
    ends.push_back(network_.MakeEnd(name));
    network_.Connect(name, ServerName(to));
  }
  return ends;
}

// Gives the machine a disk of its own, with the content of the one before,
// which whoever still has it may go on to write to. Returns the new one.
std::shared_ptr<persister::SimulatedDisk> DemoCluster::DetachDisk(
    ServerId server) {
  MutexLock lock(&mu_);
  std::shared_ptr<persister::SimulatedDisk>& disk =
      machines_[static_cast<size_t>(server)].disk;
  disk = disk->Copy();
  return disk;
}

void DemoCluster::SetLink(ServerId server, Link link) {
  std::vector<bool> reachable;
  {
    MutexLock lock(&mu_);
    machines_[static_cast<size_t>(server)].link = link;
    for (const Machine& machine : machines_) {
      reachable.push_back(machine.link == Link::kUp && link == Link::kUp);
    }
  }
  for (ServerId other = 0; other < kServers; ++other) {
    const bool on = reachable[static_cast<size_t>(other)];
    network_.Enable(EndName(server, other), on);
    network_.Enable(EndName(other, server), on);
  }
}

DemoCluster::Machine DemoCluster::Get(ServerId server) const {
  MutexLock lock(&mu_);
  return machines_[static_cast<size_t>(server)];
}

ServerView DemoCluster::Look(ServerId server) const {
  const Machine machine = Get(server);
  ServerView view;
  view.link = machine.link;
  view.disk_bytes = machine.disk->ReadRaftState().size();
  if (machine.raft == nullptr) return view;
  const raft::Status status = machine.raft->GetStatus();
  view.role = status.role;
  view.term = status.term;
  view.commit = status.commit_index;
  // Read later, so `commit` never points past it.
  const auto saved =
      raft::DecodeSavedState(machine.disk->ReadRaftState().ToString());
  for (const raft::EntryView entry : saved->entries) {
    view.log.push_back(entry.term);
  }
  view.applied = applied_.AppliedBy(server);
  return view;
}

void DemoCluster::ReadLoop(ServerId server, raft::ApplyChannel* channel) {
  while (std::optional<raft::ApplyMsg> message = channel->Receive()) {
    std::optional<std::string> wrong = applied_.Add(server, *message);
    if (wrong.has_value()) journal_->Fail(*std::move(wrong));
  }
}

}  // namespace tests
