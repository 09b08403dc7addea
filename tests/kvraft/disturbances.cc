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

Partitioner::Partitioner(harness::KvCluster* cluster) {
  cluster->Spawn(&threads_, [this, cluster] {
    base::Random random = base::Random::ForOwner("partitioner");
    while (!threads_.Stopping()) {
      Divide(cluster, &random);
      cluster->stage().Sleep(harness::kKvElectionTimeout +
                             std::chrono::milliseconds(random.Between(0, 199)));
    }
  });
}

void Partitioner::Stop() {
  threads_.Stop();
  threads_.Join();
}

}  // namespace tests
