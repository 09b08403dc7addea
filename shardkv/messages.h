// What Clerks ask servers of the sharded key/value service, what its groups ask
// each other, and what they are answered.

#ifndef SHARDKV_MESSAGES_H_
#define SHARDKV_MESSAGES_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "rpc/rpc.h"
#include "shardctrler/config.h"

namespace shardkv {

// The shard that has the key.
inline int ShardOf(std::string_view key) {
  const auto first = key.empty() ? 0 : static_cast<unsigned char>(key[0]);
  return first % shardctrler::kShards;
}

// Makes an end that leads to the server with that name.
using MakeEnd = std::function<std::shared_ptr<rpc::ClientEnd>(
    const std::string& server_name)>;

enum class Err : uint8_t {
  kOk,
  kNoKey,        // the key does not exist
  kWrongGroup,   // not executed: the shard is not here, or not here yet
  kWrongLeader,  // not executed: this server does not lead
  kNotReady,     // not executed: this group is at an earlier configuration
  kLost,      // unknown: it leads no more, the next leader may execute it yet
  kTooLarge,  // not executed, here and elsewhere: above the limits
  kSession,   // not executed: the session is unknown, or past that number
  // A Clerk's own answer.
  kClosed,  // unknown: the Clerk was closed
};

struct GetArgs {
  std::string key;
  auto Fields() { return std::tie(key); }
};

// Session and number name the call, however often it is sent, to whatever group
// (rsm/sessions.h). The session is one of the key's shard.
struct PutAppendArgs {
  std::string key;
  std::string value;
  bool append = false;
  uint64_t session = 0;
  uint64_t number = 0;  // from 1
  auto Fields() { return std::tie(key, value, append, session, number); }
};

struct Reply {
  Err err = Err::kWrongLeader;
  std::string value = {};  // Get's
  uint64_t revision = 0;   // of the shard: counts all executions
  auto Fields() { return std::tie(err, value, revision); }
};

struct OpenSessionArgs {
  int32_t shard = 0;
  auto Fields() { return std::tie(shard); }
};

struct OpenSessionReply {
  Err err = Err::kWrongLeader;
  uint64_t session = 0;
  auto Fields() { return std::tie(err, session); }
};

// The move of a shard to another group, by the configuration of that number.
struct MoveId {
  int64_t num = 0;
  int32_t shard = 0;
  auto Fields() { return std::tie(num, shard); }
  auto operator<=>(const MoveId&) const = default;
};

// Asks for a part of the shard, as it was when its group took that
// configuration. Any server of the group may answer: the shard is frozen.
struct PullArgs {
  MoveId move;
  uint64_t offset = 0;
  auto Fields() { return std::tie(move, offset); }
};

struct PullReply {
  Err err = Err::kNotReady;
  uint64_t total = 0;  // bytes of the shard; 0: it is not here any more
  std::string bytes = {};
  auto Fields() { return std::tie(err, total, bytes); }
};

// The shard has come, and is committed there: it may be deleted here.
struct DeleteArgs {
  MoveId move;
  auto Fields() { return std::tie(move); }
};

struct DeleteReply {
  Err err = Err::kWrongLeader;  // kOk: it is deleted, now or before
  auto Fields() { return std::tie(err); }
};

inline constexpr rpc::Method<GetArgs, Reply> kGet{"ShardKV.Get"};
inline constexpr rpc::Method<PutAppendArgs, Reply> kPutAppend{
    "ShardKV.PutAppend"};
inline constexpr rpc::Method<OpenSessionArgs, OpenSessionReply> kOpenSession{
    "ShardKV.OpenSession"};
inline constexpr rpc::Method<PullArgs, PullReply> kPull{"ShardKV.Pull"};
inline constexpr rpc::Method<DeleteArgs, DeleteReply> kDelete{"ShardKV.Delete"};

}  // namespace shardkv

#endif  // SHARDKV_MESSAGES_H_
