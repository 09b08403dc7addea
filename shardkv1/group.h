// What the servers of one group replicate: shards, each an object with a state
// and the number of the change that moved it last.
//
// A controller moves a shard by three calls, in this order, and each may come
// again, late, or from several controllers at a time:
//
//   at the old owner        at the new owner
//   Freeze(num)
//                           Install(num), as often as it has parts
//   Delete(num)
//
//               Freeze            Delete
//     kServed ---------> kFrozen --------> kAbsent
//        ^                                    |
//        +------------- kComing <-------------+
//          last Install          first Install
//
// A number that is lower than the shard's is refused, so that what a controller
// asks for which was cut off in an old change does nothing. The same number is
// a repetition: it is answered as the first time, and changes nothing.
//
// Thread safety: as StateMachine's.

#ifndef SHARDKV1_GROUP_H_
#define SHARDKV1_GROUP_H_

#include <array>
#include <cereal/types/array.hpp>
#include <cereal/types/variant.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>

#include "absl/status/status.h"
#include "base/rope.h"
#include "kvraft/replicated_store.h"
#include "rsm/state_machine.h"
#include "shardkv1/config.h"
#include "shardkv1/messages.h"

namespace shardkv1 {

// A shard travels in parts, for it need not fit into a command of Raft.
inline constexpr size_t kPartBytes = 256 << 10;

struct Shard {
  ShardState state = ShardState::kAbsent;
  int64_t num = 0;           // never decreases
  kvraft::Store store = {};  // kServed: what is in it
  base::Rope bytes = {};     // kFrozen: that, encoded; kComing: the first of it
  auto Fields() { return std::tie(state, num, store, bytes); }
};

// A log entry: of kvraft's, those with versions.
struct Command {
  std::variant<kvraft::Command, FreezeArgs, InstallArgs, DeleteArgs> what;
  auto Fields() { return std::tie(what); }
};

// The state machine.
class Group : public rsm::StateMachine {
 public:
  // Is called with the shards as they are created, and whenever one of them
  // moves or a snapshot is restored.
  using OnShards = std::function<void(const ShardStatuses&)>;

  // As it is created: the first group serves all shards, which are empty,
  // others none.
  explicit Group(
      Gid gid, OnShards on_shards = [](const ShardStatuses&) {});

  // Returns the encoded reply to the call that the command is.
  std::string Apply(std::string_view command) override;

  base::Rope Snapshot() override;
  absl::Status Restore(const base::Rope& snapshot) override;

  // The shards that were deleted.
  size_t Garbage() const override { return garbage_; }

 private:
  using Shards = std::array<Shard, kShards>;

  Reply Do(const kvraft::Command& command);
  FreezeReply Do(const FreezeArgs& args);
  MoveReply Do(const InstallArgs& args);
  MoveReply Do(const DeleteArgs& args);
  Shard* Find(int32_t shard);
  void Tell() const;

  const OnShards on_shards_;
  Shards shards_;
  size_t garbage_ = 0;  // since the last snapshot
};

}  // namespace shardkv1

#endif  // SHARDKV1_GROUP_H_
