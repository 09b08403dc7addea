#include "tests/kvraft/kv_test_2025.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "tests/kvraft/disturbances.h"
#include "tests/kvraft/limits.h"
#include "tests/kvraft/versioned_puts.h"

namespace tests {
namespace {

using harness::Fail;
using harness::Kind;
using harness::KvClient;
using harness::KvCluster;
using harness::Place;
using harness::TestThreads;
using kvraft::Err;
using kvraft::Reply;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr int kIterations = 3;
constexpr int kRandomKeys = 100;

// A round of all clients takes this for each of them: they have a second, and
// where they have one key one of them succeeds in each round. During partitions
// they have longer here than with the course (RunClients()), not more to do.
std::optional<std::chrono::nanoseconds> RoundOf(const KvTest2025& test) {
  if (!test.reliable) return std::nullopt;
  return test.clients *
         std::chrono::microseconds(test.partitions ? 10'000 : 2'500);
}

Puts RunClient(const KvTest2025& test, int number, KvClient* client,
               const std::atomic<bool>& stopped, Place place) {
  base::Random random = base::Random::ForOwner(absl::StrCat("client/", number));
  const uint64_t keys = test.random_keys ? kRandomKeys : 1;
  std::vector<uint64_t> versions(keys);
  Puts puts;
  while (!stopped) {
    const uint64_t key = random.Below(keys);
    PutOnce(client, number,
            test.random_keys ? absl::StrCat("k", key) : std::string("k"),
            RoundOf(test), &versions[key], &puts, place);
  }
  return puts;
}

// Compares the version of the one key with what clients know of it.
void CheckPuts(const KvTest2025& test, KvClient* client, const Puts& puts,
               Place place) {
  const Reply reply = client->GetVersioned("k", place);
  if (reply.err != Err::kOk) {
    Fail(Kind::kSafety,
         absl::StrCat(client->id(), ": Get \"k\" err ", Name(reply.err)),
         place);
  }
  const bool is_exact = test.reliable && !test.crash && !test.partitions;
  const bool is_right = is_exact ? reply.version == puts.ok
                                 : reply.version <= puts.ok + puts.maybe;
  if (is_right) return;
  Fail(Kind::kSafety,
       absl::StrCat(is_exact ? "Reliable" : "Unreliable",
                    ": Wrong number of puts: server ", reply.version,
                    " clnts &{", puts.ok, " ", puts.maybe, "}"),
       place);
}

// Adds to `puts` what clients have put meanwhile. The course tells them to stop
// when the partitions begin; here these go on together for five seconds, as
// until 2024.
void RunClients(const KvTest2025& test, KvCluster* cluster, Puts* puts,
                Place place) {
  harness::ServiceCluster& stage = cluster->stage();
  std::vector<Puts> put(static_cast<size_t>(test.clients));
  std::atomic<bool> stopped = false;
  TestThreads clients([&stage] { stage.CheckHasFailed(); });
  for (int i = 0; i < test.clients; ++i) {
    cluster->Spawn(&clients, [&, i] {
      put[static_cast<size_t>(i)] =
          RunClient(test, i, cluster->MakeClient().get(), stopped, place);
    });
  }
  stage.Sleep(seconds(1), place);
  if (test.partitions)
    PartitionAgainAndAgain(cluster, seconds(5), &stopped, place);
  stopped = true;
  clients.Join();
  stage.CheckError(place);
  for (const Puts& one : put) {
    puts->ok += one.ok;
    puts->maybe += one.maybe;
  }
}

}  // namespace

std::string Title2025(const KvTest2025& test) {
  return absl::StrCat("Test: ", test.crash ? "restarts, " : "",
                      test.partitions ? "partitions, " : "",
                      test.max_raft_state.has_value() ? "snapshots, " : "",
                      test.random_keys ? "random keys, " : "",
                      test.clients > 1 ? "many clients" : "one client", " (",
                      test.part, ")");
}

void RunKvTest(const KvTest2025& test, Place place) {
  KvCluster cluster({.servers = test.servers,
                     .reliable = test.reliable,
                     .year = harness::Year::k2025,
                     .max_raft_state = test.max_raft_state},
                    place);
  cluster.Begin(Title2025(test));
  const std::shared_ptr<KvClient> client = cluster.MakeClient();

  Puts puts;
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    RunClients(test, &cluster, &puts, place);
    if (!test.random_keys) CheckPuts(test, client.get(), puts, place);
    cluster.CheckHistory(place);
    if (test.crash) CrashAndRestartAll(&cluster);
    if (test.max_raft_state.has_value()) {
      CheckLogSize(&cluster, place);
    } else {
      CheckSnapshotSize(&cluster, /*most=*/0, place);
    }
  }

  cluster.End(place);
}

void RunVersionedSpeedTest(const std::string& part,
                           std::optional<size_t> max_raft_state, Place place) {
  constexpr uint64_t kOperations = 1000;
  KvCluster cluster({.servers = 3,
                     .year = harness::Year::k2025,
                     .max_raft_state = max_raft_state},
                    place);
  cluster.Begin(Title2025(
      {.part = part, .clients = 1, .max_raft_state = max_raft_state}));
  const std::shared_ptr<KvClient> client = cluster.MakeClient();
  client->DoNotCount();

  // The first one waits for a leader.
  client->GetVersioned("x", place);
  const Clock::time_point start = Clock::now();
  for (uint64_t i = 0; i < kOperations; ++i) {
    const Err err = client->PutVersioned("k", absl::StrCat(i), i, place);
    if (err != Err::kOk) {
      Fail(Kind::kSafety, absl::StrCat("Put err ", Name(err)), place);
    }
  }
  const Clock::duration took = Clock::now() - start;
  const Reply reply = client->GetVersioned("k", place);
  if (reply.version != kOperations) {
    Fail(Kind::kSafety, absl::StrCat("Get too few ops ", reply.version), place);
  }
  CheckSpeed(took / kOperations, place);

  cluster.End(place);
}

uint64_t PutAtLeastOnce(KvClient* client, const std::string& key,
                        const std::string& value, uint64_t version,
                        Place place) {
  while (true) {
    const Err err = client->PutVersioned(key, value, version, place);
    if (err == Err::kOk) return version + 1;
    if (err == Err::kMaybe || err == Err::kVersion) {
      ++version;
    } else if (version > 0) {
      Fail(Kind::kSafety,
           absl::StrCat("Put ", key, " ver ", version, " err ", Name(err)),
           place);
    }
  }
}

}  // namespace tests
