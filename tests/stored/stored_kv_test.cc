// The key/value service on FileStorage: what a Clerk was told stays so,
// whatever the disks forget when their machines stop. The cluster checks that
// all that its clients saw is linearizable.

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "raft/raft.h"
#include "tests/harness/kv_cluster.h"
#include "tests/runner/suite.h"
#include "tests/stored/stored_raft.h"

namespace tests {
namespace {

using harness::Fail;
using harness::Kind;
using harness::KvClient;
using harness::KvCluster;
using raft::ServerId;
using std::chrono::milliseconds;

const auto kSuite = runner::Suite::OfScenarios("StoredKV3B", "kvraft", "3B");

constexpr int kServers = 3;
constexpr int kClients = 5;
constexpr int kKeys = 3;

// Machines stop and start again, one at a time and sometimes all.
void StopMachines(KvCluster* cluster, int rounds) {
  base::Random random = base::Random::ForOwner("crashes");
  for (int round = 0; round < rounds; ++round) {
    cluster->stage().Sleep(milliseconds(500 + random.Below(1000)));
    if (random.Chance(1, 4)) {
      cluster->stage().CrashAll();
      cluster->stage().StartAll();
      cluster->stage().ConnectAll();
      continue;
    }
    harness::ServerGroup& group = cluster->stage().group();
    const auto crashed = static_cast<ServerId>(random.Below(kServers));
    group.Crash(crashed);
    cluster->stage().Sleep(milliseconds(random.Below(1000)));
    group.Start(crashed);
    group.Connect(crashed);
  }
}

TEST(StoredKV3B, CrashesLoseNothing) {
  StoredRafts rafts(kServers, milliseconds(50));
  KvCluster cluster({.servers = kServers,
                     .max_raft_state = 1000,
                     .make_raft = rafts.ServiceMaker(),
                     .make_observers = StoredRafts::MakeNoObservers});
  cluster.Begin("Test (3B+): a service on machines that stop, on slow disks");
  harness::TestThreads threads;
  for (int i = 0; i < kClients; ++i) {
    cluster.Spawn(&threads, [&cluster, &threads, i] {
      base::Random random = base::Random::ForOwner(absl::StrCat("client/", i));
      const auto client = cluster.MakeClient();
      for (int n = 0; !threads.Stopping(); ++n) {
        const std::string key = absl::StrCat(random.Below(kKeys));
        if (random.Chance(1, 3)) {
          client->Get(key);
        } else if (random.Chance(1, 20)) {
          client->Put(key, "");  // so that values stay short
        } else {
          client->Append(key, absl::StrCat("x ", i, " ", n, " y"));
        }
      }
    });
  }
  StopMachines(&cluster, /*rounds=*/8);
  threads.Stop();
  threads.Join();

  if (cluster.stage().LogSize() > 0) {
    Fail(Kind::kHarness, "the servers are on the lab's disks");
  }
  for (ServerId i = 0; i < kServers; ++i) {
    if (cluster.stage().RaftOf(i)->GetStatus().first_index == 1) {
      Fail(Kind::kHarness, absl::StrCat("S", i, " has taken no snapshot"));
    }
  }
  cluster.End();
}

}  // namespace
}  // namespace tests
