// The sharded key/value service of 2025 under test, as its tests see it: in
// this process (shardkv1_service.cc), or in others (tests/isolation/).

#ifndef TESTS_HARNESS_SHARDKV1_SERVICE_H_
#define TESTS_HARNESS_SHARDKV1_SERVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persister/persister.h"
#include "raft/types.h"
#include "rsm/rsm.h"
#include "shardkv1/config.h"
#include "shardkv1/messages.h"
#include "tests/harness/server_group.h"

namespace harness {

// As shardkv1::Clerk, call for call.
class ShardKV1Clerk {
 public:
  virtual ~ShardKV1Clerk() = default;

  virtual shardkv1::Reply Get(const std::string& key) = 0;
  virtual shardkv1::Reply Put(const std::string& key, const std::string& value,
                              uint64_t version) = 0;
  virtual void Close() = 0;
};

// As shardkv1::Controller, call for call.
class ShardKV1Library {
 public:
  virtual ~ShardKV1Library() = default;

  virtual absl::Status InitConfig(const shardkv1::Config& config) = 0;
  virtual absl::Status InitController() = 0;
  virtual absl::StatusOr<shardkv1::Config> Query() = 0;
  virtual absl::Status ChangeConfigTo(const shardkv1::Config& next) = 0;
  virtual void Close() = 0;
};

std::unique_ptr<ShardKV1Clerk> MakeShardKV1Clerk(Ends store,
                                                 shardkv1::MakeEnd make_end);
std::unique_ptr<ShardKV1Library> MakeShardKV1Library(
    Ends store, shardkv1::MakeEnd make_end);

// What runs on a machine, and what it knows of its group's shards; nothing if
// it has ended, or does not say.
struct ShardKV1Node {
  Node node;
  std::function<std::optional<shardkv1::ShardStatuses>()> statuses;
};

// What runs on machine `me`, as shardkv1::Server is made.
ShardKV1Node MakeShardKV1Server(Ends ends, raft::ServerId me,
                                std::shared_ptr<persister::Persister> disk,
                                shardkv1::Gid gid, rsm::Options options);

}  // namespace harness

#endif  // TESTS_HARNESS_SHARDKV1_SERVICE_H_
