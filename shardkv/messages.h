// What Clerks ask servers of the sharded key/value service, what they are
// answered, and what a server can tell of its group.

#ifndef SHARDKV_MESSAGES_H_
#define SHARDKV_MESSAGES_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

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

inline constexpr rpc::Method<GetArgs, Reply> kGet{"ShardKV.Get"};
inline constexpr rpc::Method<PutAppendArgs, Reply> kPutAppend{
    "ShardKV.PutAppend"};
inline constexpr rpc::Method<OpenSessionArgs, OpenSessionReply> kOpenSession{
    "ShardKV.OpenSession"};

// The group that a shard comes from.
struct Source {
  shardctrler::Gid gid = shardctrler::kNoGroup;
  std::vector<std::string> servers;
  auto Fields() { return std::tie(gid, servers); }
};

// What a server can tell of its group.
struct Moves {
  shardctrler::Config config;
  std::map<MoveId, Source> coming;      // shards, by `config`
  std::map<MoveId, Source> to_confirm;  // they have come
  std::set<MoveId> leaving;             // copies, until they are deleted
};

// Of a shard in group `gid`, by its configuration: frozen copies of earlier
// ones are beside that. The last two are served.
enum class ShardState : uint8_t { kAbsent, kComing, kToConfirm, kOwned };
inline ShardState StateOf(const Moves& moves, shardctrler::Gid gid, int shard) {
  if (moves.config.shards[static_cast<size_t>(shard)] != gid) {
    return ShardState::kAbsent;
  }
  if (moves.coming.contains({moves.config.num, shard})) {
    return ShardState::kComing;
  }
  for (const auto& [confirmed, source] : moves.to_confirm) {
    if (confirmed.shard == shard) return ShardState::kToConfirm;
  }
  return ShardState::kOwned;
}

}  // namespace shardkv

#endif  // SHARDKV_MESSAGES_H_
