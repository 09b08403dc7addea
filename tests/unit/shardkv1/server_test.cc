// Unit tests of shardkv1/server.h: what a server tells of its shards.

#include "shardkv1/server.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "persister/simulated_disk.h"
#include "rpc/rpc.h"
#include "shardkv1/config.h"
#include "shardkv1/messages.h"

namespace shardkv1 {
namespace {

// Alone in its group.
std::unique_ptr<Server> MakeServer(Gid gid) {
  return std::make_unique<Server>(
      std::vector<std::shared_ptr<rpc::ClientEnd>>{nullptr}, /*me=*/0,
      std::make_shared<persister::SimulatedDisk>(), gid);
}

TEST(ShardKV1Server, TellsOfItsShardsAsItIsCreated) {
  for (const Gid gid : {kFirstGroup, kFirstGroup + 1}) {
    const std::unique_ptr<Server> server = MakeServer(gid);
    for (const ShardStatus& status : server->statuses()) {
      EXPECT_EQ(status.state == ShardState::kServed, gid == kFirstGroup);
      EXPECT_EQ(status.num, 0);
    }
    server->Kill();
  }
}

}  // namespace
}  // namespace shardkv1
