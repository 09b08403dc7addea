#include "tests/harness/service_cluster.h"

#include <utility>

namespace harness {

ServiceCluster::ServiceCluster(Options options, Place place)
    : ServiceStage({.servers = options.servers,
                    .year = options.year,
                    .tap = std::move(options.tap),
                    .on_failure = std::move(options.on_failure)},
                   place),
      servers_(&network(), {.servers = options.servers,
                            .max_raft_state = options.max_raft_state,
                            .make_service = std::move(options.make_service),
                            .make_raft = std::move(options.make_raft),
                            .show_command = options.show_command,
                            .make_observers = std::move(options.make_observers),
                            .on_error = [this](const Failure& error) {
                              FoundError(error);
                            }}) {
  Observe(observers());
  StartAll();
  ConnectAll();
  Open(options.reliable);
}

ServiceCluster::~ServiceCluster() {
  Close();
  group().Kill();
  // Calls of an instance that is not quite dead fail from here on.
  network().Cleanup();
  group().Release();
}

void ServiceCluster::Partition(const std::set<raft::ServerId>& one,
                               const std::set<raft::ServerId>& other) {
  group().Partition({one, other});
}

ServiceCluster::Parts ServiceCluster::PartitionFromLeader() {
  Parts parts;
  const raft::ServerId leader = Leader().value_or(0);
  for (raft::ServerId i = 0; i < size(); ++i) {
    const bool has_room =
        parts.majority.size() < static_cast<size_t>(size()) / 2 + 1;
    auto& part = i != leader && has_room ? parts.majority : parts.minority;
    part.insert(i);
  }
  Partition(parts.majority, parts.minority);
  return parts;
}

}  // namespace harness
