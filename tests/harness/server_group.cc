#include "tests/harness/server_group.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "base/random.h"
#include "tests/harness/link.h"

namespace harness {

using base::MutexLock;
using raft::ServerId;

ServerGroup::ServerGroup(labrpc::Network* network, Options options)
    : options_(std::move(options)),
      network_(network),
      machines_(static_cast<size_t>(options_.servers)) {}

ServerGroup::~ServerGroup() {
  Kill();
  Release();
}

void ServerGroup::Kill() {
  // First none hears of another any more: what a server says while it is killed
  // does not count.
  for (ServerId i = 0; i < size(); ++i) network_->DeleteServer(NameOf(i));
  for (ServerId i = 0; i < size(); ++i) {
    std::function<void()> kill;
    {
      MutexLock lock(&mu_);
      kill = std::exchange(AtLocked(i).node.kill, nullptr);
    }
    if (kill) kill();
  }
}

void ServerGroup::Release() {
  for (ServerId i = 0; i < size(); ++i) {
    options_.observers.Tell(&ClusterObserver::OnIncarnationEnd, i);
  }
  for (ServerId i = 0; i < size(); ++i) TakeNode(i);
}

std::string ServerGroup::NameOf(ServerId server) const {
  return ServerName(options_.group, server);
}

void ServerGroup::Start(ServerId server) {
  Crash(server);
  Ends ends = MakeEnds(server);
  const std::shared_ptr<Disk> disk = DetachDisk(server);
  ObserveDisk(server, disk.get());
  Node node =
      options_.make_node(std::move(ends), options_.group, server,
                         options_.slow_disks ? SlowDown(server, disk) : disk);
  auto host = std::make_shared<labrpc::Server>();
  for (rpc::Service& service : node.services) {
    host->AddService(std::move(service));
  }
  {
    MutexLock lock(&mu_);
    AtLocked(server).up = true;
    AtLocked(server).node = std::move(node);
  }
  network_->AddServer(NameOf(server), std::move(host));
  LOG(INFO) << "TEST start server=S" << server;
}

void ServerGroup::Crash(ServerId server) {
  Disconnect(server);
  network_->DeleteServer(NameOf(server));
  // From here on no server can hear of what the old incarnation does, so none
  // can rely on what it saves; only now may its disk be copied. The other order
  // would lose what it had promised in between.
  CrashSlowDisk(server);
  options_.observers.Tell(&ClusterObserver::OnIncarnationEnd, server);
  DetachDisk(server);
  if (!IsUp(server)) return;
  const Node node = TakeNode(server);
  if (node.kill) node.kill();
  LOG(INFO) << "TEST crash server=S" << server;
}

// The caller destroys it, under no lock.
Node ServerGroup::TakeNode(ServerId server) {
  MutexLock lock(&mu_);
  AtLocked(server).up = false;
  return std::exchange(AtLocked(server).node, {});
}

// Makes new ends for a new incarnation. Those of the old one are left as they
// are.
Ends ServerGroup::MakeEnds(ServerId server) {
  int incarnation = 0;
  {
    MutexLock lock(&mu_);
    incarnation = ++AtLocked(server).incarnation;
  }
  Ends ends;
  std::vector<std::string> names;
  for (ServerId to = 0; to < size(); ++to) {
    names.push_back(LinkName({options_.group, server, incarnation, to}));
    ends.push_back(network_->MakeEnd(names.back()));
    network_->Connect(names.back(), NameOf(to));
  }
  options_.observers.Tell(&ClusterObserver::OnIncarnationBegin, server,
                          incarnation);
  MutexLock lock(&mu_);
  AtLocked(server).ends = std::move(names);
  return ends;
}

// Gives the machine a disk of its own, with the content of the one before,
// which an old incarnation may still write to. Returns the new one.
std::shared_ptr<persister::SimulatedDisk> ServerGroup::DetachDisk(
    ServerId server) {
  MutexLock lock(&mu_);
  std::shared_ptr<Disk>& disk = AtLocked(server).disk;
  disk = disk == nullptr ? std::make_shared<Disk>() : disk->Copy();
  return disk;
}

// From here on nothing becomes durable there; what did, observers were told.
void ServerGroup::CrashSlowDisk(ServerId server) {
  std::shared_ptr<persister::SlowDisk> old;  // ends under no lock
  MutexLock lock(&mu_);
  old = std::exchange(AtLocked(server).slow_disk, nullptr);
  if (old != nullptr) AtLocked(server).disk = old->Crash();
}

std::shared_ptr<persister::Persister> ServerGroup::SlowDown(
    ServerId server, const std::shared_ptr<Disk>& disk) {
  auto slow = std::make_shared<persister::SlowDisk>(
      disk, base::Random::ForOwner(absl::StrCat("disk/", NameOf(server))));
  slow->SetFlushObserver([observers = options_.observers, server,
                          incarnation = Incarnation(server)](auto took) {
    observers.Tell(&ClusterObserver::OnFlush, server, incarnation, took);
  });
  MutexLock lock(&mu_);
  AtLocked(server).slow_disk = slow;
  return slow;
}

void ServerGroup::ObserveDisk(ServerId server, Disk* disk) {
  const int incarnation = Incarnation(server);
  // What the old incarnation saved in its last moments is there too, though no
  // observer was told.
  const auto reader = std::make_shared<DiskReader>();
  const base::Rope raft_state = disk->ReadRaftState();
  const base::Rope snapshot = disk->ReadSnapshot();
  if (!raft_state.empty() || !snapshot.empty()) {
    options_.observers.OnSave(server, incarnation, reader.get(), raft_state,
                              &snapshot);
  }
  Disk::Observer observer;
  if (options_.observers.any()) {
    observer = [observers = options_.observers, server, incarnation, reader](
                   const base::Rope& state, const base::Rope* saved_snapshot) {
      observers.OnSave(server, incarnation, reader.get(), state,
                       saved_snapshot);
    };
  }
  // Also without one: this takes a lock, and being observed must not change a
  // simulated run.
  disk->SetObserver(std::move(observer));
}

bool ServerGroup::IsUp(ServerId server) const {
  MutexLock lock(&mu_);
  return AtLocked(server).up;
}

int ServerGroup::Incarnation(ServerId server) const {
  MutexLock lock(&mu_);
  return AtLocked(server).incarnation;
}

bool ServerGroup::CanTalkLocked(ServerId a, ServerId b) const {
  if (!AtLocked(a).connected || !AtLocked(b).connected) return false;
  return parts_.empty() ||
         std::any_of(parts_.begin(), parts_.end(), [a, b](const auto& part) {
           return part.contains(a) && part.contains(b);
         });
}

std::vector<std::string> ServerGroup::LinksLocked(ServerId server,
                                                  bool can_talk) const {
  std::vector<std::string> links;
  const auto add = [&links](const Machine& from, ServerId to) {
    // A machine that has not been started yet has no ends.
    if (!from.ends.empty()) links.push_back(from.ends[static_cast<size_t>(to)]);
  };
  for (ServerId other = 0; other < size(); ++other) {
    if (CanTalkLocked(server, other) != can_talk) continue;
    add(AtLocked(server), other);
    add(AtLocked(other), server);
  }
  return links;
}

void ServerGroup::Connect(ServerId server) {
  std::vector<std::string> links;
  {
    MutexLock lock(&mu_);
    AtLocked(server).connected = true;
    links = LinksLocked(server, /*can_talk=*/true);
  }
  for (const std::string& end : links) network_->Enable(end, true);
  options_.observers.Tell(&ClusterObserver::OnLink, server, true);
  LOG(INFO) << "TEST connect server=S" << server;
}

void ServerGroup::Disconnect(ServerId server) {
  std::vector<std::string> links;
  {
    MutexLock lock(&mu_);
    if (!std::exchange(AtLocked(server).connected, false)) return;
    links = LinksLocked(server, /*can_talk=*/false);
  }
  for (const std::string& end : links) network_->Enable(end, false);
  options_.observers.Tell(&ClusterObserver::OnLink, server, false);
  LOG(INFO) << "TEST disconnect server=S" << server;
}

bool ServerGroup::IsConnected(ServerId server) const {
  MutexLock lock(&mu_);
  return AtLocked(server).connected;
}

void ServerGroup::Partition(const std::vector<std::set<ServerId>>& asked) {
  const bool has_all =
      std::any_of(asked.begin(), asked.end(), [this](const auto& part) {
        return part.size() == static_cast<size_t>(size());
      });
  const auto parts = has_all ? std::vector<std::set<ServerId>>() : asked;
  std::vector<std::string> on;
  std::vector<std::string> off;
  bool is_news = false;
  {
    MutexLock lock(&mu_);
    is_news = parts_ != parts;
    parts_ = parts;
    for (ServerId i = 0; i < size(); ++i) {
      for (const std::string& end : LinksLocked(i, true)) on.push_back(end);
      for (const std::string& end : LinksLocked(i, false)) off.push_back(end);
    }
  }
  for (const std::string& end : off) network_->Enable(end, false);
  for (const std::string& end : on) network_->Enable(end, true);
  if (is_news) options_.observers.Tell(&ClusterObserver::OnPartition, parts);
}

std::string ServerGroup::ClientEndName(int client, ServerId server) const {
  return absl::StrCat("C", client, "-", NameOf(server));
}

Ends ServerGroup::MakeClientEnds(int client) {
  Ends ends;
  for (ServerId to = 0; to < size(); ++to) {
    ends.push_back(network_->MakeEnd(ClientEndName(client, to)));
    network_->Connect(ClientEndName(client, to), NameOf(to));
  }
  return ends;
}

void ServerGroup::ConnectClient(int client, const std::set<ServerId>& servers) {
  for (ServerId to = 0; to < size(); ++to) {
    network_->Enable(ClientEndName(client, to), servers.contains(to));
  }
}

int64_t ServerGroup::RpcCount(ServerId server) const {
  return network_->GetCount(NameOf(server));
}

std::shared_ptr<persister::SimulatedDisk> ServerGroup::CopyDisk(
    ServerId server) const {
  MutexLock lock(&mu_);
  return AtLocked(server).disk->Copy();
}

const persister::Persister& ServerGroup::DiskLocked(ServerId server) const {
  const Machine& machine = AtLocked(server);
  if (machine.slow_disk != nullptr) return *machine.slow_disk;
  return *machine.disk;
}

size_t ServerGroup::StateSize(ServerId server) const {
  MutexLock lock(&mu_);
  return DiskLocked(server).ReadRaftState().size();
}

size_t ServerGroup::SnapshotSize(ServerId server) const {
  MutexLock lock(&mu_);
  return DiskLocked(server).ReadSnapshot().size();
}

}  // namespace harness
