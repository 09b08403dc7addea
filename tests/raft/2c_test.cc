// The Go lab's tests of part 2C, persistence and unreliable networks, step by
// step and with every number of theirs; the titles are those that the lab
// prints.
//
// Each runs on its test's main thread, with a cluster of its own; helper
// threads only where the lab has them.

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/harness/raft_cluster.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::Applied;
using harness::Command;
using harness::Fail;
using harness::kElectionTimeout;
using harness::Kind;
using harness::RaftCluster;
using harness::RandomValue;
using harness::Retry;
using harness::TestThreads;
using raft::Index;
using raft::ServerId;
using std::chrono::milliseconds;
using std::this_thread::sleep_for;

const auto kSuite = runner::Suite::OfCourse("Raft2C", "raft", "2C");

ServerId RandomServer(const RaftCluster& cluster, base::Random* random) {
  return static_cast<ServerId>(
      random->Below(static_cast<uint64_t>(cluster.size())));
}

// Go lab: TestPersist12C.  5.1, Figure 2: term, vote and log survive a crash of
// all, of the leader, and of a follower.
TEST(Raft2C, Persist1) {
  RaftCluster cluster(/*servers=*/3);
  cluster.Begin("Test (2C): basic persistence");

  cluster.Agree(11, /*servers=*/3, Retry::kYes);

  for (ServerId i = 0; i < cluster.size(); ++i) cluster.StartServer(i);
  for (ServerId i = 0; i < cluster.size(); ++i) {
    cluster.Disconnect(i);
    cluster.Connect(i);
  }
  cluster.Agree(12, /*servers=*/3, Retry::kYes);

  const ServerId leader1 = cluster.CheckOneLeader();
  cluster.Disconnect(leader1);
  cluster.Restart(leader1);
  cluster.Agree(13, /*servers=*/3, Retry::kYes);

  const ServerId leader2 = cluster.CheckOneLeader();
  cluster.Disconnect(leader2);
  cluster.Agree(14, /*servers=*/2, Retry::kYes);
  cluster.Restart(leader2);
  cluster.Wait(/*index=*/4, /*servers=*/3);  // before the next one is killed

  const ServerId follower = cluster.Next(cluster.CheckOneLeader());
  cluster.Disconnect(follower);
  cluster.Agree(15, /*servers=*/2, Retry::kYes);
  cluster.Restart(follower);
  cluster.Agree(16, /*servers=*/3, Retry::kYes);

  cluster.End();
}

// Go lab: TestPersist22C.  5.4.1: of three restarted servers only the one with
// the last entry may win.
TEST(Raft2C, Persist2) {
  RaftCluster cluster(/*servers=*/5);
  cluster.Begin("Test (2C): more persistence");

  int64_t index = 1;
  for (int round = 0; round < 5; ++round) {
    cluster.Agree(10 + index++, /*servers=*/5, Retry::kYes);

    const ServerId leader1 = cluster.CheckOneLeader();
    for (const int k : {1, 2}) cluster.Disconnect(cluster.Next(leader1, k));
    cluster.Agree(10 + index++, /*servers=*/3, Retry::kYes);

    // Now no server is connected; first the two come back that miss an entry.
    for (const int k : {0, 3, 4}) cluster.Disconnect(cluster.Next(leader1, k));
    for (const int k : {1, 2}) cluster.StartServer(cluster.Next(leader1, k));
    for (const int k : {1, 2}) cluster.Connect(cluster.Next(leader1, k));
    sleep_for(kElectionTimeout);

    cluster.Restart(cluster.Next(leader1, 3));
    cluster.Agree(10 + index++, /*servers=*/3, Retry::kYes);

    for (const int k : {4, 0}) cluster.Connect(cluster.Next(leader1, k));
  }

  cluster.Agree(1000, /*servers=*/5, Retry::kYes);

  cluster.End();
}

// Go lab: TestPersist32C.  5.3: a leader that restarts brings the one up to
// date that was cut off.
TEST(Raft2C, Persist3) {
  RaftCluster cluster(/*servers=*/3);
  cluster.Begin(
      "Test (2C): partitioned leader and one follower crash, leader restarts");

  cluster.Agree(101, /*servers=*/3, Retry::kYes);

  const ServerId leader = cluster.CheckOneLeader();
  cluster.Disconnect(cluster.Next(leader, 2));
  cluster.Agree(102, /*servers=*/2, Retry::kYes);

  cluster.CrashServer(leader);
  cluster.CrashServer(cluster.Next(leader, 1));
  cluster.Connect(cluster.Next(leader, 2));
  cluster.Restart(leader);
  cluster.Agree(103, /*servers=*/2, Retry::kYes);

  cluster.Restart(cluster.Next(leader, 1));
  cluster.Agree(104, /*servers=*/3, Retry::kYes);

  cluster.End();
}

