#include "shardkv1/group.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "base/logging.h"
#include "rpc/codec.h"

namespace shardkv1 {
namespace {

using State = ShardState;

Err ErrOf(kvraft::Err err) {
  switch (err) {
    case kvraft::Err::kNoKey:
      return Err::kNoKey;
    case kvraft::Err::kVersion:
      return Err::kVersion;
    default:
      return Err::kOk;
  }
}

// The part of a frozen shard from `offset` on.
FreezeReply PartOf(const Shard& shard, uint64_t offset) {
  FreezeReply reply{.err = Err::kOk, .total = shard.bytes.size()};
  offset = std::min<uint64_t>(offset, reply.total);
  shard.bytes.CopyTo(offset, std::min(kPartBytes, reply.total - offset),
                     &reply.bytes);
  return reply;
}

// Adds the next part; the last one makes the shard served.
void Receive(const InstallArgs& args, Shard* shard) {
  shard->bytes.Append(args.bytes);
  if (shard->bytes.size() < args.total) return;
  if (args.total > 0) {
    auto store = rpc::Decode<kvraft::Store>(shard->bytes.ToString());
    CHECK(store.ok()) << "shard " << args.move.shard
                      << " cannot be installed: " << store.status().message();
    shard->store = *std::move(store);
  }
  shard->bytes = {};
  shard->state = State::kServed;
}

}  // namespace

Group::Group(Gid gid, OnShards on_shards) : on_shards_(std::move(on_shards)) {
  for (Shard& shard : shards_) {
    if (gid == kFirstGroup) shard.state = State::kServed;
  }
  Tell();
}

void Group::Tell() const {
  ShardStatuses statuses;
  for (size_t i = 0; i < shards_.size(); ++i) {
    statuses[i] = {shards_[i].state, shards_[i].num};
  }
  on_shards_(statuses);
}

// Null if there is no such shard.
Shard* Group::Find(int32_t shard) {
  if (shard < 0 || shard >= kShards) return nullptr;
  return &shards_[static_cast<size_t>(shard)];
}

std::string Group::Apply(std::string_view command) {
  const absl::StatusOr<Command> decoded = rpc::Decode<Command>(command);
  if (!decoded.ok()) return {};
  std::string result = std::visit(
      [this](const auto& entry) {
        auto reply = Do(entry);
        return rpc::Encode(reply);
      },
      decoded->what);
  if (!std::holds_alternative<kvraft::Command>(decoded->what)) Tell();
  return result;
}

Reply Group::Do(const kvraft::Command& command) {
  Shard* const shard = Find(ShardOf(command.key));
  if (shard->state != State::kServed) return {.err = Err::kWrongGroup};
  kvraft::Reply reply = shard->store.Apply(command);
  return {.err = ErrOf(reply.err),
          .value = std::move(reply.value),
          .version = reply.version,
          .revision = reply.revision};
}

FreezeReply Group::Do(const FreezeArgs& args) {
  Shard* const shard = Find(args.move.shard);
  if (shard == nullptr) return {.err = Err::kWrongGroup};
  if (args.move.num < shard->num) return {.err = Err::kStale};
  const bool is_new = args.move.num > shard->num;
  const bool is_served = shard->state == State::kServed;
  if (is_new != is_served || shard->state == State::kComing) {
    return {.err = Err::kWrongGroup};
  }
  if (is_new) {
    *shard = {.state = State::kFrozen,
              .num = args.move.num,
              .store = {},
              .bytes = rpc::Encode(shard->store)};
  }
  return PartOf(*shard, args.offset);
}

MoveReply Group::Do(const InstallArgs& args) {
  Shard* const shard = Find(args.move.shard);
  if (shard == nullptr) return {.err = Err::kWrongGroup};
  if (args.move.num < shard->num) return {.err = Err::kStale};
  if (args.move.num > shard->num) {
    *shard = {.state = State::kComing, .num = args.move.num};
  }
  if (shard->state != State::kComing) return {.err = Err::kOk};
  if (args.offset > shard->bytes.size()) return {.err = Err::kWrongGroup};
  if (args.offset == shard->bytes.size()) Receive(args, shard);
  return {.err = Err::kOk};
}

MoveReply Group::Do(const DeleteArgs& args) {
  Shard* const shard = Find(args.move.shard);
  if (shard == nullptr) return {.err = Err::kWrongGroup};
  if (args.move.num < shard->num) return {.err = Err::kStale};
  if (args.move.num > shard->num) return {.err = Err::kWrongGroup};
  if (shard->state == State::kFrozen) {
    garbage_ += shard->bytes.size();
    *shard = {.state = State::kAbsent, .num = shard->num};
  }
  return {.err = Err::kOk};
}

base::Rope Group::Snapshot() {
  garbage_ = 0;
  return rpc::Encode(shards_);
}

absl::Status Group::Restore(const base::Rope& snapshot) {
  absl::StatusOr<Shards> shards = rpc::Decode<Shards>(snapshot.ToString());
  if (!shards.ok()) return shards.status();
  shards_ = *std::move(shards);
  garbage_ = 0;
  Tell();
  return absl::OkStatus();
}

}  // namespace shardkv1
