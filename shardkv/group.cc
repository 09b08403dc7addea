#include "shardkv/group.h"

#include <utility>

#include "base/logging.h"
#include "rpc/codec.h"

namespace shardkv {

using shardctrler::Config;
using shardctrler::Gid;
using shardctrler::kNoGroup;
using shardctrler::kShards;

Moves Told(const Transfers& transfers) {
  Moves moves{transfers.config, {}, transfers.to_confirm, {}};
  for (const auto& [move, coming] : transfers.coming) {
    moves.coming[move] = coming.from;
  }
  for (const auto& [move, shard] : transfers.leaving) {
    moves.leaving.insert(move);
  }
  return moves;
}

Group::Group(Gid gid, OnMoves on_moves)
    : gid_(gid), on_moves_(std::move(on_moves)) {}

std::string Group::Apply(std::string_view command) {
  const absl::StatusOr<Command> decoded = rpc::Decode<Command>(command);
  if (!decoded.ok()) return rpc::Encode(Result());
  return std::visit([this](const auto& entry) { return Do(entry); },
                    decoded->what);
}

std::string Group::Do(const Nothing& /*entry*/) { return {}; }

std::string Group::Do(const Execute& entry) {
  Result result;
  const auto found = state_.shards.find(entry.shard);
  if (found != state_.shards.end()) {
    result = {true, found->second->Apply(entry.request)};
  }
  return rpc::Encode(result);
}

std::string Group::Do(const Reconfigure& entry) {
  const Config& next = entry.config;
  if (next.num != state_.moves.config.num + 1 || !state_.moves.coming.empty())
    return {};
  for (int shard = 0; shard < kShards; ++shard) Take(next, shard);
  state_.moves.config = next;
  on_moves_(state_.moves);
  return {};
}

// What the next configuration means for that shard. One that no group had is
// empty, and one that no group gets is gone.
void Group::Take(const Config& next, int shard) {
  const Config& config = state_.moves.config;
  const Gid from = config.shards[static_cast<size_t>(shard)];
  const Gid to = next.shards[static_cast<size_t>(shard)];
  const MoveId move = {next.num, shard};
  if (from == to) return;
  if (from == gid_) {
    const kvraft::SharedStore left =
        std::move(state_.shards.extract(shard).mapped());
    if (to == kNoGroup) return;
    left->Freeze();
    state_.moves.leaving[move] = left;
  } else if (to == gid_ && from == kNoGroup) {
    state_.shards[shard] =
        std::make_shared<kvraft::SessionStore>(SessionsBefore(next.num));
  } else if (to == gid_) {
    state_.moves.coming[move] = {{from, config.groups.at(from)},
                                 {},
                                 std::make_shared<kvraft::SessionStore>()};
  }
}

std::string Group::Do(const Install& entry) {
  const auto found = state_.moves.coming.find(entry.move);
  if (found == state_.moves.coming.end() || found->second.next != entry.at)
    return {};
  Transfers::Coming& coming = found->second;
  const absl::Status status = coming.shard->Add(entry.at, entry.part);
  CHECK(status.ok()) << "group " << gid_ << ": shard " << entry.move.shard
                     << " cannot be restored: " << status.message();
  coming.next = entry.part.next;
  if (coming.next.entry >= entry.part.total) {
    state_.shards[entry.move.shard] = std::move(coming.shard);
    state_.moves.to_confirm[entry.move] = std::move(coming.from);
    state_.moves.coming.erase(found);
  }
  on_moves_(state_.moves);
  return {};
}

std::string Group::Do(const Delete& entry) {
  if (state_.moves.leaving.erase(entry.move) > 0) on_moves_(state_.moves);
  return {};
}

std::string Group::Do(const Confirmed& entry) {
  if (state_.moves.to_confirm.erase(entry.move) > 0) on_moves_(state_.moves);
  return {};
}

base::Rope Group::Snapshot() { return rpc::Encode(state_); }

absl::Status Group::Restore(const base::Rope& snapshot) {
  absl::StatusOr<State> state = rpc::Decode<State>(snapshot.ToString());
  if (!state.ok()) return state.status();
  state_ = *std::move(state);
  on_moves_(state_.moves);
  return absl::OkStatus();
}

}  // namespace shardkv
