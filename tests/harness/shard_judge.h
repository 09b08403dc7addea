// Judges the groups of a sharded service (shardkv/) and their controller by
// what must hold between all of them, while they run: the rules below.
//
// It follows the logs. The state of a group is that of its most advanced
// replica; which shards that serves its Moves say, at each entry. What a shard
// holds is known without any server: the operations that were executed are
// executed here again, in their order, wherever the shard was.
//
// A group is told of an entry before it applies it: from then on it counts as
// not serving what the entry may take away. So an event that is reported late
// makes no shard look as if two served it.
//
// Each call returns the first error that it finds, in words; after that nothing
// is judged any more.
//
// Thread safety: safe, but for Replica. Its lock is a leaf and no scheduling
// point of the simulator: being watched changes no simulated run.

#ifndef TESTS_HARNESS_SHARD_JUDGE_H_
#define TESTS_HARNESS_SHARD_JUDGE_H_

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rope.h"
#include "base/spin_lock.h"
#include "kvraft/session_store.h"
#include "raft/types.h"
#include "shardctrler/config.h"
#include "shardkv/group.h"
#include "tests/harness/kv_history.h"
#include "tests/harness/kv_log.h"
#include "tests/harness/shard_service.h"

namespace harness {

// Their sections are the rules of shardkv/README.md.
struct ShardRule {
  const char* name;
  const char* section;
};
// No two groups serve a shard at a time.
inline constexpr ShardRule kOneOwner{"one owner", "G3"};
// An operation is executed where its shard is served, and only there.
inline constexpr ShardRule kExecutedByOwner{"executed by the owner", "G2"};
// What a group installs is all that the old owner had when it stopped.
inline constexpr ShardRule kInstalledWhole{"installed as it was", "G3, G4"};
// An operation returns what those before it in its shard, in whatever groups,
// make of it.
inline constexpr ShardRule kContinues{"a shard continues", "G4, G5"};
// A group's configurations grow by one.
inline constexpr ShardRule kOneByOne{"one configuration at a time", "G1"};
// A number names one configuration, at all controllers and in all groups.
inline constexpr ShardRule kOneList{"one list of configurations", "G1"};
// Replicas have the same state after the same entry.
inline constexpr ShardRule kReplicasAgree{"replicas agree", "G8"};
// A snapshot has the shards that its group serves there, and no other one.
inline constexpr ShardRule kNothingLeft{"nothing is left", "G6, G8"};
// A write is executed once, if it was answered; at most as often as clients
// asked for it, if not.
inline constexpr ShardRule kExactlyOnce{"exactly once", "G12"};

class ShardJudge : public ShardRules {
  using Served = std::bitset<shardctrler::kShards>;

 public:
  using Gid = shardctrler::Gid;
  static constexpr Gid kController = shardctrler::kNoGroup;

  // One incarnation of a server, of a group or of the controller, whose entries
  // it takes one by one. Thread safety: confined to the thread that runs them.
  class Replica {
   public:
    Replica(Gid gid, raft::ServerId server) : gid_(gid), server_(server) {}

   private:
    friend class ShardJudge;

    const Gid gid_;
    const raft::ServerId server_;
    bool is_executing_ = false;  // otherwise it restores a snapshot
    bool has_changed_ = false;   // by the command that it executes
    shardkv::Moves moves_;
    shardkv::Moves before_;  // what they were when they changed last
    Served served_;
  };

  // What the Rsm of the replica has (rsm::Hooks): before and after a command.
  Error OnApply(Replica* replica, const raft::ApplyMsg& message)
      EXCLUDES(lock_);
  Error OnExecuted(Replica* replica, const raft::ApplyMsg& message,
                   std::string_view result) EXCLUDES(lock_);

  // The replica has taken that snapshot, of its state as it is.
  Error OnSnapshot(const Replica& replica, const base::Rope& snapshot)
      EXCLUDES(lock_);

  // The state of the replica is this now: during an execution, or because a
  // snapshot was restored.
  Error OnMoves(Replica* replica, const shardkv::Moves& moves) EXCLUDES(lock_);

  // Judges all that clients asked for up to now: none of them is asking.
  Error CheckWrites(const KvHistory::Writes& writes) override EXCLUDES(lock_);

  Hooks Watch(Gid gid, raft::ServerId server) override;

 private:
  // A replica's state after an entry.
  struct Entry {
    raft::ServerId server = 0;  // that executed it first
    size_t command_hash = 0;
    size_t result_hash = 0;
    int64_t num = 0;
    Served served;
  };

  // A shard as its operations have made it.
  struct Shard {
    std::unique_ptr<kvraft::SessionStore> store;  // null: this group has none
    uint64_t revision = 0;                        // of its last execution
  };

  struct Group {
    std::vector<Entry> entries;  // [0]: index 1
    int64_t num = 0;
    Served served;
    std::array<Shard, shardctrler::kShards> shards;
    std::map<shardkv::MoveId, std::unique_ptr<kvraft::SessionStore>> coming;
  };

  // A shard when its old owner took the configuration of the move.
  struct Frozen {
    std::string bytes;
    uint64_t revision = 0;
  };

  Error Violate(const ShardRule& rule, const std::string& what) REQUIRES(lock_);
  Error KnowConfigLocked(const shardctrler::Config& config) REQUIRES(lock_);
  Error TakeAwayLocked(const Replica& replica, const shardctrler::Config& next)
      REQUIRES(lock_);
  Error CompareLocked(const Entry& first, const Entry& entry, Gid gid,
                      raft::Index index) REQUIRES(lock_);
  Error AdvanceLocked(const Replica& replica, const raft::ApplyMsg& message,
                      std::string_view result) REQUIRES(lock_);
  Error ExecuteLocked(const Replica& replica, const shardkv::Execute& entry,
                      std::string_view result) REQUIRES(lock_);
  Error ServeLocked(const Replica& replica, const shardkv::Command& command)
      REQUIRES(lock_);
  Error BeginLocked(const Replica& replica, int32_t shard,
                    const shardkv::Command& command) REQUIRES(lock_);
  Error AddPartLocked(Gid gid, const shardkv::Install& entry) REQUIRES(lock_);
  Error InstallLocked(const Replica& replica, const shardkv::Install& entry)
      REQUIRES(lock_);
  Error ReadReplyLocked(std::string_view result) REQUIRES(lock_);

  base::SpinLock lock_;
  bool has_failed_ ABSL_GUARDED_BY(lock_) = false;
  std::map<Gid, Group> groups_ ABSL_GUARDED_BY(lock_);
  std::map<int64_t, shardctrler::Config> configs_ ABSL_GUARDED_BY(lock_);
  std::map<shardkv::MoveId, Frozen> frozen_ ABSL_GUARDED_BY(lock_);
  std::map<KvCall, size_t> writes_ ABSL_GUARDED_BY(lock_);  // executed
};

}  // namespace harness

#endif  // TESTS_HARNESS_SHARD_JUDGE_H_
