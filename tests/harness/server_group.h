// A group of machines on a simulated network, and what runs on them: starts and
// crashes servers, keeps their disks, and cuts their links.
//
// It does not know what a server is: a factory makes it. Test clusters, the
// benchmarks and the examples stand on it; several groups may share a network.
//
// A crash keeps only what the server had saved, and of a slow disk what was
// durable and perhaps some of what was not: its next incarnation gets a copy of
// the disk, taken after the network stopped to answer for the old one. An old
// incarnation keeps its ends, which stay disabled.
//
// Thread safety: one thread starts, crashes, connects and partitions; all else
// may be called from any thread.
// Lock order: mu_ -> SlowDisk -> SimulatedDisk. Never held while calling a node
// or the network.

#ifndef TESTS_HARNESS_SERVER_GROUP_H_
#define TESTS_HARNESS_SERVER_GROUP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "labrpc/network.h"
#include "persister/simulated_disk.h"
#include "persister/slow_disk.h"
#include "raft/raft.h"
#include "raft/types.h"
#include "rpc/rpc.h"
#include "tests/harness/observers.h"

namespace harness {

using Ends = std::vector<std::shared_ptr<rpc::ClientEnd>>;

// What runs on one machine.
struct Node {
  // What the other servers and the clients call.
  std::vector<rpc::Service> services;

  // Ends it, soon; threads of it may still deliver while this runs.
  std::function<void()> kill;

  // What is left to release when kill() has returned: readers, for example.
  std::shared_ptr<void> rest;

  // Of a service that runs in another process: to ask whether it leads.
  std::shared_ptr<raft::Raft> raft = nullptr;
};

// Makes server `me` of group `group`: ends[j] leads to server j. It resumes
// from what is on the disk.
using MakeNode =
    std::function<Node(Ends ends, int group, raft::ServerId me,
                       std::shared_ptr<persister::Persister> disk)>;

class ServerGroup {
 public:
  struct Options {
    int group = 0;  // numbers the groups of a network
    int servers = 3;
    MakeNode make_node;
    bool slow_disks = false;
    Observers observers = Observers({});
  };

  // All machines are down and disconnected. The network outlives the group.
  ServerGroup(labrpc::Network* network, Options options);

  // Kill() and Release(), as far as they have not been called.
  ~ServerGroup();
  ServerGroup(const ServerGroup&) = delete;
  ServerGroup& operator=(const ServerGroup&) = delete;

  int size() const { return options_.servers; }

  // Crashes the server if it is up, and starts it from its disk. It is
  // disconnected then.
  void Start(raft::ServerId server) EXCLUDES(mu_);

  // Disconnects and ends the server; its disk is kept. Idempotent.
  void Crash(raft::ServerId server) EXCLUDES(mu_);

  bool IsUp(raft::ServerId server) const EXCLUDES(mu_);

  // Counts the starts of the server.
  int Incarnation(raft::ServerId server) const EXCLUDES(mu_);

  // Links. Two servers can talk while both are connected and a part has both.
  // A disconnected server keeps running. Idempotent.
  void Connect(raft::ServerId server) EXCLUDES(mu_);
  void Disconnect(raft::ServerId server) EXCLUDES(mu_);
  bool IsConnected(raft::ServerId server) const EXCLUDES(mu_);

  // Divides the group: only servers of a common part can talk. Parts may
  // overlap, {{0, 1}, {1, 2}}: S1 reaches both others, which do not reach each
  // other. No parts: undivided.
  void Partition(const std::vector<std::set<raft::ServerId>>& parts)
      EXCLUDES(mu_);

  // New ends of a client to all servers, disabled; `client` is new.
  Ends MakeClientEnds(int client);

  // Lets the client reach exactly those servers.
  void ConnectClient(int client, const std::set<raft::ServerId>& servers);

  // RPCs that arrived at this incarnation of the server.
  int64_t RpcCount(raft::ServerId server) const;

  // A copy of what is durable on the server's disk, and the bytes that its
  // incarnation has saved, durable or not.
  std::shared_ptr<persister::SimulatedDisk> CopyDisk(
      raft::ServerId server) const EXCLUDES(mu_);
  size_t StateSize(raft::ServerId server) const EXCLUDES(mu_);
  size_t SnapshotSize(raft::ServerId server) const EXCLUDES(mu_);

  // The end of all, in this order: Kill() kills every server that is up, then
  // the owner cleans up the network, then Release() ends the incarnations.
  void Kill() EXCLUDES(mu_);
  void Release() EXCLUDES(mu_);

 private:
  using Disk = persister::SimulatedDisk;

  struct Machine {
    bool up = false;
    bool connected = false;
    int incarnation = 0;
    std::shared_ptr<Disk> disk;  // what is durable
    // What the incarnation saves to, before that, if disks are slow.
    std::shared_ptr<persister::SlowDisk> slow_disk;
    std::vector<std::string> ends;  // of this incarnation, by where they lead
    Node node;                      // while it is up
  };

  std::string NameOf(raft::ServerId server) const;
  std::string ClientEndName(int client, raft::ServerId server) const;
  Ends MakeEnds(raft::ServerId server) EXCLUDES(mu_);
  void CrashSlowDisk(raft::ServerId server) EXCLUDES(mu_);
  std::shared_ptr<Disk> DetachDisk(raft::ServerId server) EXCLUDES(mu_);
  void ObserveDisk(raft::ServerId server, Disk* disk) EXCLUDES(mu_);
  std::shared_ptr<persister::Persister> SlowDown(
      raft::ServerId server, const std::shared_ptr<Disk>& disk) EXCLUDES(mu_);
  Node TakeNode(raft::ServerId server) EXCLUDES(mu_);
  bool CanTalkLocked(raft::ServerId a, raft::ServerId b) const REQUIRES(mu_);
  // The ends between `server` and those that it can talk to, or cannot.
  std::vector<std::string> LinksLocked(raft::ServerId server,
                                       bool can_talk) const REQUIRES(mu_);

  Machine& AtLocked(raft::ServerId server) REQUIRES(mu_) {
    return machines_[static_cast<size_t>(server)];
  }
  const Machine& AtLocked(raft::ServerId server) const REQUIRES(mu_) {
    return machines_[static_cast<size_t>(server)];
  }
  // What has the newest values.
  const persister::Persister& DiskLocked(raft::ServerId server) const
      REQUIRES(mu_);

  const Options options_;
  labrpc::Network* const network_;

  mutable base::Mutex mu_;
  std::vector<Machine> machines_ ABSL_GUARDED_BY(mu_);  // by server
  std::vector<std::set<raft::ServerId>> parts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace harness

#endif  // TESTS_HARNESS_SERVER_GROUP_H_
