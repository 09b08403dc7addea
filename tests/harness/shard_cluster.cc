#include "tests/harness/shard_cluster.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "porcupine/outcome.h"
#include "tests/harness/link.h"
#include "tests/harness/report.h"

namespace harness {
namespace {

using shardctrler::Config;
using shardctrler::Gid;
using shardkv::ShardState;

// The numbers of the controllers' groups on the network; the others have their
// gids.
constexpr int kCtrlers = 0;
constexpr int kOtherCtrlers = 1;

// Until all shards are where they belong: with a leader at every group, a
// configuration takes less than a second.
constexpr std::chrono::seconds kRestLimit(60);

std::vector<std::string> ServersOf(Gid gid) {
  std::vector<std::string> servers;
  for (raft::ServerId i = 0; i < ShardCluster::kServers; ++i) {
    servers.push_back(ServerName(static_cast<int>(gid), i));
  }
  return servers;
}

// `group 100: config 7, serves 0 1, 2 coming from 101, ...`.
std::string ToString(const shardkv::Moves& moves, Gid gid) {
  std::string text =
      absl::StrCat("group ", gid, ": config ", moves.config.num, ", serves");
  for (int32_t shard = 0; shard < shardctrler::kShards; ++shard) {
    const ShardState state = StateOf(moves, gid, shard);
    const bool is_served =
        state == ShardState::kOwned || state == ShardState::kToConfirm;
    if (is_served) absl::StrAppend(&text, " ", shard);
  }
  for (const auto& [move, source] : moves.coming) {
    absl::StrAppend(&text, ", ", move.shard, " coming from ", source.gid);
  }
  for (const auto& [move, source] : moves.to_confirm) {
    absl::StrAppend(&text, ", ", move.shard, " (config ", move.num,
                    ") to confirm to ", source.gid);
  }
  for (const shardkv::MoveId& move : moves.leaving) {
    absl::StrAppend(&text, ", ", move.shard, " (config ", move.num,
                    ") leaving");
  }
  return text;
}

ConfigEvent EventOf(const Config& config) {
  ConfigEvent event{.num = config.num,
                    .shards = {config.shards.begin(), config.shards.end()}};
  for (const auto& [gid, servers] : config.groups) event.groups.push_back(gid);
  return event;
}

ShardsEvent EventOf(const shardkv::Moves& moves, Gid gid) {
  ShardsEvent event{.config = moves.config.num};
  for (int32_t shard = 0; shard < shardctrler::kShards; ++shard) {
    const ShardState state = StateOf(moves, gid, shard);
    if (state == ShardState::kComing) event.coming.push_back(shard);
    if (state == ShardState::kToConfirm) event.to_confirm.push_back(shard);
    if (state == ShardState::kOwned) event.served.push_back(shard);
  }
  for (const shardkv::MoveId& move : moves.leaving) {
    event.leaving.push_back(move.shard);
  }
  return event;
}

}  // namespace

ShardCluster::ShardCluster(const Options& options, Place place)
    : max_raft_state_(options.max_raft_state),
      keeps_all_(options.keeps_all),
      stage_({.servers = kServers,
              .year = Year::k2022Sharded,
              .tap = options.tap,
              .on_failure = [this] { OnFailure(); }},
             place),
      ctrlers_(&stage_.network(), {.group = kCtrlers,
                                   .servers = kServers,
                                   .make_service = ObservedCtrlers(),
                                   .show_command = ShowCtrlerCommand,
                                   .make_observers = options.make_observers,
                                   .on_error = [this](const Failure& error) {
                                     stage_.FoundError(error);
                                   }}) {
  stage_.Observe(ctrlers_.observers());
  for (int i = 0; i < kGroups; ++i) {
    groups_.push_back(MakeGroup(i, options));
    stage_.Observe(groups_.back()->observers());
  }
  ctrlers_.StartAll();
  ctrlers_.ConnectAll();
  ctrler_ = MakeCtrlerClient(ctrlers_);
  for (int i = 0; i < kGroups; ++i) StartGroup(i);
  stage_.Open(options.reliable);
}

ShardCluster::~ShardCluster() {
  closing_.CloseAll();
  stage_.Close();
  for (const auto& group : groups_) group->machines().Kill();
  ctrlers_.machines().Kill();
  if (other_ctrlers_ != nullptr) other_ctrlers_->machines().Kill();
  // Calls of an instance that is not quite dead fail from here on.
  stage_.network().Cleanup();
  for (const auto& group : groups_) group->machines().Release();
  ctrlers_.machines().Release();
  if (other_ctrlers_ != nullptr) other_ctrlers_->machines().Release();
}

// Its observers are told of the configurations that are made.
ServiceGroup::MakeService ShardCluster::ObservedCtrlers() {
  return
      [this](Ends ends, raft::ServerId me,
             std::shared_ptr<persister::Persister> disk, rsm::Options options) {
        Watch(shardctrler::kNoGroup, me, &options.hooks);
        return MakeObservedCtrler(
            std::move(ends), me, std::move(disk), std::move(options),
            [observers = ctrlers_.observers()](const Config& config) {
              if (!observers.any()) return;
              observers.Tell(&ClusterObserver::OnConfig, EventOf(config));
            });
      };
}

std::unique_ptr<ServiceGroup> ShardCluster::MakeGroup(int group,
                                                      const Options& options) {
  return std::make_unique<ServiceGroup>(
      &stage_.network(),
      ServiceGroup::Options{
          .group = static_cast<int>(GidOf(group)),
          .servers = kServers,
          .max_raft_state = options.max_raft_state,
          .make_service =
              [this, group](Ends ends, raft::ServerId me,
                            std::shared_ptr<persister::Persister> disk,
                            rsm::Options rsm_options) {
                return MakeServer(group, std::move(ends), me, std::move(disk),
                                  std::move(rsm_options));
              },
          .show_command = ShowShardCommand,
          .make_observers = options.make_observers,
          .on_error =
              [this](const Failure& error) { stage_.FoundError(error); }});
}

// Has the judge follow what that server applies, and returns how it is told of
// the group's moves.
OnMoves ShardCluster::Watch(Gid gid, raft::ServerId server, rsm::Hooks* hooks) {
  if (judge_ == nullptr) return [](const shardkv::Moves&) {};
  const ShardRules::Hooks watch = judge_->Watch(gid, server);
  hooks->on_apply = [this, watch, on_apply = std::move(hooks->on_apply)](
                        const raft::ApplyMsg& message) {
    on_apply(message);
    Found(watch.on_apply(message));
  };
  hooks->on_executed = [this, watch](const raft::ApplyMsg& message,
                                     const std::string& result) {
    Found(watch.on_executed(message, result));
  };
  hooks->on_snapshot = [this, watch](raft::Index, const base::Rope& snapshot) {
    Found(watch.on_snapshot(snapshot));
  };
  return [this, watch](const shardkv::Moves& moves) {
    Found(watch.on_moves(moves));
  };
}

void ShardCluster::Found(const std::optional<std::string>& error) {
  if (error.has_value()) stage_.FoundError({.message = *error});
}

// The ends to the controller are disabled when the server ends, those to other
// groups are not: what a dead instance has sent still arrives.
Node ShardCluster::MakeServer(int group, Ends ends, raft::ServerId me,
                              std::shared_ptr<persister::Persister> disk,
                              rsm::Options options) {
  Slot slot;
  Ends ctrlers = MakeEndsTo(ctrlers_, &slot.ctrler_ends);
  rsm::Options watched = std::move(options);
  const OnMoves on_moves = Watch(GidOf(group), me, &watched.hooks);
  ShardNode made = MakeShardServer(
      std::move(ends), me, std::move(disk), GidOf(group), std::move(ctrlers),
      [this](const std::string& name) { return MakeEnd(name); },
      std::move(watched),
      [on_moves, observers = this->group(group).observers(), me,
       gid = GidOf(group)](const shardkv::Moves& moves) {
        on_moves(moves);
        if (!observers.any()) return;
        observers.Tell(&ClusterObserver::OnShards, me, EventOf(moves, gid));
      });
  slot.moves = std::move(made.moves);
  const std::vector<std::string> names = slot.ctrler_ends;
  {
    base::MutexLock lock(&mu_);
    slots_[{group, me}] = std::move(slot);
  }
  made.node.kill = [this, kill = std::move(made.node.kill), names] {
    for (const std::string& name : names) {
      stage_.network().Enable(name, false);
    }
    kill();
  };
  return std::move(made.node);
}

std::shared_ptr<rpc::ClientEnd> ShardCluster::MakeEnd(const std::string& server,
                                                      std::string* name) {
  const std::string made = absl::StrCat("E", ++ends_made_, "-", server);
  std::shared_ptr<rpc::ClientEnd> end = stage_.network().MakeEnd(made);
  stage_.network().Connect(made, server);
  stage_.network().Enable(made, true);
  if (name != nullptr) *name = made;
  return end;
}

Ends ShardCluster::MakeEndsTo(const ServiceGroup& ctrlers,
                              std::vector<std::string>* names) {
  const int group = &ctrlers == &ctrlers_ ? kCtrlers : kOtherCtrlers;
  Ends ends;
  for (raft::ServerId i = 0; i < kServers; ++i) {
    std::string name;
    ends.push_back(MakeEnd(ServerName(group, i), &name));
    if (names != nullptr) names->push_back(name);
  }
  return ends;
}

std::shared_ptr<CtrlerClient> ShardCluster::MakeCtrlerClient(
    const ServiceGroup& ctrlers) {
  auto client = std::make_shared<CtrlerClient>(&stage_, [this, &ctrlers] {
    return MakeCtrlerClerk(MakeEndsTo(ctrlers));
  });
  closing_.Add([weak = std::weak_ptr(client)] {
    if (const auto open = weak.lock()) open->Close();
  });
  return client;
}

std::shared_ptr<ShardClient> ShardCluster::MakeClient(ServiceGroup* ctrlers) {
  auto client = std::make_shared<ShardClient>(
      &stage_, &history_, clients_made_++, MakeEndsTo(*ctrlers),
      [this](const std::string& name) { return MakeEnd(name); });
  closing_.Add([weak = std::weak_ptr(client)] {
    if (const auto open = weak.lock()) open->Close();
  });
  return client;
}

CtrlerClient* ShardCluster::StartOtherCtrlers() {
  other_ctrlers_ = std::make_unique<ServiceGroup>(
      &stage_.network(),
      ServiceGroup::Options{
          .group = kOtherCtrlers,
          .servers = kServers,
          .make_service = MakeCtrler,
          .make_observers = [](int, int,
                               const OnError&) { return Observers::List(); },
          .on_error = [](const Failure&) {}});
  other_ctrlers_->StartAll();
  other_ctrlers_->ConnectAll();
  other_ctrler_ = MakeCtrlerClient(*other_ctrlers_);
  return other_ctrler_.get();
}

void ShardCluster::Join(const std::vector<int>& groups, Place place) {
  shardctrler::Groups joining;
  for (const int group : groups)
    joining[GidOf(group)] = ServersOf(GidOf(group));
  ctrler_->Join(joining, place);
}

void ShardCluster::Leave(const std::vector<int>& groups, Place place) {
  std::vector<Gid> gids;
  for (const int group : groups) gids.push_back(GidOf(group));
  ctrler_->Leave(gids, place);
}

void ShardCluster::StartServer(int index, raft::ServerId server) {
  group(index).machines().Start(server);
  group(index).machines().Connect(server);
}

void ShardCluster::ShutdownServer(int index, raft::ServerId server) {
  group(index).machines().Crash(server);
}

void ShardCluster::StartGroup(int group) {
  for (raft::ServerId i = 0; i < kServers; ++i) StartServer(group, i);
}

void ShardCluster::ShutdownGroup(int group) {
  for (raft::ServerId i = 0; i < kServers; ++i) ShutdownServer(group, i);
}

void ShardCluster::Spawn(TestThreads* threads, std::function<void()> body) {
  stage_.Spawn(threads, std::move(body));
}

void ShardCluster::Check(ShardClient* client, const std::string& key,
                         const std::string& value, Place place) {
  const std::string got = client->Get(key, place);
  if (got == value) return;
  Fail(Kind::kSafety,
       absl::StrCat("Get(", key, "): expected:\n", value, "\nreceived:\n", got),
       place);
}

void ShardCluster::CheckLogs(Place place) {
  for (const auto& group : groups_) {
    const ServerGroup& machines = group->machines();
    for (raft::ServerId i = 0; i < kServers; ++i) {
      const size_t size = machines.StateSize(i);
      if (max_raft_state_.has_value() && size > 8 * *max_raft_state_) {
        Fail(Kind::kEconomy,
             absl::StrCat("persister.RaftStateSize() ", size,
                          ", but maxraftstate ", *max_raft_state_),
             place);
      }
      if (!max_raft_state_.has_value() && machines.SnapshotSize(i) > 0) {
        Fail(Kind::kEconomy, "maxraftstate is -1, but snapshot is non-empty!",
             place);
      }
    }
  }
}

size_t ShardCluster::TotalBytes() {
  size_t total = 0;
  for (const auto& group : groups_) {
    const ServerGroup& machines = group->machines();
    for (raft::ServerId i = 0; i < kServers; ++i) {
      total += machines.StateSize(i) + machines.SnapshotSize(i);
    }
  }
  return total;
}

std::optional<shardkv::Moves> ShardCluster::MovesOf(int group,
                                                    raft::ServerId server) {
  std::function<std::optional<shardkv::Moves>()> moves;
  {
    base::MutexLock lock(&mu_);
    moves = slots_[{group, server}].moves;
  }
  return moves ? moves() : std::nullopt;
}

bool ShardCluster::AllAreUp() {
  for (raft::ServerId server = 0; server < kServers; ++server) {
    if (ctrlers_.RaftOf(server) == nullptr) return false;
    for (const auto& group : groups_) {
      if (group->RaftOf(server) == nullptr) return false;
    }
  }
  return true;
}

// Whether every server of the group is at that configuration, and no move of a
// shard is under way.
bool ShardCluster::IsAtRest(int group, int64_t num) {
  for (raft::ServerId i = 0; i < kServers; ++i) {
    const std::optional<shardkv::Moves> moves = MovesOf(group, i);
    if (!moves.has_value() || moves->config.num != num ||
        !moves->coming.empty() || !moves->to_confirm.empty() ||
        !moves->leaving.empty()) {
      return false;
    }
  }
  return true;
}

void ShardCluster::AwaitRest(Place place) {
  const int64_t num = ctrler_->Query(shardctrler::kLatest, place).num;
  const auto limit = std::chrono::steady_clock::now() + kRestLimit;
  for (int group = 0; group < kGroups;) {
    if (IsAtRest(group, num)) {
      ++group;
      continue;
    }
    if (std::chrono::steady_clock::now() > limit) {
      Fail(Kind::kLiveness,
           absl::StrCat("shards: nothing is left (G6): a minute after config ",
                        num,
                        " each shard must be at its owner, and nothing be "
                        "coming, leaving or to confirm\n",
                        Describe()),
           place);
    }
    stage_.Sleep(std::chrono::milliseconds(5), place);
  }
}

std::string ShardCluster::Describe() {
  std::string text;
  for (int i = 0; i < kGroups; ++i) {
    for (raft::ServerId server = 0; server < kServers; ++server) {
      absl::StrAppend(&text, "  S", server, " of ");
      const std::optional<shardkv::Moves> moves = MovesOf(i, server);
      absl::StrAppend(&text,
                      moves.has_value() ? ToString(*moves, GidOf(i))
                                        : absl::StrCat("group ", GidOf(i)),
                      "; ", group(i).DescribeRaft(server), "\n");
    }
  }
  return text;
}

// What runs in other processes is not asked.
void ShardCluster::OnFailure() {
  if (!ShardClerksShareNothing()) Print(Describe());
  closing_.CloseAll();
}

// By a new client, as every key at the end: what it reads, the servers have.
void ShardCluster::CheckLasting(const std::string& key,
                                const std::string& value, Place place) {
  if (ShardClerksShareNothing()) Check(MakeClient().get(), key, value, place);
}

void ShardCluster::End(Place place) {
  stage_.CheckError(place);
  if (ShardClerksShareNothing() && keeps_all_) {
    const std::shared_ptr<ShardClient> reader = MakeClient();
    for (const std::string& key : history_.Keys()) reader->Get(key, place);
  }
  const KvHistory::Verdict verdict = history_.Check();
  if (verdict.outcome != porcupine::Outcome::kOk) {
    Fail(verdict.outcome == porcupine::Outcome::kIllegal ? Kind::kSafety
                                                         : Kind::kHarness,
         verdict.text, place);
  }
  if (judge_ != nullptr) {
    const auto error = judge_->CheckWrites(history_.CountWrites());
    if (error.has_value()) Fail(Kind::kSafety, *error, place);
    if (AllAreUp()) AwaitRest(place);
  }
  stage_.End(place);
}

}  // namespace harness
