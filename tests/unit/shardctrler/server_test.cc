// Unit tests of shardctrler/server.h: a server that ends.

#include "shardctrler/server.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "persister/simulated_disk.h"
#include "rpc/codec.h"
#include "rpc/dispatcher.h"
#include "rpc/rpc.h"
#include "rsm/rsm.h"
#include "shardctrler/messages.h"
#include "tests/unit/rsm/rsm_fixture.h"

namespace shardctrler {
namespace {

// The services outlive the server; a query that waits there is not forgotten.
TEST(ShardCtrlerServer, KillFailsQueriesThatWait) {
  rsm::Options options;
  options.make_raft = [](auto, raft::ServerId, auto, auto applied,
                         const raft::Options&) {
    return std::make_shared<rsm::FakeRaft>(std::move(applied));
  };
  Server server(std::vector<std::shared_ptr<rpc::ClientEnd>>(1), /*me=*/0,
                std::make_shared<persister::SimulatedDisk>(),
                std::move(options));
  rpc::Dispatcher dispatcher;
  for (rpc::Service& service : server.Services()) {
    dispatcher.Add(std::move(service));
  }
  std::vector<std::optional<std::string>> given;
  const auto query = [&] {
    const auto reply = dispatcher.Dispatch(
        kQuery.name, rpc::Encode(QueryArgs{.num = 1, .wait = true}),
        [&given]() -> rpc::RespondBytes {
          return [&given](std::optional<std::string> bytes) {
            given.push_back(std::move(bytes));
          };
        });
    EXPECT_TRUE(reply.ok()) << reply.status();
  };
  query();
  EXPECT_TRUE(given.empty());
  server.Kill();
  EXPECT_EQ(given, std::vector<std::optional<std::string>>(1));
  query();
  EXPECT_EQ(given, std::vector<std::optional<std::string>>(2));
}

}  // namespace
}  // namespace shardctrler
