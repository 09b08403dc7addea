#include "tests/harness/shard_service.h"

#include <utility>

#include "shardctrler/clerk.h"
#include "shardctrler/server.h"
#include "shardkv/clerk.h"
#include "shardkv/server.h"

// Whether both rooms are the lab's own: then they tell of what they know.
#if __has_include("shardctrler/registry.h") && __has_include("shardkv/group.h")
#define SHARDS_ARE_OURS
#include "tests/harness/shard_judge.h"
#endif

namespace harness {
namespace {

class LocalCtrlerClerk : public CtrlerClerk {
 public:
  explicit LocalCtrlerClerk(Ends servers) : clerk_(std::move(servers)) {}

  absl::StatusOr<shardctrler::Config> Query(int64_t num) override {
    return clerk_.Query(num);
  }
  absl::Status Join(const shardctrler::Groups& groups) override {
    return clerk_.Join(groups);
  }
  absl::Status Leave(const std::vector<shardctrler::Gid>& gids) override {
    return clerk_.Leave(gids);
  }
  absl::Status Move(int shard, shardctrler::Gid gid) override {
    return clerk_.Move(shard, gid);
  }
  void Close() override { clerk_.Close(); }

 private:
  shardctrler::Clerk clerk_;
};

class LocalShardClerk : public ShardClerk {
 public:
  LocalShardClerk(Ends ctrlers, shardkv::MakeEnd make_end)
      : clerk_(std::move(ctrlers), std::move(make_end)) {}

  absl::StatusOr<std::string> Get(const std::string& key) override {
    return clerk_.Get(key);
  }
  absl::Status Put(const std::string& key, const std::string& value) override {
    return clerk_.Put(key, value);
  }
  absl::Status Append(const std::string& key,
                      const std::string& value) override {
    return clerk_.Append(key, value);
  }
  uint64_t revision() const override { return clerk_.revision(); }
  void Close() override { clerk_.Close(); }

 private:
  shardkv::Clerk clerk_;
};

}  // namespace

std::unique_ptr<CtrlerClerk> MakeCtrlerClerk(Ends servers) {
  return std::make_unique<LocalCtrlerClerk>(std::move(servers));
}

std::unique_ptr<ShardClerk> MakeShardClerk(Ends ctrlers,
                                           shardkv::MakeEnd make_end) {
  return std::make_unique<LocalShardClerk>(std::move(ctrlers),
                                           std::move(make_end));
}

bool ShardClerksShareNothing() { return false; }

Node MakeCtrler(Ends ends, raft::ServerId me,
                std::shared_ptr<persister::Persister> disk,
                rsm::Options options) {
  return MakeObservedCtrler(std::move(ends), me, std::move(disk),
                            std::move(options), nullptr);
}

Node MakeObservedCtrler(
    Ends ends, raft::ServerId me, std::shared_ptr<persister::Persister> disk,
    rsm::Options options,
    const std::function<void(const shardctrler::Config&)>& on_config) {
#ifdef SHARDS_ARE_OURS
  const auto server = std::make_shared<shardctrler::Server>(
      std::move(ends), me, std::move(disk), std::move(options), on_config);
#else
  (void)on_config;
  const auto server = std::make_shared<shardctrler::Server>(
      std::move(ends), me, std::move(disk), std::move(options));
#endif
  return {.services = server->Services(),
          .kill = [server] { server->Kill(); },
          .rest = server};
}

#ifdef SHARDS_ARE_OURS
std::unique_ptr<ShardRules> MakeShardRules() {
  return std::make_unique<ShardJudge>();
}
#else
std::unique_ptr<ShardRules> MakeShardRules() { return nullptr; }
std::string ShowShardCommand(std::string_view) { return ""; }
std::string ShowCtrlerCommand(std::string_view) { return ""; }
#endif

ShardNode MakeShardServer(Ends ends, raft::ServerId me,
                          std::shared_ptr<persister::Persister> disk,
                          shardctrler::Gid gid, Ends ctrlers,
                          shardkv::MakeEnd make_end, rsm::Options options,
                          const OnMoves& on_moves) {
#ifdef SHARDS_ARE_OURS
  const auto server = std::make_shared<shardkv::Server>(
      std::move(ends), me, std::move(disk), gid, std::move(ctrlers),
      std::move(make_end), std::move(options),
      [on_moves](const shardkv::Transfers& transfers) {
        if (on_moves != nullptr) on_moves(Told(transfers));
      });
#else
  (void)on_moves;
  const auto server = std::make_shared<shardkv::Server>(
      std::move(ends), me, std::move(disk), gid, std::move(ctrlers),
      std::move(make_end), std::move(options));
#endif
  return {.node = {.services = server->Services(),
                   .kill = [server] { server->Kill(); },
                   .rest = server},
          .moves = [weak = std::weak_ptr(
                        server)]() -> std::optional<shardkv::Moves> {
            const auto open = weak.lock();
            if (open == nullptr) return std::nullopt;
            return open->moves();
          }};
}

}  // namespace harness
