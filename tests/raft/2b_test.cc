// The Go lab's tests of part 2B, log replication, step by step and with every
// number of theirs; the titles are those that the lab prints.
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

using harness::Command;
using harness::Fail;
using harness::kElectionTimeout;
using harness::Kind;
using harness::RaftCluster;
using harness::RandomValue;
using harness::Retry;
using harness::TestThreads;
using harness::ToString;
using raft::Index;
using raft::ServerId;
using raft::StartResult;
using raft::Term;
using std::this_thread::sleep_for;

const auto kSuite = runner::Suite::OfCourse("Raft2B", "raft", "2B");

// For tests that another election in between spoils: they begin again.
constexpr int kAttempts = 5;
constexpr std::chrono::seconds kBetweenAttempts(3);

// Whether any server has left `term`.
bool TermMoved(RaftCluster* cluster, Term term) {
  for (ServerId i = 0; i < cluster->size(); ++i) {
    if (cluster->GetState(i).term != term) return true;
  }
  return false;
}

// Gives random commands to one server, which need not commit them.
void StartRandom(RaftCluster* cluster, ServerId server, int count,
                 base::Random* random) {
  for (int i = 0; i < count; ++i) cluster->Start(server, RandomValue(random));
}

// Has the cluster agree on random commands, one after the other.
void AgreeRandom(RaftCluster* cluster, int servers, int count,
                 base::Random* random) {
  for (int i = 0; i < count; ++i) {
    cluster->Agree(RandomValue(random), servers, Retry::kYes);
  }
}

// Go lab: TestBasicAgree2B.  5.3: commands commit, at the indexes 1, 2, 3.
TEST(Raft2B, BasicAgree) {
  RaftCluster cluster(/*servers=*/3);
  cluster.Begin("Test (2B): basic agreement");

  for (Index index = 1; index <= 3; ++index) {
    if (cluster.CommittedAt(index).servers > 0) {
      Fail(Kind::kSafety, "some have committed before Start()");
    }

    const Index agreed = cluster.Agree(static_cast<int64_t>(index) * 100,
                                       /*servers=*/3, Retry::kNo);
    if (agreed != index) {
      Fail(Kind::kSafety,
           absl::StrCat("got index ", agreed, " but expected ", index));
    }
  }

  cluster.End();
}

// Go lab: TestRPCBytes2B.  Each command crosses the network to each peer once.
TEST(Raft2B, RPCBytes) {
  constexpr int kServers = 3;
  constexpr int kCommandBytes = 5000;
  constexpr int64_t kSlack = 50'000;
  RaftCluster cluster(kServers);
  base::Random random = base::Random::ForOwner("test");
  cluster.Begin("Test (2B): RPC byte count");

  cluster.Agree(99, kServers, Retry::kNo);
  const int64_t bytes0 = cluster.BytesTotal();

  int64_t sent = 0;
  for (Index index = 2; index < 12; ++index) {
    const std::string command = random.Name(kCommandBytes);
    const Index agreed = cluster.Agree(command, kServers, Retry::kNo);
    if (agreed != index) {
      Fail(Kind::kSafety,
           absl::StrCat("got index ", agreed, " but expected ", index));
    }
    sent += kCommandBytes;
  }

  const int64_t got = cluster.BytesTotal() - bytes0;
  const int64_t expected = kServers * sent;
  if (got > expected + kSlack) {
    Fail(Kind::kEconomy, absl::StrCat("too many RPC bytes; got ", got,
                                      ", expected ", expected));
  }

  cluster.End();
}

// Go lab: TestFollowerFailure2B (since 2023).  5.3: two of three agree, one
// alone does not.
TEST(Raft2B, FollowerFailure) {
  RaftCluster cluster(/*servers=*/3);
  cluster.Begin("Test (2B): test progressive failure of followers");

  cluster.Agree(101, /*servers=*/3, Retry::kNo);

  const ServerId leader1 = cluster.CheckOneLeader();
  cluster.Disconnect(cluster.Next(leader1));
  cluster.Agree(102, /*servers=*/2, Retry::kNo);
  sleep_for(kElectionTimeout);
  cluster.Agree(103, /*servers=*/2, Retry::kNo);

  const ServerId leader2 = cluster.CheckOneLeader();
  cluster.Disconnect(cluster.Next(leader2, 1));
  cluster.Disconnect(cluster.Next(leader2, 2));

  const StartResult lonely = cluster.Start(leader2, 104);
  if (!lonely.is_leader) Fail(Kind::kLiveness, "leader rejected Start()");
  if (lonely.index != 4) {
    Fail(Kind::kSafety, absl::StrCat("expected index 4, got ", lonely.index));
  }

  sleep_for(2 * kElectionTimeout);
  const int committed = cluster.CommittedAt(lonely.index).servers;
  if (committed > 0) {
    Fail(Kind::kSafety, absl::StrCat(committed, " committed but no majority"));
  }

  cluster.End();
}

