// Case (m): the key/value service. One Clerk that waits for each answer, and
// many clients that each have one call in progress.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench_cluster.h"
#include "bench/cases.h"
#include "bench/closed_loop.h"
#include "bench/measure.h"
#include "kvraft/clerk.h"
#include "kvraft/server.h"
#include "labrpc/network.h"
#include "tests/harness/server_group.h"

namespace bench {
namespace {

using benchmark::State;
using raft::ServerId;

constexpr int kServers = 3;
const std::string kValue(16, 'v');

std::string Key(uint64_t number) { return absl::StrCat("key", number); }

// Three servers on a reliable network.
class KeyValueCluster {
 public:
  KeyValueCluster()
      : network_("bench"),
        group_(
            &network_,
            {.servers = kServers,
             .make_node = [this](harness::Ends ends, int /*group*/, ServerId me,
                                 std::shared_ptr<persister::Persister> disk) {
               return MakeNode(std::move(ends), me, std::move(disk));
             }}) {
    for (ServerId i = 0; i < kServers; ++i) group_.Start(i);
    for (ServerId i = 0; i < kServers; ++i) group_.Connect(i);
  }

  ~KeyValueCluster() {
    group_.Kill();
    network_.Cleanup();
  }

  // Ends to all servers.
  harness::Ends MakeClient() {
    harness::Ends ends = group_.MakeClientEnds(clients_);
    group_.ConnectClient(clients_++, {0, 1, 2});
    return ends;
  }

  std::optional<ServerId> AwaitLeader() const {
    const Clock::time_point deadline = Clock::now() + kPatience;
    while (Clock::now() < deadline) {
      for (ServerId i = 0; i < kServers; ++i) {
        if (servers_[static_cast<size_t>(i)]->raft().GetState().is_leader) {
          return i;
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return std::nullopt;
  }

 private:
  harness::Node MakeNode(harness::Ends ends, ServerId me,
                         std::shared_ptr<persister::Persister> disk) {
    auto server = std::make_shared<kvraft::Server>(
        std::move(ends), me, std::move(disk),
        rsm::Options{.raft = {.check_invariants = false}});
    servers_[static_cast<size_t>(me)] = server;
    return {.services = server->Services(),
            .kill = [server] { server->Kill(); },
            .rest = nullptr};
  }

  labrpc::Network network_;
  int clients_ = 0;
  std::vector<std::shared_ptr<kvraft::Server>> servers_{kServers};
  harness::ServerGroup group_;
};

void OneClerk(uint64_t operations, State* state) {
  KeyValueCluster cluster;
  if (!cluster.AwaitLeader()) return state->SkipWithError("no leader");
  kvraft::Clerk clerk(cluster.MakeClient());
  CHECK(clerk.Put("key", kValue).ok());  // finds the leader, opens a session
  std::vector<double> us;
  us.reserve(operations);
  for (uint64_t i = 0; i < operations; ++i) {
    const Clock::time_point begin = Clock::now();
    CHECK(clerk.Put("key", kValue).ok());
    us.push_back(1e6 * Seconds(Clock::now() - begin));
  }
  state->SetIterationTime(1e-6 * Quantile(us, 0.5));
  state->counters["p50_us"] = Quantile(us, 0.5);
  state->counters["p99_us"] = Quantile(us, 0.99);
}

struct Api {
  static constexpr auto kGet = kvraft::kGet;
  static constexpr auto kPutAppend = kvraft::kPutAppend;
};
using Loop = ClosedLoop<Api>;

std::vector<Loop::Client> MakeClients(KeyValueCluster* cluster, ServerId leader,
                                      int count) {
  std::vector<Loop::Client> clients(static_cast<size_t>(count));
  for (Loop::Client& client : clients) {
    client.end = cluster->MakeClient()[static_cast<size_t>(leader)];
    client.session = client.end->Call(kvraft::kOpenSession, {}).value().session;
  }
  return clients;
}

// Half of the operations are reads. The keys are there before.
void ManyClients(int clients, uint64_t keys, uint64_t operations,
                 State* state) {
  KeyValueCluster cluster;
  const std::optional<ServerId> leader = cluster.AwaitLeader();
  if (!leader.has_value()) return state->SkipWithError("no leader");
  Loop loop(MakeClients(&cluster, *leader, clients));
  const auto next = [clients](int client, uint64_t number) {
    return static_cast<uint64_t>(client) +
           number * static_cast<uint64_t>(clients);
  };
  const bool loaded = loop.Run(keys, [&](int client, uint64_t number) {
    return Operation{false, Key(next(client, number)), kValue};
  });
  const Usage before = Usage::Now();
  const Clock::time_point begin = Clock::now();
  const bool done =
      loaded && loop.Run(operations, [&](int client, uint64_t number) {
        // A walk through all keys that jumps, so that no cache has them.
        const uint64_t key = next(client, number) * 7919 % keys;
        return Operation{number % 2 == 0, Key(key), kValue};
      });
  const double seconds = Seconds(Clock::now() - begin);
  if (!done) return state->SkipWithError("the leader lost office in mid-run");
  const auto count = static_cast<double>(operations);
  state->SetIterationTime(seconds);
  state->counters["per_second"] = count / seconds;
  state->counters["cpu_us_per_operation"] =
      1e6 * (Usage::Now().cpu_seconds - before.cpu_seconds) / count;
}

}  // namespace

void RegisterKeyValue(Scale scale) {
  const uint64_t one = Scaled(scale, 20'000, 50);
  AddCase("kv/one_clerk", [=](State& state) { OneClerk(one, &state); });
  AddCase("kv/one_clerk/one_cpu", [=](State& state) {
    const PinnedTo pinned(AllowedCpus().front());
    OneClerk(one, &state);
  });
  for (const int clients : {64, 1024}) {
    AddCase(absl::StrCat("kv/clients:", clients), [=](State& state) {
      ManyClients(clients, /*keys=*/1024, Scaled(scale, 500'000, 2048), &state);
    });
  }
  for (const uint64_t keys : {1'024, 1'048'576}) {
    AddCase(absl::StrCat("kv/clients:64/keys:", keys), [=](State& state) {
      ManyClients(64, Scaled(scale, keys, 1024), Scaled(scale, 500'000, 2048),
                  &state);
    });
  }
}

}  // namespace bench
