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

struct Group::Saved {
  Moves moves;
  std::map<int32_t, base::Rope> shards;  // that are served
  auto Fields() { return std::tie(moves, shards); }
};

Group::Group(Gid gid, OnMoves on_moves)
    : gid_(gid), on_moves_(std::move(on_moves)) {}

Group::Shard Group::MakeShard() {
  return std::make_unique<rsm::Sessions>(
      std::make_unique<rsm::Typed<kvraft::Store>>());
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
  Saved saved{.moves = moves_, .shards = {}};
  for (int32_t shard = 0; shard < kShards; ++shard) {
    if (At(shard) != nullptr) saved.shards[shard] = At(shard)->Snapshot();
  }
  return rpc::Encode(saved);
}

absl::Status Group::Restore(const base::Rope& snapshot) {
  absl::StatusOr<Saved> saved = rpc::Decode<Saved>(snapshot.ToString());
  if (!saved.ok()) return saved.status();
  moves_ = std::move(saved->moves);
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