// Go lab: TestLeaderFailure2B (since 2023).  5.2, 5.3: a new leader commits
// after the first is lost; after the second no server does.
TEST(Raft2B, LeaderFailure) {
  RaftCluster cluster(/*servers=*/3);
  cluster.Begin("Test (2B): test failure of leaders");

  cluster.Agree(101, /*servers=*/3, Retry::kNo);

  cluster.Disconnect(cluster.CheckOneLeader());
  cluster.Agree(102, /*servers=*/2, Retry::kNo);
  sleep_for(kElectionTimeout);
  cluster.Agree(103, /*servers=*/2, Retry::kNo);

  cluster.Disconnect(cluster.CheckOneLeader());
  for (ServerId i = 0; i < cluster.size(); ++i) cluster.Start(i, 104);

  sleep_for(2 * kElectionTimeout);
  const int committed = cluster.CommittedAt(4).servers;
  if (committed > 0) {
    Fail(Kind::kSafety, absl::StrCat(committed, " committed but no majority"));
  }

  cluster.End();
}

// Go lab: TestFailAgree2B.  5.3: a lost follower does not stop the majority,
// and catches up when it is back.
TEST(Raft2B, FailAgree) {
  RaftCluster cluster(/*servers=*/3);
  cluster.Begin("Test (2B): agreement despite follower disconnection");

  cluster.Agree(101, /*servers=*/3, Retry::kNo);
  const ServerId lost = cluster.Next(cluster.CheckOneLeader());
  cluster.Disconnect(lost);

  cluster.Agree(102, /*servers=*/2, Retry::kNo);
  cluster.Agree(103, /*servers=*/2, Retry::kNo);
  sleep_for(kElectionTimeout);
  cluster.Agree(104, /*servers=*/2, Retry::kNo);
  cluster.Agree(105, /*servers=*/2, Retry::kNo);

  // It comes back with a higher term, which deposes the leader.
  cluster.Connect(lost);
  cluster.Agree(106, /*servers=*/3, Retry::kYes);
  sleep_for(kElectionTimeout);
  cluster.Agree(107, /*servers=*/3, Retry::kYes);

  cluster.End();
}

// Go lab: TestFailNoAgree2B.  5.3: without a majority nothing commits.
TEST(Raft2B, FailNoAgree) {
  RaftCluster cluster(/*servers=*/5);
  cluster.Begin("Test (2B): no agreement if too many followers disconnect");

  cluster.Agree(10, /*servers=*/5, Retry::kNo);
  const ServerId leader = cluster.CheckOneLeader();
  for (const int k : {1, 2, 3}) cluster.Disconnect(cluster.Next(leader, k));

  const StartResult first = cluster.Start(leader, 20);
  if (!first.is_leader) Fail(Kind::kLiveness, "leader rejected Start()");
  if (first.index != 2) {
    Fail(Kind::kSafety, absl::StrCat("expected index 2, got ", first.index));
  }

  sleep_for(2 * kElectionTimeout);
  const int committed = cluster.CommittedAt(first.index).servers;
  if (committed > 0) {
    Fail(Kind::kSafety, absl::StrCat(committed, " committed but no majority"));
  }

  // The new leader may be one that never saw command 20: then index 2 is free.
  for (const int k : {1, 2, 3}) cluster.Connect(cluster.Next(leader, k));
  const ServerId leader2 = cluster.CheckOneLeader();
  const StartResult second = cluster.Start(leader2, 30);
  if (!second.is_leader) Fail(Kind::kLiveness, "leader2 rejected Start()");
  if (second.index < 2 || second.index > 3) {
    Fail(Kind::kSafety, absl::StrCat("unexpected index ", second.index));
  }

  cluster.Agree(1000, /*servers=*/5, Retry::kYes);

  cluster.End();
}

