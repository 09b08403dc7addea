// What Clerks ask servers of the shard controller, and what these answer.

#ifndef SHARDCTRLER_MESSAGES_H_
#define SHARDCTRLER_MESSAGES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "rpc/rpc.h"
#include "shardctrler/config.h"

namespace shardctrler {

enum class Err : uint8_t {
  kOk,
  kRefused,      // executed, and nothing changed: the request makes no sense
  kWrongLeader,  // not executed: this server does not lead
  kLost,      // unknown: it leads no more, the next leader may execute it yet
  kTooLarge,  // not executed, here and elsewhere: above the limits
  kSession,   // not executed: the session is unknown, or past that number
  // A Clerk's own answers.
  kNoServers,  // not executed: the Clerk has none
  kClosed,     // unknown: the Clerk was closed
};

// Session and number name a call, however often it is sent (rsm/sessions.h).
struct JoinArgs {
  Groups groups;
  uint64_t session = 0;
  uint64_t number = 0;  // from 1
  auto Fields() { return std::tie(groups, session, number); }
};

struct LeaveArgs {
  std::vector<Gid> gids;
  uint64_t session = 0;
  uint64_t number = 0;
  auto Fields() { return std::tie(gids, session, number); }
};

struct MoveArgs {
  int32_t shard = 0;
  Gid gid = kNoGroup;
  uint64_t session = 0;
  uint64_t number = 0;
  auto Fields() { return std::tie(shard, gid, session, number); }
};

// The latest configuration if the number is negative, or above the latest.
inline constexpr int64_t kLatest = -1;
struct QueryArgs {
  int64_t num = kLatest;
  // Any server answers, once it knows the configuration of that number.
  bool wait = false;
  auto Fields() { return std::tie(num, wait); }
};

struct OpenSessionArgs {
  auto Fields() { return std::tie(); }
};

struct OpenSessionReply {
  Err err = Err::kWrongLeader;
  uint64_t session = 0;
  auto Fields() { return std::tie(err, session); }
};

struct Reply {
  Err err = Err::kWrongLeader;
  std::string why = {};  // kRefused
  Config config = {};    // Query's
  auto Fields() { return std::tie(err, why, config); }
};

inline constexpr rpc::Method<JoinArgs, Reply> kJoin{"ShardCtrler.Join"};
inline constexpr rpc::Method<LeaveArgs, Reply> kLeave{"ShardCtrler.Leave"};
inline constexpr rpc::Method<MoveArgs, Reply> kMove{"ShardCtrler.Move"};
inline constexpr rpc::Method<QueryArgs, Reply> kQuery{"ShardCtrler.Query"};
inline constexpr rpc::Method<OpenSessionArgs, OpenSessionReply> kOpenSession{
    "ShardCtrler.OpenSession"};

}  // namespace shardctrler

#endif  // SHARDCTRLER_MESSAGES_H_