// The time that a leader of a Figure 8 test gets: mostly too little to commit.
void SleepAsInFigure8(base::Random* random) {
  const bool long_pause = random->Chance(100, /*of=*/1000);
  sleep_for(milliseconds(
      random->Below(long_pause ? kElectionTimeout.count() / 2 : 13)));
}

// Go lab: TestFigure82C.  5.4.2, Figure 8: every leader crashes at once, so
// many terms leave entries that some servers have and none knows to be
// committed.
TEST(Raft2C, Figure8) {
  RaftCluster cluster(/*servers=*/5);
  base::Random random = base::Random::ForOwner("test");
  cluster.Begin("Test (2C): Figure 8");

  cluster.Agree(RandomValue(&random), /*servers=*/1, Retry::kYes);

  int up = cluster.size();
  for (int iteration = 0; iteration < 1000; ++iteration) {
    std::optional<ServerId> leader;
    for (ServerId i = 0; i < cluster.size(); ++i) {
      if (!cluster.IsUp(i)) continue;
      if (cluster.Start(i, RandomValue(&random)).is_leader) leader = i;
    }

    SleepAsInFigure8(&random);

    if (leader.has_value()) {
      cluster.CrashServer(*leader);
      --up;
    }
    if (up < 3) {
      const ServerId server = RandomServer(cluster, &random);
      if (!cluster.IsUp(server)) {
        cluster.Restart(server);
        ++up;
      }
    }
  }

  for (ServerId i = 0; i < cluster.size(); ++i) {
    if (!cluster.IsUp(i)) cluster.Restart(i);
  }
  cluster.Agree(RandomValue(&random), /*servers=*/5, Retry::kYes);

  cluster.End();
}

// Go lab: TestUnreliableAgree2C.  5.5: lost messages are sent again, and many
// callers at once all reach agreement.
TEST(Raft2C, UnreliableAgree) {
  RaftCluster cluster(/*servers=*/5, {.reliable = false});
  cluster.Begin("Test (2C): unreliable agreement");

  TestThreads threads([&cluster] { cluster.Finish(); });
  for (int64_t iteration = 1; iteration < 50; ++iteration) {
    for (int64_t j = 0; j < 4; ++j) {
      threads.Start([&cluster, command = 100 * iteration + j] {
        cluster.Agree(command, /*servers=*/1, Retry::kYes);
      });
    }
    cluster.Agree(iteration, /*servers=*/1, Retry::kYes);
  }

  cluster.SetReliable(true);
  threads.Join();
  cluster.Agree(100, /*servers=*/5, Retry::kYes);

  cluster.End();
}

// Go lab: TestFigure8Unreliable2C.  As Figure 8, but no server crashes: leaders
// are cut off, messages are lost, and old replies come back seconds later.
TEST(Raft2C, Figure8Unreliable) {
  RaftCluster cluster(/*servers=*/5, {.reliable = false});
  base::Random random = base::Random::ForOwner("test");
  const auto small = [&random] { return random.Between(0, 9999); };
  cluster.Begin("Test (2C): Figure 8 (unreliable)");

  cluster.Agree(small(), /*servers=*/1, Retry::kYes);

  int up = cluster.size();
  for (int iteration = 0; iteration < 1000; ++iteration) {
    if (iteration == 200) cluster.SetLongReordering(true);

    // Leaders that are cut off get commands too, to be overwritten later.
    std::optional<ServerId> leader;
    for (ServerId i = 0; i < cluster.size(); ++i) {
      const bool accepted = cluster.Start(i, small()).is_leader;
      if (accepted && cluster.IsConnected(i)) leader = i;
    }

    SleepAsInFigure8(&random);

    if (leader.has_value() && random.Chance(500, /*of=*/1000)) {
      cluster.Disconnect(*leader);
      --up;
    }
    if (up < 3) {
      const ServerId server = RandomServer(cluster, &random);
      if (!cluster.IsConnected(server)) {
        cluster.Connect(server);
        ++up;
      }
    }
  }

  for (ServerId i = 0; i < cluster.size(); ++i) {
    if (!cluster.IsConnected(i)) cluster.Connect(i);
  }
  cluster.Agree(small(), /*servers=*/5, Retry::kYes);

  cluster.End();
}

// A client of the churn tests: keeps starting commands on the leader, and
// remembers those that it saw applied.
class ChurnClient {
 public:
  ChurnClient(RaftCluster* cluster, int me)
      : cluster_(cluster),
        me_(me),
        random_(base::Random::ForOwner(absl::StrCat("client/", me))) {}

  // Runs until `threads` are to stop. Ends early if a check fails.
  void Run(TestThreads* threads) {
    while (!threads->Stopping()) {
      const int64_t value = RandomValue(&random_);
      const std::optional<Index> index = StartOnAll(value);
      if (index.has_value()) {
        if (AwaitApplied(*index, value)) applied_.push_back(value);
      } else {
        sleep_for(milliseconds(79 + me_ * 17));
      }
    }
    finished_ = true;
  }

