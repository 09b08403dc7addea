// The servers of a cluster: their lives, disks, links and readers.

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "tests/harness/cluster.h"
#include "tests/harness/link.h"

namespace harness {

std::string Cluster::NameOf(raft::ServerId server) {
  return ServerName(/*group=*/0, server);
}

void Cluster::StartServer(raft::ServerId server) {
  CrashServer(server);
  std::vector<std::shared_ptr<rpc::ClientEnd>> ends = MakeEnds(server);
  auto channel = std::make_shared<ApplyChannel>(/*capacity=*/0);
  std::shared_ptr<persister::SimulatedDisk> disk = DetachDisk(server);
  WatchDisk(MemberOf(server), disk.get());
  const std::shared_ptr<Instance> instance =
      options_.make_instance(std::move(ends), server, std::move(disk), channel);
  {
    base::MutexLock lock(&mu_);
    MachineLocked(server).instance = instance;
  }
  ApplyChannel* const source = channel.get();
  readers_[static_cast<size_t>(server)] = {
      std::move(channel),
      std::thread([this, server, source] { ReadLoop(server, source); })};

  auto node = std::make_shared<labrpc::Server>();
  node->AddService(instance->MakeService());
  network_.AddServer(NameOf(server), std::move(node));
  LOG(INFO) << "TEST start server=S" << server;
}

void Cluster::CrashServer(raft::ServerId server) {
  Disconnect(server);
  network_.DeleteServer(NameOf(server));
  // From here on nobody can hear of what the old instance does, so nobody can
  // rely on what it saves; only now may its disk be taken away. The other order
  // would lose what it had promised in between.
  observers_.Tell(&ClusterObserver::OnIncarnationEnd, server);
  DetachDisk(server);
  const std::shared_ptr<Instance> instance = MemberOf(server).instance;
  if (instance == nullptr) return;
  PauseService(server, false);
  instance->Kill();
  ForgetInstance(server);
  EndReader(server);
  if (options_.keep_killed) killed_.push_back(instance);
  LOG(INFO) << "TEST crash server=S" << server;
}

// Makes new ends for a new life. Those of the life before are left as they are.
std::vector<std::shared_ptr<rpc::ClientEnd>> Cluster::MakeEnds(
    raft::ServerId server) {
  int life = 0;
  {
    base::MutexLock lock(&mu_);
    life = ++MachineLocked(server).life;
  }
  std::vector<std::shared_ptr<rpc::ClientEnd>> ends;
  std::vector<std::string> names;
  for (raft::ServerId to = 0; to < servers_; ++to) {
    names.push_back(LinkName({0, server, life, to}));
    ends.push_back(network_.MakeEnd(names.back()));
    network_.Connect(names.back(), NameOf(to));
  }
  observers_.Tell(&ClusterObserver::OnIncarnationBegin, server, life);
  base::MutexLock lock(&mu_);
  MachineLocked(server).ends = std::move(names);
  return ends;
}

// Gives the machine a disk of its own, with the content of the one before,
// which whoever still has it may go on to write to. Returns the new one.
std::shared_ptr<persister::SimulatedDisk> Cluster::DetachDisk(
    raft::ServerId server) {
  base::MutexLock lock(&mu_);
  std::shared_ptr<persister::SimulatedDisk>& disk = MachineLocked(server).disk;
  disk = disk == nullptr ? std::make_shared<persister::SimulatedDisk>()
                         : disk->Copy();
  return disk;
}

void Cluster::WatchDisk(const Member& member, persister::SimulatedDisk* disk) {
  // What the life before saved in its last moments is there too, though nobody
  // was told.
  const base::Rope found = disk->ReadRaftState();
  if (found.size() > 0) {
    observers_.OnSave(member.server, member.life, found);
  }
  persister::SimulatedDisk::Observer observer;
  if (observers_.any()) {
    observer = [observers = observers_, server = member.server,
                life = member.life](const base::Rope& raft_state) {
      observers.OnSave(server, life, raft_state);
    };
  }
  // Also without one: whether somebody watches must not change a simulated
  // run, and this takes a lock.
  disk->SetObserver(std::move(observer));
}

Cluster::Member Cluster::MemberOf(raft::ServerId server) {
  base::MutexLock lock(&mu_);
  const Machine& machine = MachineLocked(server);
  return {server, machine.life, machine.instance};
}

std::vector<Cluster::Member> Cluster::Connected() {
  base::MutexLock lock(&mu_);
  std::vector<Member> members;
  for (raft::ServerId i = 0; i < servers_; ++i) {
    const Machine& machine = MachineLocked(i);
    if (machine.connected && machine.instance != nullptr) {
      members.push_back({i, machine.life, machine.instance});
    }
  }
  return members;
}

// The caller holds a reference too, so nothing is destroyed under the lock.
void Cluster::ForgetInstance(raft::ServerId server) {
  base::MutexLock lock(&mu_);
  MachineLocked(server).instance = nullptr;
}

// The names of all ends that lead from `server` or to it.
std::vector<std::string> Cluster::LinksLocked(raft::ServerId server,
                                              bool only_to_connected) {
  std::vector<std::string> links;
  const auto add = [&links](const Machine& from, raft::ServerId to) {
    // A machine that has not been started yet has no ends.
    if (!from.ends.empty()) links.push_back(from.ends[static_cast<size_t>(to)]);
  };
  for (raft::ServerId other = 0; other < servers_; ++other) {
    const Machine& peer = machines_[static_cast<size_t>(other)];
    if (only_to_connected && !peer.connected) continue;
    add(MachineLocked(server), other);
    add(peer, server);
  }
  return links;
}

void Cluster::Connect(raft::ServerId server) {
  std::vector<std::string> links;
  {
    base::MutexLock lock(&mu_);
    MachineLocked(server).connected = true;
    links = LinksLocked(server, /*only_to_connected=*/true);
  }
  for (const std::string& end : links) network_.Enable(end, true);
  observers_.Tell(&ClusterObserver::OnLink, server, true);
  LOG(INFO) << "TEST connect server=S" << server;
}

void Cluster::Disconnect(raft::ServerId server) {
  std::vector<std::string> links;
  {
    base::MutexLock lock(&mu_);
    if (!std::exchange(MachineLocked(server).connected, false)) return;
    links = LinksLocked(server, /*only_to_connected=*/false);
  }
  for (const std::string& end : links) network_.Enable(end, false);
  observers_.Tell(&ClusterObserver::OnLink, server, false);
  LOG(INFO) << "TEST disconnect server=S" << server;
}

bool Cluster::IsConnected(raft::ServerId server) {
  base::MutexLock lock(&mu_);
  return MachineLocked(server).connected;
}

bool Cluster::IsUp(raft::ServerId server) {
  return MemberOf(server).instance != nullptr;
}

raft::StartResult Cluster::Start(raft::ServerId server,
                                 const Command& command) {
  const Member member = MemberOf(server);
  if (member.instance == nullptr) return {};
  const std::string bytes = EncodeCommand(command);
  const raft::StartResult result = member.instance->Start(bytes);
  observers_.Tell(&ClusterObserver::OnStart, server, member.life, bytes,
                  result);
  return result;
}

raft::State Cluster::GetState(raft::ServerId server) {
  return StateOf(MemberOf(server));
}

raft::State Cluster::StateOf(const Member& member) {
  if (member.instance == nullptr) return {};
  return observers_.GetState(member.server, member.life,
                             [&] { return member.instance->GetState(); });
}

void Cluster::ReadLoop(raft::ServerId server, ApplyChannel* channel) {
  while (true) {
    AwaitService(server);
    const std::optional<raft::ApplyMsg> message = channel->Receive();
    if (!message.has_value()) return;
    if (message->kind == raft::ApplyMsg::Kind::kCommand) {
      Record(server, *message);
    }
  }
}

void Cluster::PauseService(raft::ServerId server, bool paused) {
  base::MutexLock lock(&mu_);
  MachineLocked(server).paused = paused;
  service_resumed_.SignalAll();
}

void Cluster::AwaitService(raft::ServerId server) {
  base::MutexLock lock(&mu_);
  while (MachineLocked(server).paused) service_resumed_.Wait(&mu_);
}

void Cluster::Record(raft::ServerId server, const raft::ApplyMsg& message) {
  observers_.Tell(&ClusterObserver::OnApply, server, message);
  absl::StatusOr<Command> command = DecodeCommand(message.command);
  base::MutexLock lock(&mu_);
  if (error_.has_value()) return;  // the first one tells most
  const std::optional<std::string> error =
      command.ok()
          ? log_.Apply(server, message.index, *std::move(command))
          : absl::StrCat("server ", server, " command at index ", message.index,
                         ": ", command.status().message());
  if (error.has_value()) error_ = {.message = "apply error: " + *error};
}

// A Raft that is killed need not close its channel, so the harness does.
void Cluster::EndReader(raft::ServerId server) {
  Reader& reader = readers_[static_cast<size_t>(server)];
  if (reader.channel == nullptr) return;
  reader.channel->Close();
  reader.thread.join();
  reader = {};
}

}  // namespace harness
