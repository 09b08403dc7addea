#include "shardkv1/group.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "rpc/codec.h"

namespace shardkv1 {
namespace {

using State = ShardState;

// Null if there is no such shard.
Shard* Find(Group* group, int32_t shard) {
  if (shard < 0 || shard >= kShards) return nullptr;
  return &group->shards[static_cast<size_t>(shard)];
}

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

Reply Do(Group* group, const kvraft::Command& command) {
  Shard* const shard = Find(group, ShardOf(command.key));
  if (shard->state != State::kServed) return {.err = Err::kWrongGroup};
  kvraft::Reply reply = shard->store.Apply(command);
  return {.err = ErrOf(reply.err),
          .value = std::move(reply.value),
          .version = reply.version,
          .revision = reply.revision};
}

// The part of a frozen shard from `offset` on.
FreezeReply PartOf(const Shard& shard, uint64_t offset) {
  FreezeReply reply{.err = Err::kOk, .total = shard.bytes.size()};
  offset = std::min<uint64_t>(offset, reply.total);
  shard.bytes.CopyTo(offset, std::min(kPartBytes, reply.total - offset),
                     &reply.bytes);
  return reply;
}

FreezeReply Do(Group* group, const FreezeArgs& args) {
  Shard* const shard = Find(group, args.move.shard);
  if (shard == nullptr) return {.err = Err::kWrongGroup};
  if (args.move.num < shard->num) return {.err = Err::kStale};
  const bool is_new = args.move.num > shard->num;
  if (is_new != (shard->state == State::kServed)) {
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

MoveReply Do(Group* group, const InstallArgs& args) {
  Shard* const shard = Find(group, args.move.shard);
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

MoveReply Do(Group* group, const DeleteArgs& args) {
  Shard* const shard = Find(group, args.move.shard);
  if (shard == nullptr) return {.err = Err::kWrongGroup};
  if (args.move.num < shard->num) return {.err = Err::kStale};
  if (args.move.num > shard->num) return {.err = Err::kWrongGroup};
  if (shard->state == State::kFrozen) {
    *shard = {.state = State::kAbsent, .num = shard->num};
  }
  return {.err = Err::kOk};
}

}  // namespace

std::string Group::Apply(const Command& command) {
  return std::visit(
      [this](const auto& entry) {
        auto reply = Do(this, entry);
        return rpc::Encode(reply);
      },
      command.what);
}

Group NewGroup(Gid gid) {
  Group group;
  if (gid != kFirstGroup) return group;
  for (Shard& shard : group.shards) shard.state = State::kServed;
  return group;
}

}  // namespace shardkv1
