#include "tests/harness/shardkv1_cluster.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "porcupine/outcome.h"
#include "shardkv1/server.h"
#include "tests/harness/kv_service.h"
#include "tests/harness/link.h"
#include "tests/harness/report.h"

namespace harness {
namespace {

using shardkv1::Gid;

// The configurations' number as a group on the network; the others have their
// gids. The course has one server there, which never fails.
constexpr int kStore = 0;

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
  const std::vector<std::shared_ptr<ServiceGroup>> groups = Groups();
  for (const auto& group : groups) group->machines().Kill();
  store_.machines().Kill();
  // Calls of an instance that is not quite dead fail from here on.
  stage_.network().Cleanup();
  for (const auto& group : groups) group->machines().Release();
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
          .make_service = [gid](Ends ends, raft::ServerId me,
                                std::shared_ptr<persister::Persister> disk,
                                rsm::Options rsm_options) -> Node {
            const auto server = std::make_shared<shardkv1::Server>(
                std::move(ends), me, std::move(disk), gid,
                std::move(rsm_options));
            return {.services = server->Services(),
                    .kill = [server] { server->Kill(); },
                    .rest = server};
          },
          .make_observers = options_.make_observers,
          .on_error =
              [this](const Failure& error) { stage_.FoundError(error); }});
  stage_.Observe(group->observers());
  return group;
}

void ShardKV1Cluster::StartGroup(Gid gid) {
  std::shared_ptr<ServiceGroup> group;
  {
    base::MutexLock lock(&mu_);
    group = groups_[gid];
  }
  if (group == nullptr) {
    group = MakeGroup(gid);
    base::MutexLock lock(&mu_);
    groups_[gid] = group;
  }
  group->StartAll();
  group->ConnectAll();
}

void ShardKV1Cluster::ShutdownGroup(Gid gid) { group(gid).CrashAll(); }

ServiceGroup& ShardKV1Cluster::group(Gid gid) {
  base::MutexLock lock(&mu_);
  return *groups_.at(gid);
}

std::vector<std::shared_ptr<ServiceGroup>> ShardKV1Cluster::Groups() {
  base::MutexLock lock(&mu_);
  std::vector<std::shared_ptr<ServiceGroup>> groups;
  for (const auto& [gid, group] : groups_) {
    if (group != nullptr) groups.push_back(group);
  }
  return groups;
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
      &stage_.network(), clients_made_++,
      std::vector<std::string>{ServerName(kStore, 0)});
  closing_.Add([weak = std::weak_ptr(controller)] {
    if (const auto open = weak.lock()) open->Close();
  });
  return controller;
}

std::string ShardKV1Cluster::Describe() {
  std::map<Gid, std::shared_ptr<ServiceGroup>> groups;
  {
    base::MutexLock lock(&mu_);
    groups = groups_;
  }
  std::string text;
  for (const auto& [gid, group] : groups) {
    for (raft::ServerId i = 0; group != nullptr && i < kServers; ++i) {
      const std::shared_ptr<raft::Raft> raft = group->RaftOf(i);
      absl::StrAppend(&text, "  S", i, " of group ", gid, ": ");
      if (raft == nullptr) {
        absl::StrAppend(&text, "down\n");
        continue;
      }
      const raft::Status status = raft->GetStatus();
      absl::StrAppend(&text, "term ", status.term,
                      raft->GetState().is_leader ? ", leads" : "",
                      ", last index ", status.last_index, ", commit ",
                      status.commit_index, "\n");
    }
  }
  return text;
}

void ShardKV1Cluster::OnFailure() {
  Print(Describe());
  closing_.CloseAll();
}

void ShardKV1Cluster::CheckHistory(Place place) {
  const KvHistory::Verdict verdict = history_.Check();
  if (verdict.outcome == porcupine::Outcome::kOk) return;
  Fail(verdict.outcome == porcupine::Outcome::kIllegal ? Kind::kSafety
                                                       : Kind::kHarness,
       verdict.text, place);
}

void ShardKV1Cluster::End(Place place) {
  stage_.CheckError(place);
  CheckHistory(place);
  stage_.End(place);
}

}  // namespace harness
