// The servers of a cluster: their lives, disks, links and readers.

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "tests/harness/cluster.h"

namespace tests {
namespace {

// As long as the course's, which are cryptographically random.
constexpr int kEndNameLength = 20;

}  // namespace

std::string Cluster::NameOf(raft::ServerId server) {
  return absl::StrCat(server);
}

void Cluster::StartServer(raft::ServerId server) {
  CrashServer(server);
  std::vector<std::shared_ptr<base::ClientEnd>> ends = MakeEnds(server);
  auto channel = std::make_shared<ApplyChannel>(/*capacity=*/0);
  const std::shared_ptr<Instance> instance = options_.make_instance(
      std::move(ends), server, DetachDisk(server), channel);
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
  DetachDisk(server);
  const std::shared_ptr<Instance> instance = InstanceOf(server);
  if (instance == nullptr) return;
  instance->Kill();
  ForgetInstance(server);
  EndReader(server);
  if (options_.keep_killed) killed_.push_back(instance);
  LOG(INFO) << "TEST crash server=S" << server;
}

// Makes new ends for a new life. Those of the life before are left as they are.
std::vector<std::shared_ptr<base::ClientEnd>> Cluster::MakeEnds(
    raft::ServerId server) {
  std::vector<std::shared_ptr<base::ClientEnd>> ends;
  std::vector<std::string> names;
  for (raft::ServerId to = 0; to < servers_; ++to) {
    names.push_back(random_.Name(kEndNameLength));
    ends.push_back(network_.MakeEnd(names.back()));
    network_.Connect(names.back(), NameOf(to));
  }
  base::MutexLock lock(&mu_);
  MachineLocked(server).ends = std::move(names);
  return ends;
}

// Gives the machine a disk of its own, with the content of the one before,
// which whoever still has it may go on to write to. Returns the new one.
std::shared_ptr<persister::Persister> Cluster::DetachDisk(
    raft::ServerId server) {
  base::MutexLock lock(&mu_);
  std::shared_ptr<persister::Persister>& disk = MachineLocked(server).disk;
  disk =
      disk == nullptr ? std::make_shared<persister::Persister>() : disk->Copy();
  return disk;
}

std::shared_ptr<Instance> Cluster::InstanceOf(raft::ServerId server) {
  base::MutexLock lock(&mu_);
  return MachineLocked(server).instance;
}

std::vector<Cluster::Member> Cluster::Connected() {
  base::MutexLock lock(&mu_);
  std::vector<Member> members;
  for (raft::ServerId i = 0; i < servers_; ++i) {
    const Machine& machine = MachineLocked(i);
    if (machine.connected && machine.instance != nullptr) {
      members.push_back({i, machine.instance});
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
  LOG(INFO) << "TEST disconnect server=S" << server;
}

bool Cluster::IsConnected(raft::ServerId server) {
  base::MutexLock lock(&mu_);
  return MachineLocked(server).connected;
}

bool Cluster::IsUp(raft::ServerId server) {
  return InstanceOf(server) != nullptr;
}

raft::StartResult Cluster::Start(raft::ServerId server,
                                 const Command& command) {
  const std::shared_ptr<Instance> instance = InstanceOf(server);
  if (instance == nullptr) return {};
  return instance->Start(EncodeCommand(command));
}

raft::State Cluster::GetState(raft::ServerId server) {
  const std::shared_ptr<Instance> instance = InstanceOf(server);
  return instance == nullptr ? raft::State{} : instance->GetState();
}

void Cluster::ReadLoop(raft::ServerId server, ApplyChannel* channel) {
  while (std::optional<raft::ApplyMsg> message = channel->Receive()) {
    if (message->kind == raft::ApplyMsg::Kind::kCommand) {
      Record(server, *message);
    }
  }
}

void Cluster::Record(raft::ServerId server, const raft::ApplyMsg& message) {
  absl::StatusOr<Command> command = DecodeCommand(message.command);
  base::MutexLock lock(&mu_);
  if (apply_error_.has_value()) return;  // the first one tells most
  const std::optional<std::string> error =
      command.ok()
          ? log_.Apply(server, message.index, *std::move(command))
          : absl::StrCat("server ", server, " command at index ", message.index,
                         ": ", command.status().message());
  if (error.has_value()) apply_error_ = "apply error: " + *error;
}

// A Raft that is killed need not close its channel, so the harness does.
void Cluster::EndReader(raft::ServerId server) {
  Reader& reader = readers_[static_cast<size_t>(server)];
  if (reader.channel == nullptr) return;
  reader.channel->Close();
  reader.thread.join();
  reader = {};
}

}  // namespace tests
