// A cluster of the shard controller (shardctrler/), for one test: the course's
// "config" of it.
//
// Thread safety: one thread makes and ends the cluster, starts and crashes
// servers; all else may be called from any thread of the test.

#ifndef TESTS_HARNESS_CTRLER_CLUSTER_H_
#define TESTS_HARNESS_CTRLER_CLUSTER_H_

#include <atomic>
#include <memory>
#include <string_view>

#include "base/mutex.h"
#include "base/random.h"
#include "labrpc/network.h"
#include "tests/harness/closing.h"
#include "tests/harness/ctrler_client.h"
#include "tests/harness/environment.h"
#include "tests/harness/failure.h"
#include "tests/harness/service_cluster.h"

namespace harness {

class CtrlerCluster {
 public:
  struct Options {
    int servers = 3;
    bool reliable = true;
    labrpc::Tap tap = nullptr;
    MakeObservers make_observers = TheEnvironment().make_observers;
  };

  explicit CtrlerCluster(Options options, Place place = Place::Here());
  CtrlerCluster() : CtrlerCluster(Options{}) {}

  // Ends all that runs.
  ~CtrlerCluster() { closing_.CloseAll(); }
  CtrlerCluster(const CtrlerCluster&) = delete;
  CtrlerCluster& operator=(const CtrlerCluster&) = delete;

  // As ServiceCluster's.
  void Begin(std::string_view title) { stage_.Begin(title); }
  void End(Place place = Place::Here()) { stage_.End(place); }
  ServiceCluster& stage() { return stage_; }

  // A client that can reach all servers; its Clerk knows them in a random
  // order.
  std::shared_ptr<CtrlerClient> MakeClient();

  // Starts the server, and connects it with all others.
  void Restart(raft::ServerId server);

 private:
  std::unique_ptr<CtrlerClerk> MakeClerk() EXCLUDES(mu_);

  std::atomic<int> clients_made_ = 0;
  base::Mutex mu_;
  base::Random random_ ABSL_GUARDED_BY(mu_);  // orders the clients' servers
  Closing closing_;
  ServiceCluster stage_;
};

}  // namespace harness

#endif  // TESTS_HARNESS_CTRLER_CLUSTER_H_
