// Case (n): the sharded key/value service. How long shards are not served that
// move, what those notice that do not, and what several groups bring.

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "bench/bench_cluster.h"
#include "bench/cases.h"
#include "bench/closed_loop.h"
#include "bench/measure.h"
#include "bench/shard_cluster.h"

namespace bench {
namespace {

using benchmark::State;
using raft::ServerId;
using shardctrler::Gid;
using shardctrler::kShards;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr char kNoLeader[] = "no leader";
constexpr char kDisturbed[] = "a leader lost office in mid-run";
constexpr char kUnsettled[] = "a shard has not come";
const std::string kValue(16, 'v');

struct Api {
  static constexpr auto kGet = shardkv::kGet;
  static constexpr auto kPutAppend = shardkv::kPutAppend;
};
using Loop = ClosedLoop<Api>;

std::string Key(int shard, uint64_t number) {
  for (char first = '0';; ++first) {
    std::string key = absl::StrCat(std::string(1, first), number);
    if (shardkv::ShardOf(key) == shard) return key;
  }
}

std::vector<int> AllShards() {
  std::vector<int> shards(kShards);
  for (int shard = 0; shard < kShards; ++shard) {
    shards[static_cast<size_t>(shard)] = shard;
  }
  return shards;
}

std::vector<Gid> Gids(int groups) {
  std::vector<Gid> gids;
  for (Gid gid = 1; gid <= groups; ++gid) gids.push_back(gid);
  return gids;
}

// All groups join, and have their shards.
bool Open(ShardCluster* cluster, const std::vector<Gid>& gids) {
  if (!cluster->AwaitLeaders()) return false;
  cluster->Join(gids);
  return cluster->AwaitSettled();
}

// One client for each, of the leaders of their groups; none if one is missing.
std::vector<Loop::Client> MakeClients(ShardCluster* cluster,
                                      const std::vector<int>& shards) {
  std::vector<Loop::Client> clients;
  for (const int shard : shards) {
    const Gid gid = cluster->OwnerOf(shard);
    const std::optional<ServerId> leader = cluster->LeaderOf(gid);
    if (!leader.has_value()) return {};
    Loop::Client client{.end = cluster->MakeEnd(gid, *leader)};
    const auto opened = client.end->Call(shardkv::kOpenSession, {shard});
    if (!opened.has_value() || opened->err != shardkv::Err::kOk) return {};
    client.session = opened->session;
    clients.push_back(std::move(client));
  }
  return clients;
}

// Writes that many keys to each of the shards.
bool Load(ShardCluster* cluster, const std::vector<int>& shards, uint64_t keys,
          const std::string& value) {
  constexpr size_t kClientsOfShard = 16;
  std::vector<int> shard_of_client;
  for (size_t i = 0; i < kClientsOfShard; ++i) {
    shard_of_client.insert(shard_of_client.end(), shards.begin(), shards.end());
  }
  std::vector<Loop::Client> clients = MakeClients(cluster, shard_of_client);
  if (clients.empty()) return false;
  Loop loop(std::move(clients));
  return loop.Run(keys * shards.size(), [&](int client, uint64_t number) {
    const size_t turn = static_cast<size_t>(client) / shards.size();
    return Operation{false,
                     Key(shard_of_client[static_cast<size_t>(client)],
                         number * kClientsOfShard + turn),
                     value};
  });
}

// A client of one shard, on a thread of its own: one write after the other,
// each of which it times.
class Probe {
 public:
  Probe(ShardCluster* cluster, int shard)
      : key_(Key(shard, 0)), clerk_(cluster->MakeClerk()) {
    CHECK(clerk_->Put(key_, kValue).ok());  // finds leader and session
    thread_ = std::thread([this] { Run(); });
  }
  ~Probe() {
    ended_ = true;
    thread_.join();
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  // The operations that have returned since the last call.
  std::vector<double> Take() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    return std::exchange(us_, {});
  }

 private:
  void Run() EXCLUDES(mu_) {
    while (!ended_) {
      const Clock::time_point begin = Clock::now();
      CHECK(clerk_->Put(key_, kValue).ok());
      const double us = 1e6 * Seconds(Clock::now() - begin);
      base::MutexLock lock(&mu_);
      us_.push_back(us);
    }
  }

