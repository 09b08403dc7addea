// The servers of a cluster: links, crashes, disks, readers, and the end of all,
// with Rafts that do what the test says.

#include "tests/harness/raft_cluster.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/oracle/oracle.h"
#include "tests/unit/harness/failures.h"
#include "tests/unit/harness/fake_raft.h"

namespace harness {
namespace {

using raft::ServerId;

// Finds out which links of a cluster work.
class LinkProbe {
 public:
  LinkProbe(RaftCluster* cluster, FakeRafts* rafts)
      : cluster_(cluster), rafts_(rafts) {}

  // Of all pairs (from, to), from != to, those in `expected` can talk, and no
  // others. A call that cannot arrive comes back only after seconds, so this
  // looks at which server was called; one that wrongly arrives late fails the
  // next look.
  void Expect(const std::set<std::pair<ServerId, ServerId>>& expected) {
    for (ServerId from = 0; from < cluster_->size(); ++from) {
      for (ServerId to = 0; to < cluster_->size(); ++to) {
        if (from == to || expected.contains({from, to})) continue;
        End(from, to)->CallAsync(kPing, from, [](std::optional<ServerId>) {});
      }
    }
    for (const auto& [from, to] : expected) {
      EXPECT_EQ(End(from, to)->Call(kPing, from), to);
      ++arrived_[to];
    }
    for (ServerId i = 0; i < cluster_->size(); ++i) {
      EXPECT_EQ(cluster_->RpcCount(i), arrived_[i]) << "server " << i;
    }
  }

  // Each incarnation of a server counts from 0.
  void Restarted(ServerId server) { arrived_[server] = 0; }

 private:
  rpc::ClientEnd* End(ServerId from, ServerId to) {
    return (*rafts_)[from]->ends[static_cast<size_t>(to)].get();
  }

