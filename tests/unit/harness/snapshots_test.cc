// The services of a cluster that take snapshots, with Rafts that do what the
// test says.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/harness/raft_cluster.h"
#include "tests/harness/service_snapshot.h"
#include "tests/unit/harness/failures.h"
#include "tests/unit/harness/fake_raft.h"

namespace harness {
namespace {

using raft::Index;
using raft::ServerId;

// The bytes of the commands 100, 101, ... up to that index.
base::Rope SnapshotOf(Index last) {
  base::Rope bytes;
  for (Index index = 1; index <= last; ++index) {
    bytes.Append(EncodeCommand(static_cast<int64_t>(99 + index)));
  }
  return bytes;
}

// A cluster of fakes, of which S0 delivers; its services take the course's
// snapshots.
class ServiceSnapshots : public testing::Test {
 protected:
  ServiceSnapshots() : cluster_(/*servers=*/2, Options()) {}

  RaftClusterOptions Options() {
    RaftClusterOptions options = rafts_.Options();
    options.snapshot_at = EveryTenthIndex;
    return options;
  }

  // S0 delivers from index `first` to `last`.
  void Deliver(Index first, Index last) {
    for (Index index = first; index <= last; ++index) {
      EXPECT_TRUE(rafts_[0]->Deliver(index, static_cast<int64_t>(99 + index)));
    }
  }

  // What a check says when S0 has done that.
  template <typename Deed>
  std::vector<std::string> FailuresAfter(Deed deed) {
    deed();
    cluster_.CrashServer(0);  // waits for the reader
    return FailuresOf([this] { cluster_.CheckTerms(); }).messages;
  }

