// What Clerks and controllers ask servers of a group, what these answer, and
// what a server can tell of its shards.

#ifndef SHARDKV1_MESSAGES_H_
#define SHARDKV1_MESSAGES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <tuple>

#include "kvraft/messages.h"
#include "rpc/rpc.h"
#include "shardkv1/config.h"

namespace shardkv1 {

enum class Err : uint8_t {
  kOk,
  kNoKey,        // the key does not exist
  kVersion,      // the key has another version; nothing was changed
  kWrongGroup,   // not executed: the shard is not served here
  kStale,        // not executed: a later change has moved the shard here
  kWrongLeader,  // not executed: this server does not lead
  kLost,      // unknown: it leads no more, the next leader may execute it yet
  kTooLarge,  // not executed, here and elsewhere: above the limits
  // A Clerk's own answers.
  kMaybe,   // unknown, and stays so: executed once or not at all
  kClosed,  // unknown: the Clerk was closed
};

// "OK", "ErrNoKey", ...; "ErrUnknown" of what a message may hold besides.
constexpr const char* Name(Err err) {
  constexpr const char* kNames[] = {
      "OK",       "ErrNoKey",       "ErrVersion", "ErrWrongGroup",
      "ErrStale", "ErrWrongLeader", "ErrLost",    "ErrTooLarge",
      "ErrMaybe", "ErrClosed"};
  const auto number = static_cast<size_t>(err);
  return number < std::size(kNames) ? kNames[number] : "ErrUnknown";
}

using kvraft::GetArgs;
using kvraft::PutArgs;

struct Reply {
  Err err = Err::kWrongLeader;
  std::string value = {};  // Get's
  uint64_t version = 0;    // of the key, after this: counts its writes
  uint64_t revision = 0;   // of the shard: counts all executions
  auto Fields() { return std::tie(err, value, version, revision); }
};

// The move of a shard by the change to the configuration of that number.
struct MoveId {
  int64_t num = 0;
  int32_t shard = 0;
  auto Fields() { return std::tie(num, shard); }
};

// Serve the shard no more, and hand out what is in it, from that byte on.
struct FreezeArgs {
  MoveId move;
  uint64_t offset = 0;
  auto Fields() { return std::tie(move, offset); }
};

struct FreezeReply {
  Err err = Err::kWrongLeader;
  uint64_t total = 0;  // bytes of the shard; 0: it is deleted already
  std::string bytes = {};
  auto Fields() { return std::tie(err, total, bytes); }
};

// Take the next bytes of the shard; serve it when they are complete. A shard of
// 0 bytes is empty.
struct InstallArgs {
  MoveId move;
  uint64_t offset = 0;
  uint64_t total = 0;  // bytes of the shard
  std::string bytes = {};
  auto Fields() { return std::tie(move, offset, total, bytes); }
};

// Forget what is in the shard, which is frozen.
struct DeleteArgs {
  MoveId move;
  auto Fields() { return std::tie(move); }
};

// Of Install and Delete.
struct MoveReply {
  Err err = Err::kWrongLeader;
  auto Fields() { return std::tie(err); }
};

inline constexpr rpc::Method<GetArgs, Reply> kGet{"ShardGroup.Get"};
inline constexpr rpc::Method<PutArgs, Reply> kPut{"ShardGroup.Put"};
inline constexpr rpc::Method<FreezeArgs, FreezeReply> kFreeze{
    "ShardGroup.Freeze"};
inline constexpr rpc::Method<InstallArgs, MoveReply> kInstall{
    "ShardGroup.Install"};
inline constexpr rpc::Method<DeleteArgs, MoveReply> kDelete{
    "ShardGroup.Delete"};

// Makes an end that leads to the server with that name. A new one each time;
// its owner closes it.
using MakeEnd = std::function<std::shared_ptr<rpc::ClientEnd>(
    const std::string& server_name)>;

// What a server knows of each shard, by number. A shard that is coming has not
// been installed whole; one that is frozen has not been deleted.
enum class ShardState : uint8_t { kAbsent, kComing, kServed, kFrozen };
struct ShardStatus {
  ShardState state = ShardState::kAbsent;
  int64_t num = 0;  // of the change that moved it last
};
using ShardStatuses = std::array<ShardStatus, kShards>;

}  // namespace shardkv1

#endif  // SHARDKV1_MESSAGES_H_