// Starts 100..104 on `leader` from five threads at once; returns the indexes
// that it gave in `term`.
std::vector<Index> StartAtOnce(RaftCluster* cluster, ServerId leader,
                               Term term) {
  constexpr int kThreads = 5;
  std::vector<std::optional<Index>> given(kThreads);  // one slot per thread
  TestThreads threads;
  for (size_t i = 0; i < given.size(); ++i) {
    threads.Start([cluster, leader, term, i, slot = &given[i]] {
      const StartResult result =
          cluster->Start(leader, 100 + static_cast<int64_t>(i));
      if (result.is_leader && result.term == term) *slot = result.index;
    });
  }
  threads.Join();

  std::vector<Index> indexes;
  for (const std::optional<Index>& index : given) {
    if (index.has_value()) indexes.push_back(*index);
  }
  return indexes;
}

// One attempt; false if an election came in between.
bool TryConcurrentStarts(RaftCluster* cluster) {
  const ServerId leader = cluster->CheckOneLeader();
  const StartResult first = cluster->Start(leader, 1);
  if (!first.is_leader) return false;

  const std::vector<Index> indexes = StartAtOnce(cluster, leader, first.term);
  if (TermMoved(cluster, first.term)) return false;

  std::vector<int64_t> values;
  for (const Index index : indexes) {
    const std::optional<Command> command =
        cluster->Wait(index, /*servers=*/3, first.term);
    if (!command.has_value()) return false;
    const int64_t* value = std::get_if<int64_t>(&*command);
    if (value == nullptr) {
      Fail(Kind::kSafety,
           absl::StrCat("value ", ToString(*command), " is not an int"));
    }
    values.push_back(*value);
  }

  for (int64_t x = 100; x < 105; ++x) {
    if (std::find(values.begin(), values.end(), x) == values.end()) {
      Fail(Kind::kSafety,
           absl::StrCat("cmd ", x, " missing in ", ToString(values)));
    }
  }
  return true;
}

// Go lab: TestConcurrentStarts2B.  No two commands get one index, and none is
// lost.
TEST(Raft2B, ConcurrentStarts) {
  RaftCluster cluster(/*servers=*/3);
  cluster.Begin("Test (2B): concurrent Start()s");

  bool success = false;
  for (int i = 0; i < kAttempts && !success; ++i) {
    if (i > 0) sleep_for(kBetweenAttempts);
    success = TryConcurrentStarts(&cluster);
  }
  if (!success) Fail(Kind::kLiveness, "term changed too often");

  cluster.End();
}

// Go lab: TestRejoin2B.  5.3, 5.4.1: a leader that was cut off loses the
// entries that it could not commit, and does not win by them.
TEST(Raft2B, Rejoin) {
  RaftCluster cluster(/*servers=*/3);
  cluster.Begin("Test (2B): rejoin of partitioned leader");

  cluster.Agree(101, /*servers=*/3, Retry::kYes);

  const ServerId leader1 = cluster.CheckOneLeader();
  cluster.Disconnect(leader1);
  for (const int command : {102, 103, 104}) cluster.Start(leader1, command);

  // The new leader commits at index 2, where the old one has 102.
  cluster.Agree(103, /*servers=*/2, Retry::kYes);

  const ServerId leader2 = cluster.CheckOneLeader();
  cluster.Disconnect(leader2);
  cluster.Connect(leader1);
  cluster.Agree(104, /*servers=*/2, Retry::kYes);

  cluster.Connect(leader2);
  cluster.Agree(105, /*servers=*/3, Retry::kYes);

  cluster.End();
}

// Go lab: TestBackup2B.  5.3: logs with many conflicting entries are repaired
// quickly.
TEST(Raft2B, Backup) {
  constexpr int kMany = 50;
  RaftCluster cluster(/*servers=*/5);
  base::Random random = base::Random::ForOwner("test");
  cluster.Begin(
      "Test (2B): leader backs up quickly over incorrect follower logs");

  AgreeRandom(&cluster, /*servers=*/5, /*count=*/1, &random);

  // A leader and one follower get entries that cannot commit.
  const ServerId leader1 = cluster.CheckOneLeader();
  for (const int k : {2, 3, 4}) cluster.Disconnect(cluster.Next(leader1, k));
  StartRandom(&cluster, leader1, kMany, &random);
  sleep_for(kElectionTimeout / 2);

  // The other three commit theirs.
  for (const int k : {0, 1}) cluster.Disconnect(cluster.Next(leader1, k));
  for (const int k : {2, 3, 4}) cluster.Connect(cluster.Next(leader1, k));
  AgreeRandom(&cluster, /*servers=*/3, kMany, &random);

  // Then two of these get more that cannot commit, and the third has none.
  const ServerId leader2 = cluster.CheckOneLeader();
  ServerId other = cluster.Next(leader1, 2);
  if (other == leader2) other = cluster.Next(leader2);
  cluster.Disconnect(other);
  StartRandom(&cluster, leader2, kMany, &random);
  sleep_for(kElectionTimeout / 2);

  // That third repairs the first two: it alone has what is committed.
  for (ServerId i = 0; i < cluster.size(); ++i) cluster.Disconnect(i);
  for (const int k : {0, 1}) cluster.Connect(cluster.Next(leader1, k));
  cluster.Connect(other);
  AgreeRandom(&cluster, /*servers=*/3, kMany, &random);

  for (ServerId i = 0; i < cluster.size(); ++i) cluster.Connect(i);
  AgreeRandom(&cluster, /*servers=*/5, /*count=*/1, &random);

  cluster.End();
}

