#include "tests/harness/shardkv1_service.h"

#include <utility>

#include "shardkv1/clerk.h"
#include "shardkv1/controller.h"
#include "shardkv1/server.h"

namespace harness {
namespace {

using shardkv1::Config;

class LocalShardKV1Clerk : public ShardKV1Clerk {
 public:
  LocalShardKV1Clerk(Ends store, shardkv1::MakeEnd make_end)
      : clerk_(std::move(store), std::move(make_end)) {}

  shardkv1::Reply Get(const std::string& key) override {
    return clerk_.Get(key);
  }
  shardkv1::Reply Put(const std::string& key, const std::string& value,
                      uint64_t version) override {
    return clerk_.Put(key, value, version);
  }
  void Close() override { clerk_.Close(); }

 private:
  shardkv1::Clerk clerk_;
};

class LocalShardKV1Library : public ShardKV1Library {
 public:
  LocalShardKV1Library(Ends store, shardkv1::MakeEnd make_end)
      : controller_(std::move(store), std::move(make_end)) {}

  absl::Status InitConfig(const Config& config) override {
    return controller_.InitConfig(config);
  }
  absl::Status InitController() override {
    return controller_.InitController();
  }
  absl::StatusOr<Config> Query() override { return controller_.Query(); }
  absl::Status ChangeConfigTo(const Config& next) override {
    return controller_.ChangeConfigTo(next);
  }
  void Close() override { controller_.Close(); }

 private:
  shardkv1::Controller controller_;
};

}  // namespace

std::unique_ptr<ShardKV1Clerk> MakeShardKV1Clerk(Ends store,
                                                 shardkv1::MakeEnd make_end) {
  return std::make_unique<LocalShardKV1Clerk>(std::move(store),
                                              std::move(make_end));
}

std::unique_ptr<ShardKV1Library> MakeShardKV1Library(
    Ends store, shardkv1::MakeEnd make_end) {
  return std::make_unique<LocalShardKV1Library>(std::move(store),
                                                std::move(make_end));
}

ShardKV1Node MakeShardKV1Server(Ends ends, raft::ServerId me,
                                std::shared_ptr<persister::Persister> disk,
                                shardkv1::Gid gid, rsm::Options options) {
  const auto server = std::make_shared<shardkv1::Server>(
      std::move(ends), me, std::move(disk), gid, std::move(options));
  return {.node = {.services = server->Services(),
                   .kill = [server] { server->Kill(); },
                   .rest = server},
          .statuses = [weak = std::weak_ptr(server)]()
              -> std::optional<shardkv1::ShardStatuses> {
            const auto open = weak.lock();
            if (open == nullptr) return std::nullopt;
            return open->statuses();
          }};
}

}  // namespace harness
