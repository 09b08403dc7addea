// A group of servers of a replicated service on a test's network, whose Rafts
// are observed as those of a RaftCluster.
//
// It knows no service: a factory makes it, with the options for its Rsm.
//
// Thread safety: one thread makes and ends it, starts, crashes, connects and
// partitions; all else may be called from any thread of the test.
// Lock order: mu_ is a leaf.

#ifndef TESTS_HARNESS_SERVICE_GROUP_H_
#define TESTS_HARNESS_SERVICE_GROUP_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "labrpc/network.h"
#include "raft/raft.h"
#include "raft/types.h"
#include "rsm/rsm.h"
#include "tests/harness/environment.h"
#include "tests/harness/observers.h"
#include "tests/harness/server_group.h"

namespace harness {

class ServiceGroup {
 public:
  // Makes what runs on machine `me`. Its Rsm gets `options`: they have the Raft
  // and what the service applies observed.
  using MakeService = std::function<Node(
      Ends ends, raft::ServerId me, std::shared_ptr<persister::Persister> disk,
      rsm::Options options)>;

  struct Options {
    int group = 0;  // numbers the groups of a network
    int servers = 3;
    std::optional<size_t> max_raft_state = {};  // the course's maxraftstate
    MakeService make_service;
    rsm::MakeRaft make_raft = raft::Make;  // what the services stand on
    ShowCommand show_command = nullptr;    // for views
    MakeObservers make_observers = TheEnvironment().make_observers;
    bool slow_disks = TheEnvironment().slow_disks;
    OnError on_error;  // of the observers
  };

  // No server runs yet. The network outlives the group.
  ServiceGroup(labrpc::Network* network, Options options);

  int size() const { return options_.servers; }
  ServerGroup& machines() { return machines_; }
  const Observers& observers() const { return observers_; }

  // Servers and links, as in server_group.h. Start() leaves a server
  // disconnected.
  void StartAll();
  void CrashAll();
  void ConnectAll();  // undivided, too

  // The lowest server that takes itself for the leader, connected or not.
  std::optional<raft::ServerId> Leader();
  raft::State GetState(raft::ServerId server);
  // Null while it is down.
  std::shared_ptr<raft::Raft> RaftOf(raft::ServerId server) EXCLUDES(mu_);
  // "term 3, leads, last entry (17,3), commit 16", or "down".
  std::string DescribeRaft(raft::ServerId server);

  // The largest raft state and the largest snapshot on any server's disk.
  size_t LogSize() const;
  size_t SnapshotSize() const;

 private:
  class ObservedRaft;

  // What runs on a machine.
  struct Slot {
    int incarnation = 0;
    std::shared_ptr<raft::Raft> raft;  // null while it is down
  };

  Node MakeNode(Ends ends, raft::ServerId me,
                std::shared_ptr<persister::Persister> disk) EXCLUDES(mu_);
  rsm::Options MakeRsmOptions(raft::ServerId me, int incarnation);
  Slot SlotOf(raft::ServerId server) EXCLUDES(mu_);
  void SetRaft(raft::ServerId server, std::shared_ptr<raft::Raft> raft)
      EXCLUDES(mu_);

  const Options options_;
  const Observers observers_;

  base::Mutex mu_;
  std::vector<Slot> slots_ ABSL_GUARDED_BY(mu_);  // by server

  ServerGroup machines_;
};

}  // namespace harness

#endif  // TESTS_HARNESS_SERVICE_GROUP_H_
