#include "tests/harness/shard_judge.h"

#include <functional>
#include <map>
#include <tuple>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "porcupine/history.h"
#include "rpc/codec.h"
#include "rsm/sessions.h"
#include "shardctrler/messages.h"

namespace harness {
namespace {

using shardctrler::Config;
using shardctrler::Gid;
using shardctrler::kNoGroup;
using shardctrler::kShards;
using shardkv::Moves;
using shardkv::ShardState;

size_t Hash(std::string_view bytes) {
  return std::hash<std::string_view>()(bytes);
}

std::string NameOf(Gid gid) {
  return gid == ShardJudge::kController ? std::string("the controller")
                                        : absl::StrCat("group ", gid);
}

std::string ToString(const Config& config) {
  return absl::StrCat("[", absl::StrJoin(config.shards, " "), "] among ",
                      config.groups.size(), " groups");
}

template <size_t kSize>
std::string ToString(const std::bitset<kSize>& served) {
  std::string text;
  for (size_t shard = 0; shard < kSize; ++shard) {
    if (served[shard]) absl::StrAppend(&text, " ", shard);
  }
  return text.empty() ? " none" : text;
}

shardkv::Command Read(std::string_view command) {
  absl::StatusOr<shardkv::Command> decoded =
      rpc::Decode<shardkv::Command>(command);
  return decoded.ok() ? *std::move(decoded) : shardkv::Command();
}

// What an Rsm of a group's state saves: its own first.
struct Snapshot {
  uint32_t format = 0;
  raft::Index last_applied = 0;
  shardkv::Transfers moves;
  std::map<int32_t, kvraft::SharedStore> shards;
  auto Fields() { return std::tie(format, last_applied, moves, shards); }
};

}  // namespace

ShardJudge::Error ShardJudge::Violate(const ShardRule& rule,
                                      const std::string& what) {
  has_failed_ = true;
  return absl::StrCat("shards: ", rule.name, " (", rule.section, "): ", what);
}

ShardRules::Hooks ShardJudge::Watch(Gid gid, raft::ServerId server) {
  const auto replica = std::make_shared<Replica>(gid, server);
  return {.on_apply =
              [this, replica](const raft::ApplyMsg& message) {
                return OnApply(replica.get(), message);
              },
          .on_executed =
              [this, replica](const raft::ApplyMsg& message,
                              const std::string& result) {
                return OnExecuted(replica.get(), message, result);
              },
          .on_snapshot =
              [this, replica](const base::Rope& snapshot) {
                return OnSnapshot(*replica, snapshot);
              },
          .on_moves =
              [this, replica](const shardkv::Moves& moves) {
                return OnMoves(replica.get(), moves);
              }};
}

ShardJudge::Error ShardJudge::OnApply(Replica* replica,
                                      const raft::ApplyMsg& message) {
  replica->is_executing_ = message.kind == raft::ApplyMsg::Kind::kCommand;
  replica->has_changed_ = false;
  if (!replica->is_executing_ || replica->gid_ == kController) {
    return std::nullopt;
  }
  const shardkv::Command command = Read(message.command);
  const auto* reconfigure = std::get_if<shardkv::Reconfigure>(&command.what);
  if (reconfigure == nullptr) return std::nullopt;
  base::SpinLockHolder lock(&lock_);
  const bool is_new = message.index > groups_[replica->gid_].entries.size();
  if (has_failed_ || !is_new) return std::nullopt;
  return TakeAwayLocked(*replica, reconfigure->config);
}

// The group is about to take that configuration, if it is the next one: what it
// serves no more is kept as it is now.
ShardJudge::Error ShardJudge::TakeAwayLocked(const Replica& replica,
                                             const Config& next) {
  Group& group = groups_[replica.gid_];
  if (next.num != group.num + 1) return std::nullopt;
  for (int32_t shard = 0; shard < kShards; ++shard) {
    const auto at = static_cast<size_t>(shard);
    const Shard& taken = group.shards[at];
    if (taken.store == nullptr || next.shards[at] == replica.gid_) continue;
    group.served[at] = false;
    frozen_[{next.num, shard}] = {rpc::Encode(taken.store->Save()),
                                  taken.revision};
  }
  return KnowConfigLocked(next);
}

ShardJudge::Error ShardJudge::KnowConfigLocked(const Config& config) {
  const auto [known, is_new] = configs_.try_emplace(config.num, config);
  if (is_new || known->second == config) return std::nullopt;
  return Violate(kOneList,
                 absl::StrCat("config ", config.num, " is ", ToString(config),
                              ", and was ", ToString(known->second),
                              ": all must have the same list, in which no "
                              "configuration ever changes"));
}

ShardJudge::Error ShardJudge::OnMoves(Replica* replica, const Moves& moves) {
  const int64_t before = replica->moves_.config.num;
  replica->before_ = std::exchange(replica->moves_, moves);
  replica->has_changed_ = true;
  for (int shard = 0; shard < kShards; ++shard) {
    const ShardState state = StateOf(moves, replica->gid_, shard);
    replica->served_[static_cast<size_t>(shard)] =
        state == ShardState::kOwned || state == ShardState::kToConfirm;
  }
  const int64_t num = moves.config.num;
  if (!replica->is_executing_ || num == before || num == before + 1) {
    return std::nullopt;
  }
  base::SpinLockHolder lock(&lock_);
  if (has_failed_) return std::nullopt;
  return Violate(
      kOneByOne,
      absl::StrCat("S", replica->server_, " of ", NameOf(replica->gid_),
                   " goes from config ", before, " to ", num,
                   ": what moves by those between is lost"));
}

ShardJudge::Error ShardJudge::OnExecuted(Replica* replica,
                                         const raft::ApplyMsg& message,
                                         std::string_view result) {
  const Entry entry = {.server = replica->server_,
                       .command_hash = Hash(message.command),
                       .result_hash = Hash(result),
                       .num = replica->moves_.config.num,
                       .served = replica->served_};
  base::SpinLockHolder lock(&lock_);
  if (has_failed_) return std::nullopt;
  std::vector<Entry>& entries = groups_[replica->gid_].entries;
  if (message.index <= entries.size()) {
    return CompareLocked(entries[message.index - 1], entry, replica->gid_,
                         message.index);
  }
  entries.resize(message.index, entry);
  if (replica->gid_ == kController) return ReadReplyLocked(result);
  return AdvanceLocked(*replica, message, result);
}

ShardJudge::Error ShardJudge::OnSnapshot(const Replica& replica,
                                         const base::Rope& snapshot) {
  if (replica.gid_ == kController) return std::nullopt;
  const auto saved = rpc::Decode<Snapshot>(snapshot.ToString());
  Served shards;
  bool is_whole = saved.ok();
  if (saved.ok()) {
    for (const auto& [shard, store] : saved->shards) {
      is_whole = is_whole && shard >= 0 && shard < kShards;
      if (is_whole) shards[static_cast<size_t>(shard)] = true;
    }
  }
  if (is_whole && shards == replica.served_) return std::nullopt;
  base::SpinLockHolder lock(&lock_);
  if (has_failed_) return std::nullopt;
  return Violate(
      kNothingLeft,
      absl::StrCat("S", replica.server_, " of ", NameOf(replica.gid_),
                   ", at config ", replica.moves_.config.num, ", serves",
                   ToString(replica.served_), ", and saves",
                   is_whole ? ToString(shards) : " what cannot be read",
                   ": a snapshot has what is served, and what is coming or "
                   "leaving beside that; of other shards nothing is kept"));
}

// Replicas have executed the same entry.
ShardJudge::Error ShardJudge::CompareLocked(const Entry& first,
                                            const Entry& entry, Gid gid,
                                            raft::Index index) {
  std::string what;
  if (first.command_hash != entry.command_hash) {
    what = "execute different commands";
  } else if (first.result_hash != entry.result_hash) {
    what = "get different results";
  } else if (first.num != entry.num || first.served != entry.served) {
    what = absl::StrCat("are at config ", first.num, ", serving",
                        ToString(first.served), ", and at config ", entry.num,
                        ", serving", ToString(entry.served));
  } else {
    return std::nullopt;
  }
  return Violate(
      kReplicasAgree,
      absl::StrCat("S", first.server, " and S", entry.server, " of ",
                   NameOf(gid), " ", what, " at index ", index,
                   ": what an entry does must follow from the log alone, and a "
                   "snapshot have all of the state"));
}

// The replica is the first of its group to execute that entry.
ShardJudge::Error ShardJudge::AdvanceLocked(const Replica& replica,
                                            const raft::ApplyMsg& message,
                                            std::string_view result) {
  const shardkv::Command command = Read(message.command);
  Group& group = groups_[replica.gid_];
  group.num = replica.moves_.config.num;
  group.served = replica.served_;
  const auto* install = std::get_if<shardkv::Install>(&command.what);
  if (install != nullptr && replica.has_changed_) {
    if (Error error = AddPartLocked(replica.gid_, *install)) return error;
  }
  if (Error error = ServeLocked(replica, command)) return error;
  const auto* execute = std::get_if<shardkv::Execute>(&command.what);
  if (execute == nullptr) return std::nullopt;
  return ExecuteLocked(replica, *execute, result);
}

// Judges which shards the group serves after that command.
ShardJudge::Error ShardJudge::ServeLocked(const Replica& replica,
                                          const shardkv::Command& command) {
  Group& group = groups_[replica.gid_];
  for (int32_t shard = 0; shard < kShards; ++shard) {
    const auto at = static_cast<size_t>(shard);
    Shard& here = group.shards[at];
    if (!group.served[at]) {
      here = {};
    } else if (here.store == nullptr) {
      if (Error error = BeginLocked(replica, shard, command)) return error;
    }
  }
  return std::nullopt;
}

ShardJudge::Error ShardJudge::BeginLocked(const Replica& replica, int32_t shard,
                                          const shardkv::Command& command) {
  const auto at = static_cast<size_t>(shard);
  for (const auto& [gid, other] : groups_) {
    if (gid == replica.gid_ || !other.served[at]) continue;
    return Violate(
        kOneOwner,
        absl::StrCat(NameOf(replica.gid_), " serves shard ", shard,
                     " from config ", replica.moves_.config.num, " on, and ",
                     NameOf(gid), ", at config ", other.num,
                     ", still does: the old owner stops when it takes the "
                     "configuration, the new one begins after that"));
  }
  const bool is_first = replica.before_.config.shards[at] == kNoGroup;
  if (is_first && std::holds_alternative<shardkv::Reconfigure>(command.what)) {
    groups_[replica.gid_].shards[at] = {
        std::make_unique<kvraft::SessionStore>(
            shardkv::SessionsBefore(replica.moves_.config.num)),
        0};
    return std::nullopt;
  }
  const auto* install = std::get_if<shardkv::Install>(&command.what);
  if (install != nullptr && install->move.shard == shard) {
    return InstallLocked(replica, *install);
  }
  return Violate(kInstalledWhole,
                 absl::StrCat(NameOf(replica.gid_), " serves shard ", shard,
                              " at config ", replica.moves_.config.num,
                              ", and has not installed it: it is coming until "
                              "the old owner's data are there"));
}

// The group has taken that part.
ShardJudge::Error ShardJudge::AddPartLocked(Gid gid,
                                            const shardkv::Install& entry) {
  std::unique_ptr<kvraft::SessionStore>& store =
      groups_[gid].coming[entry.move];
  if (store == nullptr) store = std::make_unique<kvraft::SessionStore>();
  if (store->Add(entry.at, entry.part).ok()) return std::nullopt;
  return Violate(kInstalledWhole,
                 absl::StrCat(NameOf(gid), " installs a part of shard ",
                              entry.move.shard, " that is not the next one"));
}

ShardJudge::Error ShardJudge::InstallLocked(const Replica& replica,
                                            const shardkv::Install& entry) {
  const std::string what =
      absl::StrCat(NameOf(replica.gid_), " installs shard ", entry.move.shard,
                   " of config ", entry.move.num);
  const auto frozen = frozen_.find(entry.move);
  if (frozen == frozen_.end()) {
    return Violate(kInstalledWhole,
                   absl::StrCat(what, ", which no group has given away there"));
  }
  Shard shard = {std::move(groups_[replica.gid_].coming[entry.move]),
                 frozen->second.revision};
  groups_[replica.gid_].coming.erase(entry.move);
  if (shard.store == nullptr ||
      rpc::Encode(shard.store->Save()) != frozen->second.bytes) {
    return Violate(kInstalledWhole,
                   absl::StrCat(what,
                                ", but not as it was: its keys and its "
                                "sessions move as they are at the old "
                                "owner's entry of that config"));
  }
  groups_[replica.gid_].shards[static_cast<size_t>(entry.move.shard)] =
      std::move(shard);
  return std::nullopt;
}

ShardJudge::Error ShardJudge::ExecuteLocked(const Replica& replica,
                                            const shardkv::Execute& entry,
                                            std::string_view result) {
  const auto decoded = rpc::Decode<shardkv::Result>(result);
  const bool was_executed = decoded.ok() && decoded->served;
  const bool is_served = entry.shard >= 0 && entry.shard < kShards &&
                         replica.served_[static_cast<size_t>(entry.shard)];
  const std::string where = absl::StrCat(NameOf(replica.gid_), ", at config ",
                                         replica.moves_.config.num, ", index ",
                                         groups_[replica.gid_].entries.size(),
                                         ", shard ", entry.shard);
  if (was_executed != is_served) {
    return Violate(
        kExecutedByOwner,
        absl::StrCat(where,
                     was_executed ? ": executes an operation of a shard "
                                    "that it does not serve there"
                                  : ": refuses an operation of a shard "
                                    "that it serves there",
                     ": the owner is decided when the entry is applied, "
                     "not when the call arrives"));
  }
  if (!was_executed) return std::nullopt;
  Shard& shard = groups_[replica.gid_].shards[static_cast<size_t>(entry.shard)];
  if (shard.store->Apply(entry.request) != decoded->value) {
    return Violate(
        kContinues,
        absl::StrCat(where,
                     ": an operation does not return what those before it in "
                     "this shard make of it: data or sessions are lost, or "
                     "others than those that were installed"));
  }
  const KvExecution read = ReadExecution(entry.request, decoded->value);
  if (read.revision > shard.revision) {
    shard.revision = read.revision;
    if (read.is_write) ++writes_[read.call];
  }
  return std::nullopt;
}

ShardJudge::Error ShardJudge::ReadReplyLocked(std::string_view result) {
  const auto answer = rsm::Sessions::Decode(result);
  if (!answer.ok()) return std::nullopt;
  const auto reply = rpc::Decode<shardctrler::Reply>(answer->value);
  if (!reply.ok()) return std::nullopt;
  return KnowConfigLocked(reply->config);
}

ShardJudge::Error ShardJudge::CheckWrites(const KvHistory::Writes& writes) {
  KvHistory::Writes all = writes;
  base::SpinLockHolder lock(&lock_);
  if (has_failed_) return std::nullopt;
  for (const auto& [call, executed] : writes_) all[call].executed = executed;
  for (const auto& [call, asked] : all) {
    if (asked.executed >= asked.answered && asked.executed <= asked.begun) {
      continue;
    }
    return Violate(
        kExactlyOnce,
        absl::StrCat(porcupine::NameOf(std::get<0>(call)), " of \"",
                     std::get<2>(call), "\" to key \"", std::get<1>(call),
                     "\" was executed ", asked.executed,
                     " times; clients asked for it ", asked.begun,
                     " times, and were answered ", asked.answered,
                     " times: a call that is sent again has the same number, "
                     "and its session moves with the shard"));
  }
  return std::nullopt;
}

}  // namespace harness
