// The stage of a test of a replicated service, and one group of servers of it
// there. Clusters of one service (kv_cluster.h, rsm_cluster.h) stand on it.
//
// Thread safety: as ServiceStage's and ServiceGroup's.

#ifndef TESTS_HARNESS_SERVICE_CLUSTER_H_
#define TESTS_HARNESS_SERVICE_CLUSTER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "labrpc/network.h"
#include "raft/raft.h"
#include "raft/types.h"
#include "rsm/rsm.h"
#include "tests/harness/environment.h"
#include "tests/harness/failure.h"
#include "tests/harness/observers.h"
#include "tests/harness/server_group.h"
#include "tests/harness/service_group.h"
#include "tests/harness/service_stage.h"

namespace harness {

class ServiceCluster : public ServiceStage {
 public:
  struct Options {
    int servers = 3;
    bool reliable = true;
    Year year = Year::k2022;
    std::optional<size_t> max_raft_state = {};  // the course's maxraftstate
    ServiceGroup::MakeService make_service;
    rsm::MakeRaft make_raft = raft::Make;  // what the services stand on
    ShowCommand show_command = nullptr;    // for views
    labrpc::Tap tap = nullptr;
    std::function<void()> on_failure = [] {};  // ServiceStage's
    MakeObservers make_observers = TheEnvironment().make_observers;
  };

  // Makes a network, starts servers 0, 1, ..., and connects them all.
  explicit ServiceCluster(Options options, Place place = Place::Here());

  // Ends all that runs.
  ~ServiceCluster();

  int size() const { return servers_.size(); }
  ServerGroup& group() { return servers_.machines(); }
  const Observers& observers() const { return servers_.observers(); }

  // As ServiceGroup's.
  void StartAll() { servers_.StartAll(); }
  void CrashAll() { servers_.CrashAll(); }
  void ConnectAll() { servers_.ConnectAll(); }
  std::optional<raft::ServerId> Leader() { return servers_.Leader(); }
  raft::State GetState(raft::ServerId server) {
    return servers_.GetState(server);
  }
  std::shared_ptr<raft::Raft> RaftOf(raft::ServerId server) {
    return servers_.RaftOf(server);
  }
  size_t LogSize() const { return servers_.LogSize(); }
  size_t SnapshotSize() const { return servers_.SnapshotSize(); }

  void Partition(const std::set<raft::ServerId>& one,
                 const std::set<raft::ServerId>& other);

  // Divides the servers into a majority without the leader, and the rest: the
  // course's make_partition. Server 0 counts as the leader if there is none.
  struct Parts {
    std::set<raft::ServerId> majority;
    std::set<raft::ServerId> minority;  // with the leader
  };
  Parts PartitionFromLeader();

 private:
  ServiceGroup servers_;
};

}  // namespace harness

#endif  // TESTS_HARNESS_SERVICE_CLUSTER_H_
