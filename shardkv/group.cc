#include "shardkv/group.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "kvraft/replicated_store.h"
#include "rpc/codec.h"
#include "rsm/typed.h"

namespace shardkv {

using shardctrler::Config;
using shardctrler::Gid;
using shardctrler::kNoGroup;
using shardctrler::kShards;

std::string ToString(const Moves& moves, Gid gid) {
  std::string text =
      absl::StrCat("group ", gid, ": config ", moves.config.num, ", serves");
  for (int32_t shard = 0; shard < kShards; ++shard) {
    const bool is_ours = moves.config.shards[static_cast<size_t>(shard)] == gid;
    const bool is_coming = moves.coming.contains({moves.config.num, shard});
    if (is_ours && !is_coming) absl::StrAppend(&text, " ", shard);
  }
  for (const auto& [move, coming] : moves.coming) {
    absl::StrAppend(&text, ", ", move.shard, " coming from ", coming.from.gid);
  }
  for (const auto& [move, source] : moves.to_confirm) {
    absl::StrAppend(&text, ", ", move.shard, " (config ", move.num,
                    ") to confirm to ", source.gid);
  }
  for (const auto& [move, bytes] : moves.leaving) {
    absl::StrAppend(&text, ", ", move.shard, " (config ", move.num,
                    ") leaving");
  }
  return text;
}

// Ropes as strings; the shards that are served by their numbers.
struct Group::Saved {
  struct Coming {
    Source from;
    std::string received;
    auto Fields() { return std::tie(from, received); }
  };

  Config config;
  std::map<MoveId, Coming> coming;
  std::map<MoveId, Source> to_confirm;
  std::map<MoveId, std::string> leaving;
  std::map<int32_t, std::string> shards;
  auto Fields() {
    return std::tie(config, coming, to_confirm, leaving, shards);
  }
};

Group::Group(Gid gid, OnMoves on_moves)
    : gid_(gid), on_moves_(std::move(on_moves)) {}

Group::Shard Group::MakeShard() {
  return std::make_unique<rsm::Sessions>(
      std::make_unique<rsm::Typed<kvraft::Store>>());
}

ShardState Group::StateOf(int shard) const {
  const MoveId move = {moves_.config.num, shard};
  if (moves_.coming.contains(move)) return ShardState::kComing;
  if (shards_[static_cast<size_t>(shard)] == nullptr) {
    return ShardState::kAbsent;
  }
  for (const auto& [confirmed, source] : moves_.to_confirm) {
    if (confirmed.shard == shard) return ShardState::kToConfirm;
  }
  return ShardState::kOwned;
}

std::string Group::Apply(std::string_view command) {
  const absl::StatusOr<Command> decoded = rpc::Decode<Command>(command);
  if (!decoded.ok()) return rpc::Encode(Result());
  return std::visit([this](const auto& entry) { return Do(entry); },
                    decoded->what);
}

std::string Group::Do(const Nothing& /*entry*/) { return {}; }

std::string Group::Do(const Execute& entry) {
  Result result;
  if (entry.shard >= 0 && entry.shard < kShards && At(entry.shard) != nullptr) {
    result = {true, At(entry.shard)->Apply(entry.request)};
  }
  return rpc::Encode(result);
}

std::string Group::Do(const Reconfigure& entry) {
  const Config& next = entry.config;
  if (next.num != moves_.config.num + 1 || !moves_.coming.empty()) return {};
  for (int shard = 0; shard < kShards; ++shard) Take(next, shard);
  moves_.config = next;
  on_moves_(moves_);
  return {};
}

// What the next configuration means for that shard. One that no group had is
// empty, and one that no group gets is gone.
void Group::Take(const Config& next, int shard) {
  const Config& config = moves_.config;
  const Gid from = config.shards[static_cast<size_t>(shard)];
  const Gid to = next.shards[static_cast<size_t>(shard)];
  const MoveId move = {next.num, shard};
  if (from == to) return;
  if (from == gid_) {
    const Shard left = std::move(At(shard));
    if (to != kNoGroup) moves_.leaving[move] = left->Snapshot();
  } else if (to == gid_ && from == kNoGroup) {
    At(shard) = MakeShard();
  } else if (to == gid_) {
    moves_.coming[move].from = {from, config.groups.at(from)};
  }
}

std::string Group::Do(const Install& entry) {
  const auto found = moves_.coming.find(entry.move);
  if (found == moves_.coming.end()) return {};
  Moves::Coming& coming = found->second;
  if (entry.offset != coming.received.size()) return {};
  coming.received.Append(entry.bytes);
  if (coming.received.size() >= entry.total) {
    Shard shard = MakeShard();
    const absl::Status status = shard->Restore(coming.received);
    CHECK(status.ok()) << "group " << gid_ << ": shard " << entry.move.shard
                       << " cannot be restored: " << status.message();
    At(entry.move.shard) = std::move(shard);
    moves_.to_confirm[entry.move] = std::move(coming.from);
    moves_.coming.erase(found);
  }
  on_moves_(moves_);
  return {};
}

std::string Group::Do(const Delete& entry) {
  if (moves_.leaving.erase(entry.move) > 0) on_moves_(moves_);
  return {};
}

std::string Group::Do(const Confirmed& entry) {
  if (moves_.to_confirm.erase(entry.move) > 0) on_moves_(moves_);
  return {};
}

base::Rope Group::Snapshot() {
  Saved saved{.config = moves_.config,
              .coming = {},
              .to_confirm = moves_.to_confirm,
              .leaving = {},
              .shards = {}};
  for (const auto& [move, coming] : moves_.coming) {
    saved.coming[move] = {coming.from, coming.received.ToString()};
  }
  for (const auto& [move, bytes] : moves_.leaving) {
    saved.leaving[move] = bytes.ToString();
  }
  for (int32_t shard = 0; shard < kShards; ++shard) {
    if (At(shard) == nullptr) continue;
    saved.shards[shard] = At(shard)->Snapshot().ToString();
  }
  return rpc::Encode(saved);
}

absl::Status Group::Restore(const base::Rope& snapshot) {
  absl::StatusOr<Saved> saved = rpc::Decode<Saved>(snapshot.ToString());
  if (!saved.ok()) return saved.status();
  moves_ = {.config = std::move(saved->config),
            .coming = {},
            .to_confirm = std::move(saved->to_confirm),
            .leaving = {}};
  for (auto& [move, coming] : saved->coming) {
    moves_.coming[move] = {std::move(coming.from), coming.received};
  }
  for (const auto& [move, bytes] : saved->leaving) {
    moves_.leaving[move] = bytes;
  }
  for (Shard& shard : shards_) shard = nullptr;
  for (const auto& [shard, bytes] : saved->shards) {
    if (shard < 0 || shard >= kShards) {
      return absl::DataLossError(absl::StrCat("malformed: shard ", shard));
    }
    At(shard) = MakeShard();
    absl::Status status = At(shard)->Restore(bytes);
    if (!status.ok()) return status;
  }
  on_moves_(moves_);
  return absl::OkStatus();
}

}  // namespace shardkv
