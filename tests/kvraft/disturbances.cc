#include "tests/kvraft/disturbances.h"

#include <array>
#include <chrono>
#include <set>

#include "base/random.h"

namespace tests {
namespace {

void Divide(harness::KvCluster* cluster, base::Random* random) {
  std::array<std::set<raft::ServerId>, 2> sides;
  for (raft::ServerId i = 0; i < cluster->size(); ++i) {
    sides[random->Below(2)].insert(i);
  }
  cluster->stage().Partition(sides[0], sides[1]);
}

}  // namespace

void CrashAndRestartAll(harness::KvCluster* cluster) {
  harness::ServiceCluster& stage = cluster->stage();
  stage.CrashAll();
  stage.Sleep(harness::kKvElectionTimeout);
  stage.StartAll();
  stage.ConnectAll();
}

void PartitionAgainAndAgain(harness::KvCluster* cluster,
                            std::chrono::seconds time,
                            std::atomic<bool>* clients_stopped,
                            harness::Place place) {
  harness::ServiceCluster& stage = cluster->stage();
  harness::TestThreads partitioner;
  cluster->Spawn(&partitioner, [&partitioner, cluster] {
    base::Random random = base::Random::ForOwner("partitioner");
    while (!partitioner.Stopping()) {
      Divide(cluster, &random);
      cluster->stage().Sleep(harness::kKvElectionTimeout +
                             std::chrono::milliseconds(random.Between(0, 199)));
    }
  });
  stage.Sleep(time, place);
  *clients_stopped = true;
  partitioner.Stop();
  partitioner.Join();  // when the last division has had its time
  stage.ConnectAll();
  stage.Sleep(harness::kKvElectionTimeout, place);
}

}  // namespace tests
