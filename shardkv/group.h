// What the servers of one group replicate: the configuration that the group is
// at, the shards that it serves, and the moves of shards that are not over.
//
// A shard moves by entries in the logs of both groups. Each names its move, and
// does nothing when it comes again, too late or too early:
//
//   the old owner's log                  the new owner's log
//   Reconfigure(n): stops serving it,    Reconfigure(n): it is coming
//     a frozen copy is leaving
//                 -- Pull, as often as it takes -->
//                                        Install(n): serves it, and has to
//                                          confirm that
//                 <-- Delete --
//   Delete(n): drops the copy
//                                        Confirmed(n)
//
// The next configuration is taken when no shard is coming. What is leaving or
// to be confirmed may take longer: it has the number of its configuration, so
// that the shard may come back and leave again meanwhile. So a group waits for
// others only if it needs their data; of those that wait, the one at the lowest
// number can always go on.
//
// At most one group serves a shard: the old owner has stopped when the data are
// read that the new one starts with.
//
// Thread safety: as StateMachine's.
// Invariants: a shard is served if, and only if, the group owns it by its
// configuration and it is not coming.

#ifndef SHARDKV_GROUP_H_
#define SHARDKV_GROUP_H_

#include <cereal/types/variant.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/rope.h"
#include "kvraft/session_store.h"
#include "rsm/sessions.h"
#include "rsm/state_machine.h"
#include "shardctrler/config.h"
#include "shardkv/messages.h"
#include "shardkv/transfers.h"

namespace shardkv {

// Log entries.
struct Nothing {  // commits what earlier leaders left (5.4.2)
  auto Fields() { return std::tie(); }
};
struct Execute {
  int32_t shard = 0;
  std::string request;  // of rsm::Sessions; its command is of kvraft's Store
  auto Fields() { return std::tie(shard, request); }
};
struct Reconfigure {
  shardctrler::Config config;
  auto Fields() { return std::tie(config); }
};
// The next part of a shard that is coming.
struct Install {
  MoveId move;
  kvraft::Cursor at;
  kvraft::Part part;
  auto Fields() { return std::tie(move, at, part); }
};
struct Delete {
  MoveId move;
  auto Fields() { return std::tie(move); }
};
struct Confirmed {
  MoveId move;
  auto Fields() { return std::tie(move); }
};
struct Command {
  std::variant<Nothing, Execute, Reconfigure, Install, Delete, Confirmed> what;
  auto Fields() { return std::tie(what); }
};

// Of Execute; the others have none.
struct Result {
  bool served = false;  // otherwise nothing was executed
  std::string value;    // the Sessions' answer
  auto Fields() { return std::tie(served, value); }
};

// A shard that is empty in the configuration of that number, since it has come
// from no group, gives its sessions numbers above this. What it was before is
// forgotten, but Clerks may still have sessions of that: here they must be
// unknown, and not those of other Clerks.
inline rsm::Sessions::Id SessionsBefore(int64_t num) {
  return static_cast<rsm::Sessions::Id>(num) << 32;
}

class Group : public rsm::StateMachine {
 public:
  // `on_moves` is called with what transfers() returns whenever that has
  // changed.
  using OnMoves = std::function<void(const Transfers&)>;
  explicit Group(
      shardctrler::Gid gid, OnMoves on_moves = [](const Transfers&) {});

  const Transfers& transfers() const { return state_.moves; }

  std::string Apply(std::string_view command) override;
  base::Rope Snapshot() override;
  absl::Status Restore(const base::Rope& snapshot) override;

 private:
  struct State {
    Transfers moves;
    std::map<int32_t, kvraft::SharedStore> shards;  // that are served
    auto Fields() { return std::tie(moves, shards); }
  };

  std::string Do(const Nothing& entry);
  std::string Do(const Execute& entry);
  std::string Do(const Reconfigure& entry);
  std::string Do(const Install& entry);
  std::string Do(const Delete& entry);
  std::string Do(const Confirmed& entry);
  void Take(const shardctrler::Config& next, int shard);

  const shardctrler::Gid gid_;
  const OnMoves on_moves_;
  State state_;
};

}  // namespace shardkv

#endif  // SHARDKV_GROUP_H_
