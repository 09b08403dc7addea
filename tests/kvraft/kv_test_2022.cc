#include "tests/kvraft/kv_test_2022.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/random.h"
#include "tests/harness/kv_cluster.h"
#include "tests/kvraft/append_checks.h"
#include "tests/kvraft/disturbances.h"
#include "tests/kvraft/limits.h"
#include "tests/kvraft/pace.h"

namespace tests {
namespace {

using harness::Fail;
using harness::Kind;
using harness::KvClient;
using harness::KvCluster;
using harness::Place;
using harness::TestThreads;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr int kIterations = 3;

// A round of all clients takes this for each of them.
constexpr std::chrono::milliseconds kPerClient(10);

std::string Title(const KvTest2022& test) {
  return absl::StrCat(
      "Test: ", test.unreliable ? "unreliable net, " : "",
      test.crash ? "restarts, " : "", test.partitions ? "partitions, " : "",
      test.max_raft_state.has_value() ? "snapshots, " : "",
      test.random_keys ? "random keys, " : "",
      test.clients > 1 ? "many clients" : "one client", " (", test.part, ")");
}

// Client `number` reads, appends and puts until it is `stopped`. Returns how
// many elements it has written.
int RunClient(const KvTest2022& test, int number, KvClient* client,
              const std::atomic<bool>& stopped, Place place) {
  base::Random random = base::Random::ForOwner(absl::StrCat("client/", number));
  int written = 0;
  std::string last;
  if (!test.random_keys) client->Put(absl::StrCat(number), last, place);
  while (!stopped) {
    if (!test.unreliable) AwaitRound(kPerClient * test.clients);
    const std::string key = absl::StrCat(
        test.random_keys ? random.Below(static_cast<uint64_t>(test.clients))
                         : static_cast<uint64_t>(number));
    const std::string element = Element(number, written);
    if (random.Chance(500, 1000)) {
      client->Append(key, element, place);
      last += element;
      ++written;
    } else if (test.random_keys && random.Chance(100, 1000)) {
      client->Put(key, element, place);
      ++written;
    } else {
      const std::string value = client->Get(key, place);
      if (!test.random_keys && value != last) {
        Fail(Kind::kSafety,
             absl::StrCat("get wrong value, key ", key, ", wanted:\n", last,
                          "\n, got\n", value),
             place);
      }
    }
  }
  return written;
}

// Returns what each client has written.
std::vector<int> RunClients(const KvTest2022& test, KvCluster* cluster,
                            Place place) {
  harness::ServiceCluster& stage = cluster->stage();
  std::vector<int> written(static_cast<size_t>(test.clients));
  std::atomic<bool> stopped = false;
  TestThreads clients([&stage] { stage.CheckHasFailed(); });
  for (int i = 0; i < test.clients; ++i) {
    cluster->Spawn(&clients, [&, i] {
      written[static_cast<size_t>(i)] =
          RunClient(test, i, cluster->MakeClient().get(), stopped, place);
    });
  }
  if (test.partitions) {
    // Let the clients perform some operations without interruption.
    stage.Sleep(seconds(1), place);
    PartitionAgainAndAgain(cluster, seconds(5), &stopped, place);
  } else {
    stage.Sleep(seconds(5), place);
    stopped = true;
  }
  if (test.crash) CrashAndRestartAll(cluster);
  clients.Join();
  stage.CheckError(place);
  return written;
}

}  // namespace

void RunKvTest(const KvTest2022& test, Place place) {
  KvCluster cluster({.servers = test.servers,
                     .reliable = !test.unreliable,
                     .max_raft_state = test.max_raft_state},
                    place);
  cluster.Begin(Title(test));
  const std::shared_ptr<KvClient> client = cluster.MakeClient();

  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const std::vector<int> written = RunClients(test, &cluster, place);
    for (int i = 0; i < test.clients; ++i) {
      const std::string value = client->Get(absl::StrCat(i), place);
      if (!test.random_keys) {
        CheckAppends(i, value, written[static_cast<size_t>(i)], place);
      }
    }
    if (test.max_raft_state.has_value()) {
      CheckLogSize(&cluster, place);
    } else {
      CheckSnapshotSize(&cluster, /*most=*/0, place);
    }
    cluster.CheckHistory(place);
  }

  cluster.End(place);
}

void RunKvSpeedTest(const std::string& part,
                    std::optional<size_t> max_raft_state, Place place) {
  constexpr int kOperations = 1000;
  KvCluster cluster({.servers = 3, .max_raft_state = max_raft_state}, place);
  const std::shared_ptr<KvClient> client = cluster.MakeClient();
  client->DoNotCount();
  cluster.Begin(absl::StrCat("Test: ops complete fast enough (", part, ")"));

  // The first one waits for a leader.
  client->Get("x", place);
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < kOperations; ++i) {
    client->Append("x", Element(0, i), place);
  }
  const Clock::duration took = Clock::now() - start;
  CheckAppends(0, client->Get("x", place), kOperations, place);
  CheckSpeed(took / kOperations, place);

  cluster.End(place);
}

}  // namespace tests