// The RPCs that arrived at all servers.
int64_t RpcsArrived(RaftCluster* cluster) {
  int64_t rpcs = 0;
  for (ServerId i = 0; i < cluster->size(); ++i) rpcs += cluster->RpcCount(i);
  return rpcs;
}

// Gives the leader one command and then 11 random ones; the first of these is
// to stand at *`start` + 1. Returns what it gave, or nothing if the term moved.
std::optional<std::vector<int64_t>> StartEleven(RaftCluster* cluster,
                                                ServerId leader,
                                                StartResult* start,
                                                base::Random* random) {
  *start = cluster->Start(leader, 1);
  if (!start->is_leader) return std::nullopt;
  std::vector<int64_t> values;
  for (Index i = 1; i < 12; ++i) {
    values.push_back(random->Between(0, 0x7fffffff));
    const StartResult next = cluster->Start(leader, values.back());
    if (!next.is_leader || next.term != start->term) return std::nullopt;
    if (next.index != start->index + i) Fail(Kind::kSafety, "Start() failed");
  }
  return values;
}

// One attempt at ten entries; returns the RPCs that had arrived after it, or
// nothing if an election came in between.
std::optional<int64_t> TryCount(RaftCluster* cluster, base::Random* random) {
  constexpr int kEntries = 10;
  const ServerId leader = cluster->CheckOneLeader();
  const int64_t before = RpcsArrived(cluster);

  StartResult start;
  const std::optional<std::vector<int64_t>> values =
      StartEleven(cluster, leader, &start, random);
  if (!values.has_value()) return std::nullopt;

  for (Index i = 1; i <= kEntries; ++i) {
    const Index index = start.index + i;
    const std::optional<Command> command =
        cluster->Wait(index, /*servers=*/3, start.term);
    if (!command.has_value()) return std::nullopt;
    if (*command != Command((*values)[i - 1])) {
      Fail(Kind::kSafety, absl::StrCat("wrong value ", ToString(*command),
                                       " committed for index ", index,
                                       "; expected ", ToString(*values)));
    }
  }

  const int64_t after = RpcsArrived(cluster);
  if (TermMoved(cluster, start.term)) return std::nullopt;
  if (after - before > (kEntries + 1 + 3) * 3) {
    Fail(Kind::kEconomy, absl::StrCat("too many RPCs (", after - before,
                                      ") for ", kEntries, " entries"));
  }
  return after;
}

// Go lab: TestCount2B.  Elections, agreement and idleness cost few RPCs.
TEST(Raft2B, Count) {
  RaftCluster cluster(/*servers=*/3);
  base::Random random = base::Random::ForOwner("test");
  cluster.Begin("Test (2B): RPC counts aren't too high");

  cluster.CheckOneLeader();
  const int64_t to_elect = RpcsArrived(&cluster);
  if (to_elect > 30 || to_elect < 1) {
    Fail(Kind::kEconomy, absl::StrCat("too many or few RPCs (", to_elect,
                                      ") to elect initial leader"));
  }

  std::optional<int64_t> before_idle;
  for (int i = 0; i < kAttempts && !before_idle.has_value(); ++i) {
    if (i > 0) sleep_for(kBetweenAttempts);
    before_idle = TryCount(&cluster, &random);
  }
  if (!before_idle.has_value()) Fail(Kind::kLiveness, "term changed too often");

  sleep_for(kElectionTimeout);
  const int64_t idle = RpcsArrived(&cluster) - *before_idle;
  if (idle > 3 * 20) {
    Fail(Kind::kEconomy,
         absl::StrCat("too many RPCs (", idle, ") for 1 second of idleness"));
  }

  cluster.End();
}

}  // namespace
}  // namespace tests