  const std::string key_;
  const std::unique_ptr<shardkv::Clerk> clerk_;
  std::atomic<bool> ended_ = false;
  base::Mutex mu_;
  std::vector<double> us_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

void Append(std::vector<double> more, std::vector<double>* all) {
  all->insert(all->end(), more.begin(), more.end());
}

// Group 2 leaves, or joins again: five shards move. Group 3 has none.
shardctrler::Config AfterFive(const shardctrler::Config& config) {
  if (config.groups.contains(2)) return shardctrler::Leave(config, {2}).value();
  return shardctrler::Join(config, {{2, {"a server"}}}).value();
}

// Which shards move between the two.
std::vector<int> Moving(const shardctrler::Config& before,
                        const shardctrler::Config& after) {
  std::vector<int> moving;
  for (size_t shard = 0; shard < kShards; ++shard) {
    if (before.shards[shard] != after.shards[shard]) {
      moving.push_back(static_cast<int>(shard));
    }
  }
  return moving;
}

std::vector<int> MoveFive(ShardCluster* cluster) {
  const shardctrler::Config before = cluster->config();
  if (before.groups.contains(2)) {
    cluster->Leave({2});
  } else {
    cluster->Join({2});
  }
  std::vector<int> moved = Moving(before, cluster->config());
  CHECK_EQ(moved.size(), size_t{kShards / 2});
  return moved;
}

// A shard that stays where it is when five move next.
int NextToStay(const ShardCluster& cluster) {
  const std::vector<int> moving =
      Moving(cluster.config(), AfterFive(cluster.config()));
  int staying = 0;
  while (std::count(moving.begin(), moving.end(), staying) > 0) ++staying;
  return staying;
}

// Looks every 20 us; a look is no call.
bool AwaitServed(const ShardCluster& cluster, const std::vector<int>& shards) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (!cluster.Serve(shards)) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(microseconds(20));
  }
  return true;
}

// A write by a Clerk, and a call that is refused at once.
void MeasureParts(ShardCluster* cluster, int times, double* operation_us,
                  double* call_us) {
  const std::unique_ptr<shardkv::Clerk> clerk = cluster->MakeClerk();
  const Gid gid = cluster->OwnerOf(0);
  const ServerId follower =
      (cluster->LeaderOf(gid).value_or(0) + 1) % ShardCluster::kServers;
  const auto end = cluster->MakeEnd(gid, follower);
  CHECK(clerk->Put(Key(0, 0), kValue).ok());
  std::vector<double> operations;
  std::vector<double> calls;
  for (int i = 0; i < times; ++i) {
    const Clock::time_point begin = Clock::now();
    CHECK(clerk->Put(Key(0, 0), kValue).ok());
    const Clock::time_point middle = Clock::now();
    CHECK(end->Call(shardkv::kGet, {Key(0, 0)}).has_value());
    operations.push_back(1e6 * Seconds(middle - begin));
    calls.push_back(1e6 * Seconds(Clock::now() - middle));
  }
  *operation_us = Quantile(operations, 0.5);
  *call_us = Quantile(calls, 0.5);
}

void HandOver(uint64_t keys, int times, State* state) {
  ShardCluster cluster(3);
  if (!Open(&cluster, {1, 2})) return state->SkipWithError(kNoLeader);
  if (!Load(&cluster, AllShards(), keys, kValue)) {
    return state->SkipWithError(kDisturbed);
  }
  double operation_us = 0;
  double call_us = 0;
  MeasureParts(&cluster, 10 * times, &operation_us, &call_us);
  std::vector<double> us;
  for (int i = 0; i < times; ++i) {
    const std::vector<int> moved = MoveFive(&cluster);
    const Clock::time_point begin = Clock::now();
    if (!AwaitServed(cluster, moved)) return state->SkipWithError(kUnsettled);
    us.push_back(1e6 * Seconds(Clock::now() - begin));
    if (!cluster.AwaitSettled()) return state->SkipWithError(kUnsettled);
    // The next change comes at any moment between two looks at the controller.
    std::this_thread::sleep_for(milliseconds(7 * (i % 30)));
  }
  const double p50 = Quantile(us, 0.5);
  state->SetIterationTime(1e-6 * p50);
  state->counters["p50_us"] = p50;
  state->counters["p99_us"] = Quantile(us, 0.99);
  state->counters["operation_us"] = operation_us;
  state->counters["call_us"] = call_us;
  state->counters["to_operation_and_call"] = p50 / (operation_us + call_us);
}

// A client of a shard that stays where it is, while five others move.
void Unaffected(uint64_t keys, int times, State* state) {
  ShardCluster cluster(3);
  if (!Open(&cluster, {1, 2})) return state->SkipWithError(kNoLeader);
  if (!Load(&cluster, AllShards(), keys, kValue)) {
    return state->SkipWithError(kDisturbed);
  }
  std::vector<double> usual;
  std::vector<double> slowest;  // of each move
  for (int i = 0; i < times; ++i) {
    const int staying = NextToStay(cluster);
    Probe probe(&cluster, staying);
    std::this_thread::sleep_for(milliseconds(200));
    Append(probe.Take(), &usual);
    const std::vector<int> moving = MoveFive(&cluster);
    CHECK_EQ(std::count(moving.begin(), moving.end(), staying), 0);
    if (!cluster.AwaitSettled()) return state->SkipWithError(kUnsettled);
    slowest.push_back(Quantile(probe.Take(), 1));
  }
  const double p99 = Quantile(usual, 0.99);
  state->SetIterationTime(1e-6 * Quantile(slowest, 1));
  state->counters["usual_p99_us"] = p99;
  state->counters["usual_slowest_us"] = Quantile(usual, 1);
  state->counters["slowest_p50_us"] = Quantile(slowest, 0.5);
  state->counters["slowest_us"] = Quantile(slowest, 1);
  state->counters["slowest_to_p99"] = Quantile(slowest, 1) / p99;
}

// Half of the operations are reads; the keys are there before.
void ManyGroups(int groups, int clients, uint64_t operations, State* state) {
  constexpr uint64_t kKeysOfShard = 100;
  ShardCluster cluster(groups);
  if (!Open(&cluster, Gids(groups))) return state->SkipWithError(kNoLeader);
  if (!Load(&cluster, AllShards(), kKeysOfShard, kValue)) {
    return state->SkipWithError(kDisturbed);
  }
  std::vector<int> shards;
  for (int i = 0; i < clients; ++i) shards.push_back(i % kShards);
  std::vector<Loop::Client> made = MakeClients(&cluster, shards);
  if (made.empty()) return state->SkipWithError(kDisturbed);
  Loop loop(std::move(made));
  const Usage before = Usage::Now();
  const Clock::time_point begin = Clock::now();
  const bool done = loop.Run(operations, [&](int client, uint64_t number) {
    const int shard = shards[static_cast<size_t>(client)];
    const uint64_t key = (static_cast<uint64_t>(client) + number * 7919);
    return Operation{number % 2 == 0, Key(shard, key % kKeysOfShard), kValue};
  });
  const double seconds = Seconds(Clock::now() - begin);
  if (!done) return state->SkipWithError(kDisturbed);
  const auto count = static_cast<double>(operations);
  state->SetIterationTime(seconds);
  state->counters["per_second"] = count / seconds;
  state->counters["cpu_us_per_operation"] =
      1e6 * (Usage::Now().cpu_seconds - before.cpu_seconds) / count;
}

// What Clerks get done in virtual time, where a processor costs nothing and the
// network loses and delays: whether groups wait for each other. A configuration
// has ten shards, so at most eight groups share a controller.
void Scaling(int groups, milliseconds duration, State* state) {
  constexpr int kGroupsOfController = 8;
  constexpr int kClerksOfGroup = 8;
  std::vector<std::unique_ptr<ShardCluster>> clusters;
  std::atomic<uint64_t> operations = 0;
  std::atomic<bool> ended = false;
  std::vector<std::thread> threads;
  for (int left = groups; left > 0; left -= kGroupsOfController) {
    const int here = std::min(left, kGroupsOfController);
    clusters.push_back(std::make_unique<ShardCluster>(here));
    ShardCluster* const cluster = clusters.back().get();
    if (!Open(cluster, Gids(here))) return state->SkipWithError(kNoLeader);
    cluster->network().Reliable(false);
    for (int i = 0; i < here * kClerksOfGroup; ++i) {
      // The shards 0 to 7 of eight groups are of different ones.
      threads.emplace_back([cluster, i, &operations, &ended] {
        const auto clerk = cluster->MakeClerk();
        while (!ended) {
          CHECK(clerk->Put(Key(i % kShards, 0), kValue).ok());
          ++operations;
        }
      });
    }
  }
  const uint64_t before = operations;
  std::this_thread::sleep_for(duration);
  const auto count = static_cast<double>(operations - before);
  ended = true;
  for (std::thread& thread : threads) thread.join();
  state->SetIterationTime(Seconds(duration));
  state->counters["per_second"] = count / Seconds(duration);
}

// The most of the heap, without what is on the disks, until End().
class HeapWatch {
 public:
  explicit HeapWatch(const ShardCluster* cluster)
      : cluster_(cluster), thread_([this] {
          while (!ended_) {
            most_ = std::max(most_, Now());
            std::this_thread::sleep_for(milliseconds(5));
          }
        }) {}
  double End() {
    ended_ = true;
    thread_.join();
    return most_;
  }

