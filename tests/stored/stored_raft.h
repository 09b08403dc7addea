// Rafts on FileStorage, on simulated disks that are slow and that crash: what
// make_raft of RaftClusterOptions, and of KvCluster::Options, needs for it.
//
// When a server is killed its machine stops: each further operation of its disk
// fails, and what no flush had decided survives or not, sector by sector, by
// the seed.
//
// Thread safety: safe.

#ifndef TESTS_STORED_STORED_RAFT_H_
#define TESTS_STORED_STORED_RAFT_H_

#include <chrono>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "persister/files/simulated_files.h"
#include "raft/raft.h"
#include "rsm/rsm.h"
#include "tests/harness/observers.h"
#include "tests/harness/raft_cluster.h"

namespace tests {

class StoredRafts {
 public:
  // Each flush takes 0 to `slowest_flush`.
  StoredRafts(int servers, std::chrono::milliseconds slowest_flush);

  // Opens the server's storage, and makes its Raft on it.
  harness::MakeRaft Maker();
  rsm::MakeRaft ServiceMaker();  // of one that services stand on

  // For make_observers: none, since the oracle reads the lab's disks, which are
  // empty here.
  static harness::Observers::List MakeNoObservers(
      int /*group*/, int /*servers*/, const harness::OnError& /*on_error*/) {
    return {};
  }

 private:
  class Stored;
  struct Machine;
  struct Opened;

  std::shared_ptr<raft::Raft> Make(harness::Ends ends, raft::ServerId me,
                                   std::shared_ptr<raft::ApplyChannel> channel,
                                   raft::Options options) EXCLUDES(mu_);
  // Replaces the machine of that server, which has stopped.
  void Replace(raft::ServerId server) EXCLUDES(mu_);
  std::shared_ptr<Machine> MakeMachine(
      std::unique_ptr<persister::SimulatedFiles> disk) EXCLUDES(mu_);

  const std::chrono::milliseconds slowest_flush_;
  base::Mutex mu_;
  base::Random random_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<Machine>> machines_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tests

#endif  // TESTS_STORED_STORED_RAFT_H_
