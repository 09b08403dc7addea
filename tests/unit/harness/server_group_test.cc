// What a group of servers offers beyond what a Raft cluster's tests use:
// partitions, clients, sizes, and several groups on one network.

#include "tests/harness/server_group.h"

#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "labrpc/network.h"
#include "tests/harness/observers.h"

namespace harness {
namespace {

using raft::ServerId;

// Answers with the group's and the server's number, as one.
constexpr rpc::Method<int, int> kName{"Echo.Name"};

// A group whose servers return their numbers, and the ends that they got.
class EchoGroup {
 public:
  explicit EchoGroup(labrpc::Network* network, int number = 0)
      : group(
            network,
            {.group = number,
             .servers = 3,
             .make_node =
                 [this](Ends its_ends, int in, ServerId me, const auto& disk) {
                   disk->Save("state", "snap");
                   ends[static_cast<size_t>(me)] = std::move(its_ends);
                   rpc::Service service("Echo");
                   service.Handle(
                       kName, [in, me](const int&) { return 10 * in + me; });
                   return Node{.services = {std::move(service)},
                               .kill = [this] { ++killed; },
                               .rest = nullptr};
                 },
             .observers = Observers({})}) {
    for (ServerId i = 0; i < group.size(); ++i) group.Start(i);
    for (ServerId i = 0; i < group.size(); ++i) group.Connect(i);
  }

  bool Reaches(ServerId from, ServerId to) {
    return ends[static_cast<size_t>(from)][static_cast<size_t>(to)]
        ->Call(kName, 0)
        .has_value();
  }

  std::vector<Ends> ends{3};
  int killed = 0;
  ServerGroup group;
};

TEST(ServerGroup, PartsMayOverlap) {
  labrpc::Network network;
  EchoGroup servers(&network);
  servers.group.Partition({{0, 1}, {1, 2}});
  EXPECT_TRUE(servers.Reaches(0, 1));
  EXPECT_TRUE(servers.Reaches(2, 1));
  EXPECT_FALSE(servers.Reaches(0, 2));
  EXPECT_FALSE(servers.Reaches(2, 0));

  // A server that connects stays within its parts.
  servers.group.Disconnect(1);
  EXPECT_FALSE(servers.Reaches(0, 1));
  servers.group.Connect(1);
  EXPECT_TRUE(servers.Reaches(0, 1));
  EXPECT_FALSE(servers.Reaches(0, 2));

  servers.group.Partition({});
  EXPECT_TRUE(servers.Reaches(0, 2));
}

TEST(ServerGroup, ClientsReachTheServersTheyAreConnectedTo) {
  labrpc::Network network;
  EchoGroup servers(&network);
  const Ends client = servers.group.MakeClientEnds(/*client=*/1);
  EXPECT_EQ(client[0]->Call(kName, 0), std::nullopt);
  servers.group.ConnectClient(1, {1, 2});
  EXPECT_EQ(client[0]->Call(kName, 0), std::nullopt);
  EXPECT_EQ(client[2]->Call(kName, 0), 2);
  EXPECT_EQ(servers.group.RpcCount(2), 1);
  servers.group.ConnectClient(1, {0});
  EXPECT_EQ(client[0]->Call(kName, 0), 0);
  EXPECT_EQ(client[2]->Call(kName, 0), std::nullopt);
}

TEST(ServerGroup, GroupsShareANetwork) {
  labrpc::Network network;
  EchoGroup one(&network, 1);
  EchoGroup two(&network, 2);
  EXPECT_EQ(one.ends[0][1]->Call(kName, 0), 11);
  EXPECT_EQ(two.ends[0][1]->Call(kName, 0), 21);
  one.group.Crash(1);
  EXPECT_EQ(one.ends[0][1]->Call(kName, 0), std::nullopt);
  EXPECT_EQ(two.ends[0][1]->Call(kName, 0), 21);
}

TEST(ServerGroup, CountsIncarnationsAndBytes) {
  labrpc::Network network;
  EchoGroup servers(&network);
  EXPECT_EQ(servers.group.StateSize(0), 5U);
  EXPECT_EQ(servers.group.SnapshotSize(0), 4U);
  EXPECT_EQ(servers.group.Incarnation(0), 1);
  servers.group.Start(0);
  EXPECT_EQ(servers.killed, 1);
  EXPECT_EQ(servers.group.Incarnation(0), 2);
  EXPECT_FALSE(servers.group.IsConnected(0));

  servers.group.Kill();
  EXPECT_EQ(servers.killed, 4);
  servers.group.Kill();
  servers.group.Release();
  EXPECT_EQ(servers.killed, 4);
  EXPECT_FALSE(servers.group.IsUp(0));
}

}  // namespace
}  // namespace harness
