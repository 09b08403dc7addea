// The shard controller and the sharded service for tests in which they run in
// other processes: each server and each Clerk has one of its own, so that they
// share nothing but what goes over the tests' network.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/harness/shard_service.h"
#include "tests/isolation/remote_service.h"
#include "tests/isolation/service_wire.h"
#include "tests/isolation/sharded_wire.h"
#include "tests/isolation/wire.h"

namespace isolation {
namespace {

using What = MakeArgs::What;

template <typename Answer>
absl::Status StatusOf(const Answer& answer) {
  return answer.failed ? absl::UnknownError(answer.error) : absl::OkStatus();
}

class RemoteCtrlerClerk : public harness::CtrlerClerk {
 public:
  explicit RemoteCtrlerClerk(Ends servers)
      : clerk_(What::kCtrlerClerk, std::move(servers)) {}

  absl::StatusOr<shardctrler::Config> Query(int64_t num) override {
    auto answer = Ask({.method = CtrlerCall::Method::kQuery, .num = num});
    if (answer.failed) return StatusOf(answer);
    return std::move(answer.config);
  }
  absl::Status Join(const shardctrler::Groups& groups) override {
    return StatusOf(
        Ask({.method = CtrlerCall::Method::kJoin, .groups = groups}));
  }
  absl::Status Leave(const std::vector<shardctrler::Gid>& gids) override {
    return StatusOf(Ask({.method = CtrlerCall::Method::kLeave, .gids = gids}));
  }
  absl::Status Move(int shard, shardctrler::Gid gid) override {
    return StatusOf(
        Ask({.method = CtrlerCall::Method::kMove, .shard = shard, .gid = gid}));
  }
  void Close() override { clerk_.Close(); }

 private:
  CtrlerAnswer Ask(const CtrlerCall& call) const {
    return clerk_.Ask<CtrlerAnswer>(call);
  }

  const RemoteClerk clerk_;
};

class RemoteShardClerk : public harness::ShardClerk {
 public:
  RemoteShardClerk(Ends ctrlers, shardkv::MakeEnd make_end)
      : clerk_(What::kShardClerk, std::move(ctrlers), std::move(make_end)) {}

  absl::StatusOr<std::string> Get(const std::string& key) override {
    auto answer = clerk_.Ask<ClerkAnswer>(
        ClerkCall{.method = ClerkCall::Method::kGet, .key = key});
    if (answer.failed) return StatusOf(answer);
    return std::move(answer.value);
  }
  absl::Status Put(const std::string& key, const std::string& value) override {
    return StatusOf(clerk_.Ask<ClerkAnswer>(
        ClerkCall{ClerkCall::Method::kPut, key, value}));
  }
  absl::Status Append(const std::string& key,
                      const std::string& value) override {
    return StatusOf(clerk_.Ask<ClerkAnswer>(
        ClerkCall{ClerkCall::Method::kAppend, key, value}));
  }

  // What it says of the order, nothing here could compare with it.
  uint64_t revision() const override { return 0; }
  void Close() override { clerk_.Close(); }

 private:
  const RemoteClerk clerk_;
};

}  // namespace
}  // namespace isolation

namespace harness {

using isolation::RemoteServer;
using isolation::What;

std::unique_ptr<CtrlerClerk> MakeCtrlerClerk(Ends servers) {
  return std::make_unique<isolation::RemoteCtrlerClerk>(std::move(servers));
}

std::unique_ptr<ShardClerk> MakeShardClerk(Ends ctrlers,
                                           shardkv::MakeEnd make_end) {
  return std::make_unique<isolation::RemoteShardClerk>(std::move(ctrlers),
                                                       std::move(make_end));
}

bool ShardClerksShareNothing() { return true; }

Node MakeCtrler(Ends ends, raft::ServerId me,
                std::shared_ptr<persister::Persister> disk,
                rsm::Options options) {
  return isolation::NodeOf(RemoteServer({.what = What::kCtrler, .me = me},
                                        std::move(ends), std::move(disk),
                                        std::move(options)));
}

Node MakeObservedCtrler(
    Ends ends, raft::ServerId me, std::shared_ptr<persister::Persister> disk,
    rsm::Options options,
    const std::function<void(const shardctrler::Config&)>& /*on_config*/) {
  return MakeCtrler(std::move(ends), me, std::move(disk), std::move(options));
}

std::string ShowShardCommand(std::string_view) { return ""; }
std::string ShowCtrlerCommand(std::string_view) { return ""; }

std::unique_ptr<ShardRules> MakeShardRules() { return nullptr; }

ShardNode MakeShardServer(Ends ends, raft::ServerId me,
                          std::shared_ptr<persister::Persister> disk,
                          shardctrler::Gid gid, Ends ctrlers,
                          shardkv::MakeEnd make_end, rsm::Options options,
                          const OnMoves& /*on_moves*/) {
  const auto count = static_cast<int32_t>(ctrlers.size());
  ends.insert(ends.end(), ctrlers.begin(), ctrlers.end());
  return {
      .node = isolation::NodeOf(RemoteServer(
          {.what = What::kShardServer, .me = me, .gid = gid, .ctrlers = count},
          std::move(ends), std::move(disk), std::move(options),
          std::move(make_end))),
      .moves = nullptr};
}

}  // namespace harness
