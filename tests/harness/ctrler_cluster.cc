#include "tests/harness/ctrler_cluster.h"

#include <set>
#include <utility>

namespace harness {

CtrlerCluster::CtrlerCluster(Options options, Place place)
    : random_(base::Random::ForOwner("cluster")),
      stage_({.servers = options.servers,
              .reliable = options.reliable,
              .year = Year::k2022Sharded,
              .make_service = MakeCtrler,
              .tap = std::move(options.tap),
              .on_failure = [this] { closing_.CloseAll(); },
              .make_observers = std::move(options.make_observers)},
             place) {}

std::unique_ptr<CtrlerClerk> CtrlerCluster::MakeClerk() {
  const int id = clients_made_++;
  Ends ends = stage_.group().MakeClientEnds(id);
  {
    base::MutexLock lock(&mu_);
    for (size_t left = ends.size(); left > 1; --left) {
      std::swap(ends[left - 1], ends[random_.Below(left)]);
    }
  }
  std::set<raft::ServerId> all;
  for (raft::ServerId i = 0; i < stage_.size(); ++i) all.insert(i);
  stage_.group().ConnectClient(id, all);
  return MakeCtrlerClerk(std::move(ends));
}

std::shared_ptr<CtrlerClient> CtrlerCluster::MakeClient() {
  auto client =
      std::make_shared<CtrlerClient>(&stage_, [this] { return MakeClerk(); });
  closing_.Add([weak = std::weak_ptr(client)] {
    if (const auto open = weak.lock()) open->Close();
  });
  return client;
}

void CtrlerCluster::Restart(raft::ServerId server) {
  stage_.group().Start(server);
  stage_.ConnectAll();
}

}  // namespace harness