 private:
  double Now() const {
    return HeapBytes() - static_cast<double>(cluster_->DiskBytes());
  }

  const ShardCluster* const cluster_;
  double most_ = 0;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

// A shard of that size moves from group 1 to group 2; each has a client of
// another shard.
void MoveMany(uint64_t bytes, State* state) {
  constexpr uint64_t kValueBytes = 1'000;
  constexpr int kLarge = 0;
  ShardCluster cluster(2);
  if (!Open(&cluster, {1, 2})) return state->SkipWithError(kNoLeader);
  const Gid from = cluster.OwnerOf(kLarge);
  const Gid to = from == 1 ? 2 : 1;
  const double heap_before =
      HeapBytes() - static_cast<double>(cluster.DiskBytes());
  if (!Load(&cluster, {kLarge}, bytes / kValueBytes,
            std::string(kValueBytes, 'v'))) {
    return state->SkipWithError(kDisturbed);
  }
  int here = 1;
  while (cluster.OwnerOf(here) != from) ++here;
  int there = 1;
  while (cluster.OwnerOf(there) != to) ++there;
  HeapWatch heap(&cluster);
  bool settled = false;
  double seconds = 0;
  std::vector<double> usual_us;
  std::vector<double> here_us;
  std::vector<double> there_us;
  {
    Probe at_from(&cluster, here);
    Probe at_to(&cluster, there);
    std::this_thread::sleep_for(milliseconds(1'000));
    usual_us = at_from.Take();
    Append(at_to.Take(), &usual_us);
    const Clock::time_point begin = Clock::now();
    cluster.Move(kLarge, to);
    settled = cluster.AwaitSettled();
    seconds = Seconds(Clock::now() - begin);
    here_us = at_from.Take();
    there_us = at_to.Take();
  }
  const double most = heap.End() - heap_before;
  if (!settled) return state->SkipWithError(kUnsettled);
  state->SetIterationTime(seconds);
  state->counters["bytes_per_second"] = static_cast<double>(bytes) / seconds;
  state->counters["usual_p99_us"] = Quantile(usual_us, 0.99);
  state->counters["usual_slowest_us"] = Quantile(usual_us, 1);
  state->counters["slowest_from_us"] = Quantile(here_us, 1);
  state->counters["slowest_to_us"] = Quantile(there_us, 1);
  state->counters["slowest_us"] =
      std::max(Quantile(here_us, 1), Quantile(there_us, 1));
  // Both groups have them at last.
  state->counters["heap_to_data"] =
      most / (2 * ShardCluster::kServers * static_cast<double>(bytes));
}

}  // namespace

void RegisterShards(Scale scale) {
  const uint64_t keys = Scaled(scale, 1'000, 32);
  const auto times = static_cast<int>(Scaled(scale, 100, 3));
  AddCase("shards/hand_over",
          [=](State& state) { HandOver(keys, times, &state); });
  AddCase("shards/unaffected",
          [=](State& state) { Unaffected(keys, times / 3, &state); });
  for (const int groups : {1, 4}) {
    AddCase(absl::StrCat("shards/groups:", groups, "/clients:1024"),
            [=](State& state) {
              ManyGroups(groups, 1024, Scaled(scale, 500'000, 2048), &state);
            });
  }
  const uint64_t bytes = Scaled(scale, 100'000'000, 3'200'000);
  AddCase(absl::StrCat("shards/move/bytes:", bytes),
          [=](State& state) { MoveMany(bytes, &state); });
  const milliseconds duration(Scaled(scale, 10'000, 100));
  for (const int groups : {1, 32}) {
    AddCase(absl::StrCat("scaling/groups:", groups),
            [=](State& state) { Scaling(groups, duration, &state); });
  }
}

}  // namespace bench
