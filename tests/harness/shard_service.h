// The shard controller and the sharded service under test, as their tests see
// them: in this process (shard_service.cc), or in others (tests/isolation/).

#ifndef TESTS_HARNESS_SHARD_SERVICE_H_
#define TESTS_HARNESS_SHARD_SERVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/rope.h"
#include "persister/persister.h"
#include "raft/types.h"
#include "rsm/rsm.h"
#include "shardctrler/config.h"
#include "shardkv/messages.h"
#include "tests/harness/kv_history.h"
#include "tests/harness/server_group.h"

namespace harness {

// As shardctrler::Clerk, call for call.
class CtrlerClerk {
 public:
  virtual ~CtrlerClerk() = default;

  virtual absl::StatusOr<shardctrler::Config> Query(int64_t num) = 0;
  virtual absl::Status Join(const shardctrler::Groups& groups) = 0;
  virtual absl::Status Leave(const std::vector<shardctrler::Gid>& gids) = 0;
  virtual absl::Status Move(int shard, shardctrler::Gid gid) = 0;
  virtual void Close() = 0;
};

// As shardkv::Clerk, call for call.
class ShardClerk {
 public:
  virtual ~ShardClerk() = default;

  virtual absl::StatusOr<std::string> Get(const std::string& key) = 0;
  virtual absl::Status Put(const std::string& key,
                           const std::string& value) = 0;
  virtual absl::Status Append(const std::string& key,
                              const std::string& value) = 0;
  virtual uint64_t revision() const = 0;
  virtual void Close() = 0;
};

std::unique_ptr<CtrlerClerk> MakeCtrlerClerk(Ends servers);
std::unique_ptr<ShardClerk> MakeShardClerk(Ends ctrlers,
                                           shardkv::MakeEnd make_end);

// Whether a Clerk knows nothing but what it was told itself: each is in a
// process of its own.
bool ShardClerksShareNothing();

// What runs on machine `me`, as shardctrler::Server is made.
Node MakeCtrler(Ends ends, raft::ServerId me,
                std::shared_ptr<persister::Persister> disk,
                rsm::Options options);

// The same, and tells of each configuration that it gets to know; a server in
// another process tells nothing.
Node MakeObservedCtrler(
    Ends ends, raft::ServerId me, std::shared_ptr<persister::Persister> disk,
    rsm::Options options,
    const std::function<void(const shardctrler::Config&)>& on_config);

// What runs on a machine, and what it knows of its group; nothing if it has
// ended, or does not say.
struct ShardNode {
  Node node;
  std::function<std::optional<shardkv::Moves>()> moves;
};

// What must hold between all servers of a test (shard_judge.h).
class ShardRules {
 public:
  using Error = std::optional<std::string>;
  virtual ~ShardRules() = default;

  // What one incarnation of a server does, in the order of rsm::Hooks; the
  // first error, in words.
  struct Hooks {
    std::function<Error(const raft::ApplyMsg&)> on_apply;
    std::function<Error(const raft::ApplyMsg&, const std::string&)> on_executed;
    std::function<Error(const base::Rope&)> on_snapshot;
    std::function<Error(const shardkv::Moves&)> on_moves;
  };
  // A server of the group, or of the controller: kNoGroup.
  virtual Hooks Watch(shardctrler::Gid gid, raft::ServerId server) = 0;

  // Judges all that clients asked for up to now: none of them is asking.
  virtual Error CheckWrites(const KvHistory::Writes& writes) = 0;
};

// Null where servers cannot be watched.
std::unique_ptr<ShardRules> MakeShardRules();

// As shardkv::Server is made. It tells of what it knows whenever that changes,
// but in another process.
using OnMoves = std::function<void(const shardkv::Moves&)>;
ShardNode MakeShardServer(Ends ends, raft::ServerId me,
                          std::shared_ptr<persister::Persister> disk,
                          shardctrler::Gid gid, Ends ctrlers,
                          shardkv::MakeEnd make_end, rsm::Options options,
                          const OnMoves& on_moves);

// ShowCommands of their log entries (observer.h); empty for those of others.
std::string ShowShardCommand(std::string_view command);
std::string ShowCtrlerCommand(std::string_view command);

}  // namespace harness

#endif  // TESTS_HARNESS_SHARD_SERVICE_H_