  RaftCluster* const cluster_;
  FakeRafts* const rafts_;
  std::map<ServerId, int64_t> arrived_;  // calls at each server
};

TEST(Cluster, ConnectsThoseThatAreConnected) {
  FakeRafts rafts;
  RaftCluster cluster(/*servers=*/3, rafts.Options());
  LinkProbe links(&cluster, &rafts);
  links.Expect({{0, 1}, {1, 0}, {0, 2}, {2, 0}, {1, 2}, {2, 1}});

  cluster.Disconnect(1);
  cluster.Disconnect(1);
  EXPECT_FALSE(cluster.IsConnected(1));
  links.Expect({{0, 2}, {2, 0}});

  cluster.Disconnect(2);
  links.Expect({});

  // Only the links to those that are connected come back.
  cluster.Connect(1);
  cluster.Connect(1);
  links.Expect({{0, 1}, {1, 0}});
}

TEST(Cluster, StartsServersDisconnectedAndWithNewEnds) {
  FakeRafts rafts;
  RaftCluster cluster(/*servers=*/2, rafts.Options());
  LinkProbe links(&cluster, &rafts);
  links.Expect({{0, 1}, {1, 0}});
  const std::shared_ptr<FakeRaft> old = rafts.Of(0);

  cluster.StartServer(0);
  cluster.StartServer(1);
  for (const ServerId i : {0, 1}) links.Restarted(i);
  EXPECT_FALSE(cluster.IsConnected(0));
  links.Expect({});

  // The ends of the old incarnation stay disabled.
  cluster.Connect(0);
  cluster.Connect(1);
  old->ends[1]->CallAsync(kPing, 0, [](std::optional<ServerId>) {});
  links.Expect({{0, 1}, {1, 0}});
}

TEST(Cluster, RestartsAServerConnected) {
  FakeRafts rafts;
  RaftCluster cluster(/*servers=*/2, rafts.Options());
  LinkProbe links(&cluster, &rafts);
  const std::shared_ptr<FakeRaft> old = rafts.Of(0);
  cluster.Restart(0);
  EXPECT_TRUE(old->killed());
  links.Expect({{0, 1}, {1, 0}});
}

TEST(Cluster, ACrashKeepsWhatWasSavedBefore) {
  FakeRafts rafts;
  RaftCluster cluster(/*servers=*/2, rafts.Options());
  const std::shared_ptr<FakeRaft> old = rafts.Of(0);
  old->disk->Save("state", "snapshot");
  old->WhenKilled([old = old.get()] { old->disk->Save("too late", "too"); });

  cluster.CrashServer(0);
  old->disk->SaveRaftState("later still");
  EXPECT_FALSE(cluster.IsUp(0));
  EXPECT_TRUE(cluster.IsUp(1));
  EXPECT_FALSE(cluster.Start(0, 1).is_leader);
  EXPECT_EQ(cluster.GetState(0).term, 0u);
  cluster.CrashServer(0);  // no effect

  cluster.StartServer(0);
  EXPECT_TRUE(cluster.IsUp(0));
  EXPECT_EQ(rafts[0]->disk->ReadRaftState(), base::Rope("state"));
  EXPECT_EQ(rafts[0]->disk->ReadSnapshot(), base::Rope("snapshot"));

  // A restart of a server that is up crashes it first.
  rafts[0]->disk->SaveRaftState("newer");
  const std::shared_ptr<FakeRaft> second = rafts.Of(0);
  cluster.StartServer(0);
  EXPECT_TRUE(second->killed());
  second->disk->SaveRaftState("late");
  EXPECT_EQ(rafts[0]->disk->ReadRaftState(), base::Rope("newer"));
}

TEST(Cluster, RemembersWhatWasAppliedBeforeACrash) {
  FakeRafts rafts;
  RaftCluster cluster(/*servers=*/2, rafts.Options());
  ASSERT_TRUE(rafts[0]->Deliver(1, 100));
  cluster.CrashServer(0);
  EXPECT_EQ(cluster.CommittedAt(1).servers, 1);

  cluster.StartServer(0);
  ASSERT_TRUE(rafts[0]->Deliver(1, 100));  // once more
  ASSERT_TRUE(rafts[0]->Deliver(2, 200));
  cluster.CrashServer(0);  // waits for the reader
  EXPECT_EQ(cluster.CommittedAt(1).servers, 1);
  EXPECT_EQ(cluster.CommittedAt(2).command, Command(200));
}

// The reader takes messages until Kill() has returned.
TEST(Cluster, AnInstanceMayDeliverWhileItIsKilled) {
  FakeRafts rafts;
  RaftCluster cluster(/*servers=*/1, rafts.Options());
  FakeRaft* const dying = rafts[0];
  dying->WhenKilled([dying] { EXPECT_TRUE(dying->Deliver(1, 100)); });
  cluster.CrashServer(0);
  EXPECT_EQ(cluster.CommittedAt(1).servers, 1);
}

// Another thread of it goes on to deliver after Kill().
TEST(Cluster, AnInstanceThatIsNotQuiteDeadIsNotHeard) {
  FakeRafts rafts;
  RaftCluster cluster(/*servers=*/1, rafts.Options());
  const std::shared_ptr<FakeRaft> dead = rafts.Of(0);
  cluster.CrashServer(0);
  EXPECT_FALSE(dead->Deliver(1, 100));
  EXPECT_EQ(cluster.CommittedAt(1).servers, 0);
}

TEST(Cluster, LetsADeadInstanceGo) {
  FakeRafts rafts;
  RaftCluster cluster(/*servers=*/2, rafts.Options());
  cluster.CrashServer(0);
  EXPECT_EQ(rafts.Of(0), nullptr);
}

TEST(Cluster, KeepsADeadInstanceIfAsked) {
  FakeRafts rafts;
  {
    RaftClusterOptions options = rafts.Options();
    options.keep_killed = true;
    RaftCluster cluster(/*servers=*/2, std::move(options));
    cluster.CrashServer(0);
    ASSERT_NE(rafts.Of(0), nullptr);
    EXPECT_TRUE(rafts[0]->killed());
  }
  EXPECT_EQ(rafts.Of(0), nullptr);
}

TEST(Cluster, EndsEverythingWhenATestFails) {
  FakeRafts rafts;
  std::vector<std::shared_ptr<FakeRaft>> all;
  const Failures failures = FailuresOf([&] {
    RaftCluster cluster(/*servers=*/3, rafts.Options());
    for (ServerId i = 0; i < 3; ++i) all.push_back(rafts.Of(i));
    Fail(Kind::kSafety, "the test fails");
  });
  EXPECT_EQ(failures.messages, std::vector<std::string>{"the test fails"});
  for (const std::shared_ptr<FakeRaft>& one : all) {
    EXPECT_TRUE(one->killed());
    EXPECT_FALSE(one->Deliver(1, 100));  // its reader has ended
    EXPECT_EQ(one->ends[0]->Call(kPing, 0), std::nullopt);  // at once
  }
}

TEST(Cluster, PrintsTitleAndPassedLine) {
  FakeRafts rafts;
  RaftCluster cluster(/*servers=*/2, rafts.Options());
  rafts[0]->ends[1]->Call(kPing, 0);  // before Begin(): not counted
  testing::internal::CaptureStdout();
  cluster.Begin("Test (2A): a title");
  EXPECT_EQ(rafts[0]->ends[1]->Call(kPing, 0), 1);
  ASSERT_TRUE(rafts[0]->Deliver(1, 100));
  cluster.CrashServer(0);  // waits for the reader
  cluster.End();
  std::string printed = testing::internal::GetCapturedStdout();
  const size_t seconds = printed.find("--   ");
  ASSERT_NE(seconds, std::string::npos) << printed;
  printed.replace(seconds + 5, 3, "(T)");  // that of a busy machine is not 0.0
  // One call: four bytes there, four back.
  EXPECT_EQ(printed,
            "Test (2A): a title ...\n"
            "  ... Passed --   (T)  2    1       8    1\n");
}

TEST(Cluster, ATestMayTake120Seconds) {
  FakeRafts rafts;
  const RaftClusterOptions options = rafts.Options(/*hurry=*/1000);
  const Failures failures = FailuresOf([&] {
    RaftCluster cluster(/*servers=*/1, options);
    std::this_thread::sleep_for(std::chrono::milliseconds(121));
    cluster.End();
  });
  EXPECT_EQ(failures.messages,
            std::vector<std::string>{"test took longer than 120 seconds"});
  EXPECT_TRUE(failures.ended);
}

TEST(Cluster, ATestThatNeverEndsHasItsTimeCheckedToo) {
  FakeRafts rafts;
  const RaftClusterOptions options = rafts.Options(/*hurry=*/1000);
  const Failures failures = FailuresOf([&] {
    RaftCluster cluster(/*servers=*/1, options);
    std::this_thread::sleep_for(std::chrono::milliseconds(121));
  });
  EXPECT_EQ(failures.messages,
            std::vector<std::string>{"test took longer than 120 seconds"});
  EXPECT_FALSE(failures.ended);
}

Observers::List OnlyAnOracle(int /*group*/, int servers,
                             const OnError& on_error) {
  oracle::Oracle::Options options;
  options.on_violation = [on_error](const oracle::Violation& violation) {
    on_error({.message = violation.ToString(), .by_oracle = true});
  };
  return {std::make_shared<oracle::Oracle>(servers, std::move(options))};
}

// An instance that says what no Raft says.
TEST(ClusterOracle, AViolationEndsTheTestAtTheNextCheck) {
  FakeRafts rafts;
  RaftClusterOptions options = rafts.Options();
  options.make_observers = OnlyAnOracle;
  const Failures failures = FailuresOf([&] {
    RaftCluster cluster(/*servers=*/3, options);
    rafts[1]->Believe({/*term=*/2, /*is_leader=*/true});
    cluster.GetState(1);
    cluster.CheckTerms();
    ADD_FAILURE() << "the check above should have ended this";
  });
  EXPECT_TRUE(failures.ended);
  ASSERT_EQ(failures.messages.size(), 1u);
  EXPECT_TRUE(failures.messages[0].starts_with("oracle: "))
      << failures.messages[0];
}

// What costs too much ends no test, and is told of when it has passed.
TEST(ClusterOracle, AnExpenseIsReportedAtTheEndOnce) {
  FakeRafts rafts;
  RaftClusterOptions options = rafts.Options();
  OnError find;
  options.make_observers = [&find](int, int, const OnError& on_error) {
    find = on_error;
    return Observers::List();
  };
  bool passed_the_check = false;
  const Failures failures = FailuresOf([&] {
    RaftCluster cluster(/*servers=*/3, options);
    for (const char* what : {"too many", "far too many"}) {
      find({.kind = Kind::kEconomy, .message = what, .by_oracle = true});
    }
    cluster.CheckTerms();
    passed_the_check = true;
    cluster.End();
  });
  EXPECT_TRUE(passed_the_check);
  EXPECT_EQ(failures.messages, std::vector<std::string>{"too many"});
  EXPECT_FALSE(failures.ended);
}

TEST(ClusterOracle, AViolationThatNoCheckFollowsIsReportedAtTheEnd) {
  FakeRafts rafts;
  RaftClusterOptions options = rafts.Options();
  options.make_observers = OnlyAnOracle;
  const Failures failures = FailuresOf([&] {
    RaftCluster cluster(/*servers=*/3, options);
    rafts[1]->Believe({/*term=*/2, /*is_leader=*/true});
    cluster.GetState(1);
  });
  ASSERT_EQ(failures.messages.size(), 1u);
  EXPECT_TRUE(failures.messages[0].starts_with("oracle: "))
      << failures.messages[0];
}

}  // namespace
}  // namespace harness
