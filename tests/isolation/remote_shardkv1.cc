// The sharded key/value service of 2025 for tests in which it runs in other
// processes: each server, each Clerk and each controller has one of its own, so
// that they share nothing but what goes over the tests' network.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/logging.h"
#include "shardkv1/config.h"
#include "shardkv1/messages.h"
#include "tests/harness/shardkv1_service.h"
#include "tests/isolation/remote_service.h"
#include "tests/isolation/service_wire.h"
#include "tests/isolation/shardkv1_wire.h"
#include "tests/isolation/wire.h"

namespace isolation {
namespace {

using What = MakeArgs::What;

class RemoteShardKV1Clerk : public harness::ShardKV1Clerk {
 public:
  RemoteShardKV1Clerk(Ends store, shardkv1::MakeEnd make_end)
      : clerk_(What::kShardKV1Clerk, std::move(store), std::move(make_end)) {}

  shardkv1::Reply Get(const std::string& key) override {
    return Ask({.method = ClerkCall::Method::kGetVersioned, .key = key});
  }
  shardkv1::Reply Put(const std::string& key, const std::string& value,
                      uint64_t version) override {
    return Ask({ClerkCall::Method::kPutVersioned, key, value, version});
  }
  void Close() override { clerk_.Close(); }

 private:
  shardkv1::Reply Ask(const ClerkCall& call) const {
    auto reply = clerk_.Ask<shardkv1::Reply>(call);
    CHECK(reply.err <= shardkv1::Err::kClosed)
        << "the process under test: a Clerk returns no Err";
    // What it says of the order, nothing here could compare with it.
    reply.revision = 0;
    return reply;
  }

  const RemoteClerk clerk_;
};

class RemoteShardKV1Library : public harness::ShardKV1Library {
 public:
  RemoteShardKV1Library(Ends store, shardkv1::MakeEnd make_end)
      : library_(What::kShardKV1Library, std::move(store),
                 std::move(make_end)) {}

  absl::Status InitConfig(const shardkv1::Config& config) override {
    return Ask({LibraryCall::Method::kInitConfig, config}).status();
  }
  absl::Status InitController() override {
    return Ask({.method = LibraryCall::Method::kInitController}).status();
  }
  absl::StatusOr<shardkv1::Config> Query() override {
    return Ask({.method = LibraryCall::Method::kQuery});
  }
  absl::Status ChangeConfigTo(const shardkv1::Config& next) override {
    return Ask({LibraryCall::Method::kChangeConfigTo, next}).status();
  }
  void Close() override { library_.Close(); }

 private:
  absl::StatusOr<shardkv1::Config> Ask(const LibraryCall& call) const {
    auto answer = library_.Ask<LibraryAnswer>(call);
    if (answer.failed) return absl::UnknownError(answer.error);
    return std::move(answer.config);
  }

  const RemoteClerk library_;
};

}  // namespace
}  // namespace isolation

namespace harness {

std::unique_ptr<ShardKV1Clerk> MakeShardKV1Clerk(Ends store,
                                                 shardkv1::MakeEnd make_end) {
  return std::make_unique<isolation::RemoteShardKV1Clerk>(std::move(store),
                                                          std::move(make_end));
}

std::unique_ptr<ShardKV1Library> MakeShardKV1Library(
    Ends store, shardkv1::MakeEnd make_end) {
  return std::make_unique<isolation::RemoteShardKV1Library>(
      std::move(store), std::move(make_end));
}

ShardKV1Node MakeShardKV1Server(Ends ends, raft::ServerId me,
                                std::shared_ptr<persister::Persister> disk,
                                shardkv1::Gid gid, rsm::Options options) {
  const isolation::RemoteServer server(
      {.what = isolation::What::kShardKV1Server, .me = me, .gid = gid},
      std::move(ends), std::move(disk), std::move(options));
  return {.node = isolation::NodeOf(server), .statuses = nullptr};
}

}  // namespace harness