  FakeRafts rafts_;
  RaftCluster cluster_;
};

using Messages = std::vector<std::string>;

TEST_F(ServiceSnapshots, EveryTenthIndexHasAllCommandsUpToThere) {
  std::map<Index, base::Rope> taken;
  const Messages messages = FailuresAfter([&] {
    Deliver(1, 20);
    const std::shared_ptr<FakeRaft> raft = rafts_.Of(0);
    EXPECT_TRUE(raft->Deliver(21, 120));  // so index 20 is done
    taken = raft->snapshots();
  });
  EXPECT_TRUE(messages.empty());
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[9], SnapshotOf(9));
  EXPECT_EQ(taken[19], SnapshotOf(19));
}

TEST_F(ServiceSnapshots, AServiceGoesOnFromADeliveredSnapshot) {
  const Messages messages = FailuresAfter([&] {
    ASSERT_TRUE(rafts_[0]->DeliverSnapshot(28, SnapshotOf(28)));
    Deliver(29, 30);
    EXPECT_EQ(rafts_[0]->snapshots()[29], SnapshotOf(29));
  });
  EXPECT_TRUE(messages.empty());
  EXPECT_EQ(cluster_.CommittedAt(5).servers, 1);
  EXPECT_EQ(cluster_.CommittedAt(30).servers, 1);
}

TEST_F(ServiceSnapshots, AnIndexThatIsNotTheNextIsWrong) {
  EXPECT_EQ(FailuresAfter([&] {
              Deliver(1, 2);
              Deliver(2, 2);
            }),
            Messages{"apply error: server 0 apply out of order, expected index "
                     "3, got 2"});
}

TEST_F(ServiceSnapshots, AfterASnapshotItsNextIndexComes) {
  EXPECT_EQ(FailuresAfter([&] {
              Deliver(1, 3);
              rafts_[0]->DeliverSnapshot(2, SnapshotOf(2));
              Deliver(4, 4);
            }),
            Messages{"apply error: server 0 apply out of order, expected index "
                     "3, got 4"});
}

TEST_F(ServiceSnapshots, ASnapshotOfAnotherIndexIsWrong) {
  EXPECT_EQ(
      FailuresAfter([&] { rafts_[0]->DeliverSnapshot(3, SnapshotOf(2)); }),
      Messages{"apply error: server 0 snapshot doesn't match m.SnapshotIndex"});
}

TEST_F(ServiceSnapshots, ASnapshotOfNothingIsWrong) {
  EXPECT_EQ(FailuresAfter([&] { rafts_[0]->DeliverSnapshot(3, {}); }),
            Messages{"nil snapshot"});
}

TEST_F(ServiceSnapshots, ASnapshotOfOtherBytesIsWrong) {
  EXPECT_EQ(FailuresAfter([&] { rafts_[0]->DeliverSnapshot(3, "abc"); }),
            Messages{"snapshot decode error"});
}

TEST_F(ServiceSnapshots, ASnapshotOfOtherCommandsIsWrong) {
  ASSERT_TRUE(rafts_[1]->Deliver(1, 7));
  cluster_.CrashServer(1);
  EXPECT_EQ(
      FailuresAfter([&] { rafts_[0]->DeliverSnapshot(1, SnapshotOf(1)); }),
      Messages{"apply error: commit index=1 server=0 100 != server=1 7"});
}

// Its Raft may go on after the snapshot, or deliver it first.
TEST_F(ServiceSnapshots, ARestartedServiceBeginsWithItsSnapshot) {
  Deliver(1, 12);
  rafts_[0]->disk->Save("state", SnapshotOf(9));
  cluster_.StartServer(0);
  Deliver(10, 10);

  cluster_.StartServer(0);
  EXPECT_EQ(cluster_.CommittedAt(9).servers, 1);
  EXPECT_EQ(cluster_.CommittedAt(10).servers, 0);
  ASSERT_TRUE(rafts_[0]->DeliverSnapshot(9, SnapshotOf(9)));
  EXPECT_TRUE(FailuresAfter([&] { Deliver(10, 12); }).empty());
  EXPECT_EQ(cluster_.CommittedAt(12).servers, 1);
}

TEST_F(ServiceSnapshots, ARestartedServiceWithoutOneBeginsAtTheFirstIndex) {
  Deliver(1, 3);
  cluster_.StartServer(0);
  EXPECT_EQ(FailuresAfter([&] {
              Deliver(1, 2);
              Deliver(4, 4);
            }),
            Messages{"apply error: server 0 apply out of order, expected index "
                     "3, got 4"});
}

TEST_F(ServiceSnapshots, TheLargestDiskCounts) {
  rafts_[0]->disk->Save("state", "snap");
  rafts_[1]->disk->Save("", "snapshot");
  EXPECT_EQ(cluster_.LogSize(), 5u);
  EXPECT_EQ(cluster_.SnapshotSize(), 8u);
  cluster_.CrashServer(0);  // its disk counts still
  EXPECT_EQ(cluster_.LogSize(), 5u);
}

TEST_F(ServiceSnapshots, ADisksSnapshotSaysHowFarItGoes) {
  EXPECT_EQ(cluster_.SnapshotIndexOnDisk(0), 0u);
  rafts_[0]->disk->Save("state", SnapshotOf(9));
  EXPECT_EQ(cluster_.SnapshotIndexOnDisk(0), 9u);
  EXPECT_EQ(cluster_.SnapshotIndexOnDisk(1), 0u);
}

TEST(ServiceSnapshot, ComesBackFromItsBytes) {
  for (const size_t padding : {size_t{0}, size_t{1000}}) {
    const base::Rope snapshot = MakeServiceSnapshot(SnapshotOf(9), 9, padding);
    EXPECT_EQ(snapshot.size(), SnapshotOf(9).size() + padding);
    const auto commands = ReadServiceSnapshot(snapshot, padding);
    ASSERT_TRUE(commands.ok()) << commands.status();
    EXPECT_EQ(commands->size(), 9u);
  }
}

TEST(ServiceSnapshot, PartsOfTwoMakeNone) {
  const std::string one =
      MakeServiceSnapshot(SnapshotOf(9), 9, 1000).ToString();
  const std::string other =
      MakeServiceSnapshot(SnapshotOf(9), 8, 1000).ToString();
  for (const size_t begin : {size_t{81}, size_t{500}, one.size() - 8}) {
    EXPECT_FALSE(
        ReadServiceSnapshot(one.substr(0, begin) + other.substr(begin), 1000)
            .ok());
  }
  EXPECT_FALSE(ReadServiceSnapshot("abc", 1000).ok());
}

TEST(Cluster, TakesLargeSnapshotsIfAsked) {
  FakeRafts rafts;
  RaftClusterOptions options = rafts.Options();
  options.snapshot_at = EveryTenthIndex;
  options.snapshot_padding = 1000;
  RaftCluster cluster(/*servers=*/1, std::move(options));
  const base::Rope snapshot = MakeServiceSnapshot(SnapshotOf(8), 8, 1000);
  ASSERT_TRUE(rafts[0]->DeliverSnapshot(8, snapshot));
  for (const Index index : {9, 10}) {
    ASSERT_TRUE(rafts[0]->Deliver(index, static_cast<int64_t>(99 + index)));
  }
  EXPECT_EQ(rafts[0]->snapshots()[9],
            MakeServiceSnapshot(SnapshotOf(9), 9, 1000));
  rafts[0]->disk->Save("state", snapshot);
  EXPECT_EQ(cluster.SnapshotIndexOnDisk(0), 8u);
}

// A cluster without snapshots passes over them, as the course's.
TEST(Cluster, TakesNoSnapshotUnlessAsked) {
  FakeRafts rafts;
  RaftCluster cluster(/*servers=*/1, rafts.Options());
  ASSERT_TRUE(rafts[0]->DeliverSnapshot(5, "abc"));
  for (Index index = 1; index <= 10; ++index) {
    ASSERT_TRUE(rafts[0]->Deliver(index, 7));
  }
  EXPECT_TRUE(rafts[0]->snapshots().empty());
  cluster.CrashServer(0);
  EXPECT_EQ(cluster.CommittedAt(10).servers, 1);
}

}  // namespace
}  // namespace harness
