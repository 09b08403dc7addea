// What groups ask each other, and what a group replicates of shards that move.

#ifndef SHARDKV_TRANSFERS_H_
#define SHARDKV_TRANSFERS_H_

#include <map>
#include <tuple>

#include "kvraft/session_store.h"
#include "rpc/rpc.h"
#include "shardctrler/config.h"
#include "shardkv/messages.h"

namespace shardkv {

// Asks for a part of the shard, as it was when its group took that
// configuration. Any server of the group may answer: the shard is frozen.
struct PullArgs {
  MoveId move;
  kvraft::Cursor at;
  auto Fields() { return std::tie(move, at); }
};

struct PullReply {
  kvraft::Part part;  // without pieces: it is not here, not yet or no more
  auto Fields() { return std::tie(part); }
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

inline constexpr rpc::Method<PullArgs, PullReply> kPull{"ShardKV.Pull"};
inline constexpr rpc::Method<DeleteArgs, DeleteReply> kDelete{"ShardKV.Delete"};

// The replicated state but for what is served. Copies share the shards.
struct Transfers {
  struct Coming {
    Source from;
    kvraft::Cursor next;        // what is before it has come
    kvraft::SharedStore shard;  // the state machine's alone
    auto Fields() { return std::tie(from, next, shard); }
  };

  shardctrler::Config config;
  std::map<MoveId, Coming> coming;                // by `config`
  std::map<MoveId, Source> to_confirm;            // they have come
  std::map<MoveId, kvraft::SharedStore> leaving;  // frozen, until deleted
  auto Fields() { return std::tie(config, coming, to_confirm, leaving); }
};

// What of them can be told.
Moves Told(const Transfers& transfers);

}  // namespace shardkv

#endif  // SHARDKV_TRANSFERS_H_
