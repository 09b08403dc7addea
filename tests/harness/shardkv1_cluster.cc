#include "tests/harness/shardkv1_cluster.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "porcupine/outcome.h"
#include "tests/harness/kv_service.h"
#include "tests/harness/link.h"
#include "tests/harness/report.h"

namespace harness {
namespace {

using shardkv1::Gid;
using shardkv1::ShardState;
using shardkv1::ShardStatuses;

// The configurations' number as a group on the network; the others have their
// gids. The course has one server there, which never fails.
constexpr int kStore = 0;

// `serves 0 1, 2 coming (config 7), 3 frozen (config 7)`.
std::string ToString(const ShardStatuses& statuses) {
  std::string served = "serves";
  std::string moving;
  for (size_t shard = 0; shard < statuses.size(); ++shard) {
    const auto& [state, num] = statuses[shard];
    if (state == ShardState::kServed) absl::StrAppend(&served, " ", shard);
    if (state != ShardState::kComing && state != ShardState::kFrozen) continue;
    absl::StrAppend(&moving, ", ", shard,
                    state == ShardState::kComing ? " coming" : " frozen",
                    " (config ", num, ")");
  }
  return served + moving;
}

}  // namespace

ShardKV1Cluster::ShardKV1Cluster(Options options, Place place)
    : options_(std::move(options)),
      stage_({.servers = 1,
              .year = Year::k2025,
              .tap = options_.tap,
              .on_failure = [this] { OnFailure(); }},
             place),
      store_(&stage_.network(), {.group = kStore,
                                 .servers = 1,
                                 .make_service = MakeKvServer,
                                 .make_observers = options_.make_observers,
                                 .on_error = [this](const Failure& error) {
                                   stage_.FoundError(error);
                                 }}) {
  stage_.Observe(store_.observers());
  store_.StartAll();
  store_.ConnectAll();
  stage_.Open(options_.reliable);
}

ShardKV1Cluster::~ShardKV1Cluster() {
  closing_.CloseAll();
  stage_.Close();
  const Groups groups = AllGroups();
  for (const auto& [gid, group] : groups) group->machines().Kill();
  store_.machines().Kill();
  // Calls of an instance that is not quite dead fail from here on.
  stage_.network().Cleanup();
  for (const auto& [gid, group] : groups) group->machines().Release();
  store_.machines().Release();
}

std::vector<std::string> ShardKV1Cluster::ServersOf(Gid gid) {
  std::vector<std::string> servers;
  for (raft::ServerId i = 0; i < kServers; ++i) {
    servers.push_back(ServerName(static_cast<int>(gid), i));
  }
  return servers;
}

std::shared_ptr<ServiceGroup> ShardKV1Cluster::MakeGroup(Gid gid) {
  auto group = std::make_shared<ServiceGroup>(
      &stage_.network(),
      ServiceGroup::Options{
          .group = static_cast<int>(gid),
          .servers = kServers,
          .max_raft_state = options_.max_raft_state,
          .make_service =
              [this, gid](Ends ends, raft::ServerId me,
                          std::shared_ptr<persister::Persister> disk,
                          rsm::Options options) {
                return MakeServer(gid, std::move(ends), me, std::move(disk),
                                  std::move(options));
              },
          .make_observers = options_.make_observers,
          .on_error =
              [this](const Failure& error) { stage_.FoundError(error); }});
  stage_.Observe(group->observers());
  return group;
}

Node ShardKV1Cluster::MakeServer(Gid gid, Ends ends, raft::ServerId me,
                                 std::shared_ptr<persister::Persister> disk,
                                 rsm::Options options) {
  ShardKV1Node made = MakeShardKV1Server(std::move(ends), me, std::move(disk),
                                         gid, std::move(options));
  base::MutexLock lock(&mu_);
  statuses_[{gid, me}] = std::move(made.statuses);
  return std::move(made.node);
}

void ShardKV1Cluster::StartGroup(Gid gid) {
  if (!AllGroups().contains(gid)) {
    std::shared_ptr<ServiceGroup> made = MakeGroup(gid);
    base::MutexLock lock(&mu_);
    groups_[gid] = std::move(made);
  }
  group(gid).StartAll();
  group(gid).ConnectAll();
}

void ShardKV1Cluster::ShutdownGroup(Gid gid) { group(gid).CrashAll(); }

ServiceGroup& ShardKV1Cluster::group(Gid gid) {
  base::MutexLock lock(&mu_);
  return *groups_.at(gid);
}

ShardKV1Cluster::Groups ShardKV1Cluster::AllGroups() {
  base::MutexLock lock(&mu_);
  return groups_;
}

std::optional<ShardStatuses> ShardKV1Cluster::StatusesOf(
    Gid gid, raft::ServerId server) {
  Statuses statuses;
  {
    base::MutexLock lock(&mu_);
    statuses = statuses_[{gid, server}];
  }
  return statuses ? statuses() : std::nullopt;
}

std::shared_ptr<ShardKV1Client> ShardKV1Cluster::MakeClient() {
  auto client = std::make_shared<ShardKV1Client>(
      &stage_, &history_, clients_made_++,
      std::vector<std::string>{ServerName(kStore, 0)});
  closing_.Add([weak = std::weak_ptr(client)] {
    if (const auto open = weak.lock()) open->Close();
  });
  return client;
}

std::shared_ptr<ShardKV1Controller> ShardKV1Cluster::MakeController() {
  auto controller = std::make_shared<ShardKV1Controller>(
      &stage_, clients_made_++,
      std::vector<std::string>{ServerName(kStore, 0)});
  closing_.Add([weak = std::weak_ptr(controller)] {
    if (const auto open = weak.lock()) open->Close();
  });
  return controller;
}

std::string ShardKV1Cluster::Describe() {
  std::string text;
  for (const auto& [gid, group] : AllGroups()) {
    for (raft::ServerId i = 0; i < kServers; ++i) {
      const std::optional<ShardStatuses> statuses = StatusesOf(gid, i);
      absl::StrAppend(&text, "  S", i, " of group ", gid, ": ",
                      statuses.has_value() ? ToString(*statuses) + "; " : "",
                      group->DescribeRaft(i), "\n");
    }
  }
  return text;
}

// What runs in other processes is not asked.
void ShardKV1Cluster::OnFailure() {
  if (!ClerksShareNothing()) Print(Describe());
  closing_.CloseAll();
}

void ShardKV1Cluster::CheckHistory(Place place) {
  const KvHistory::Verdict verdict = history_.Check();
  if (verdict.outcome == porcupine::Outcome::kOk) return;
  Fail(verdict.outcome == porcupine::Outcome::kIllegal ? Kind::kSafety
                                                       : Kind::kHarness,
       verdict.text, place);
}

// By a new client. What it reads, the servers have.
void ShardKV1Cluster::ReadAllKeys(Place place) {
  const std::shared_ptr<ShardKV1Client> reader = MakeClient();
  reader->DoNotCount();
  for (const std::string& key : history_.Keys()) {
    reader->GetVersioned(key, place);
  }
}

void ShardKV1Cluster::End(Place place) {
  stage_.CheckError(place);
  if (ClerksShareNothing() && options_.keeps_all) ReadAllKeys(place);
  CheckHistory(place);
  stage_.End(place);
}

}  // namespace harness