  // REQUIRES, for both: Run() has returned, and its thread was joined.
  bool finished() const { return finished_; }  // false: a check failed
  const std::vector<int64_t>& applied() const { return applied_; }

 private:
  // Asks all servers, connected or not; the last one that accepts counts.
  std::optional<Index> StartOnAll(int64_t value) {
    std::optional<Index> index;
    for (ServerId i = 0; i < cluster_->size(); ++i) {
      const raft::StartResult result = cluster_->Start(i, value);
      if (result.is_leader) index = result.index;
    }
    return index;
  }

  // Whether `value` is what is applied at `index` within some 0.4 s.
  bool AwaitApplied(Index index, int64_t value) {
    for (const int pause_ms : {10, 20, 50, 100, 200}) {
      const Applied applied = cluster_->CommittedAt(index);
      if (applied.servers > 0) {
        const int64_t* got = std::get_if<int64_t>(&applied.command);
        if (got == nullptr) Fail(Kind::kSafety, "wrong command type");
        return *got == value;
      }
      sleep_for(milliseconds(pause_ms));
    }
    return false;
  }

  RaftCluster* const cluster_;
  const int me_;
  base::Random random_;
  std::vector<int64_t> applied_;
  bool finished_ = false;
};

// Twenty times: perhaps cuts one off, perhaps brings one back, perhaps crashes
// one. Nothing guarantees a majority in between.
void Churn(RaftCluster* cluster, base::Random* random) {
  for (int iteration = 0; iteration < 20; ++iteration) {
    if (random->Chance(200, /*of=*/1000)) {
      cluster->Disconnect(RandomServer(*cluster, random));
    }
    if (random->Chance(500, /*of=*/1000)) {
      const ServerId server = RandomServer(*cluster, random);
      if (!cluster->IsUp(server)) cluster->StartServer(server);
      cluster->Connect(server);
    }
    if (random->Chance(200, /*of=*/1000)) {
      const ServerId server = RandomServer(*cluster, random);
      if (cluster->IsUp(server)) cluster->CrashServer(server);
    }
    // Short enough for changes to come before an election has settled, long
    // enough for progress in some rounds.
    sleep_for(kElectionTimeout * 7 / 10);
  }
}

// Everything that all five servers have applied, from index 1 to `last`.
std::vector<int64_t> AppliedByAll(RaftCluster* cluster, Index last) {
  std::vector<int64_t> values;
  for (Index index = 1; index <= last; ++index) {
    const std::optional<Command> command = cluster->Wait(index, /*servers=*/5);
    const int64_t* value = std::get_if<int64_t>(&*command);
    if (value == nullptr) Fail(Kind::kSafety, "not an int");
    values.push_back(*value);
  }
  return values;
}

// What a client saw applied must be in all logs at the end: a command that was
// applied once is never lost.
void RunChurn(RaftCluster* cluster) {
  base::Random random = base::Random::ForOwner("test");
  std::vector<ChurnClient> clients;
  for (int i = 0; i < 3; ++i) clients.emplace_back(cluster, i);
  TestThreads threads;
  for (ChurnClient& client : clients) {
    threads.Start([&client, &threads] { client.Run(&threads); });
  }

  Churn(cluster, &random);

  sleep_for(kElectionTimeout);
  cluster->SetReliable(true);
  for (ServerId i = 0; i < cluster->size(); ++i) {
    if (!cluster->IsUp(i)) cluster->StartServer(i);
    cluster->Connect(i);
  }
  threads.Stop();
  threads.Join();
  for (const ChurnClient& client : clients) {
    if (!client.finished()) Fail(Kind::kSafety, "client failed");
  }

  sleep_for(kElectionTimeout);
  const Index last =
      cluster->Agree(RandomValue(&random), /*servers=*/5, Retry::kYes);
  std::vector<int64_t> values = AppliedByAll(cluster, last);
  std::sort(values.begin(), values.end());
  for (const ChurnClient& client : clients) {
    for (const int64_t value : client.applied()) {
      if (!std::binary_search(values.begin(), values.end(), value)) {
        Fail(Kind::kSafety, "didn't find a value");
      }
    }
  }
}

// Go lab: TestReliableChurn2C.  5.4.3: what is applied once stays, whatever
// crashes or is cut off.
TEST(Raft2C, ReliableChurn) {
  RaftCluster cluster(/*servers=*/5);
  cluster.Begin("Test (2C): churn");

  RunChurn(&cluster);

  cluster.End();
}

// Go lab: TestUnreliableChurn2C.  The same while messages are lost.
TEST(Raft2C, UnreliableChurn) {
  RaftCluster cluster(/*servers=*/5, {.reliable = false});
  cluster.Begin("Test (2C): unreliable churn");

  RunChurn(&cluster);

  cluster.End();
}

}  // namespace
}  // namespace tests
