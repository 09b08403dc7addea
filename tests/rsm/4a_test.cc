// The course's tests of its layer for replicated state machines (2025's part
// 4A, and the one of 4C that needs no more), step by step and with every number
// of theirs; the titles are those that the lab prints.
//
// Each test runs on its main thread, with a cluster of its own: three servers
// that count.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "rpc/codec.h"
#include "tests/harness/rsm_cluster.h"
#include "tests/rsm/finished.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::CounterCommand;
using harness::Fail;
using harness::Kind;
using harness::Place;
using harness::RsmCluster;
using harness::TestThreads;
using raft::ServerId;
using std::chrono::milliseconds;
using std::chrono::seconds;

const auto kSuite = runner::Suite::OfCourse("RSM4A", "rsm", "4A");
const auto kSnapshotSuite = runner::Suite::OfCourse("RSM4C", "rsm", "4C");

constexpr int kServers = 3;
constexpr int kIncrements = 10;
constexpr int kManyIncrements = 100;
constexpr int kSubmits = 100;
constexpr size_t kMaxRaftState = 1000;

constexpr milliseconds kBeforeShutdown(20);
constexpr seconds kAllStopped(11);

// Increments that often, each time until all servers have executed it; each
// result must be that of its turn.
void Increment(RsmCluster* cluster, int times) {
  for (int i = 0; i < times; ++i) {
    const int64_t value = cluster->OneInc();
    if (value != i + 1) {
      Fail(cluster->KindOfValue(value, i + 1),
           absl::StrCat("expected ", i, " instead of ", value));
    }
    cluster->CheckCounter(value, kServers);
  }
}

void CheckResult(RsmCluster* cluster, int64_t value, int64_t expected,
                 std::string message, Place place = Place::Here()) {
  if (value == expected) return;
  Fail(cluster->KindOfValue(value, expected), std::move(message), place);
}

// Go lab: TestBasic4A.  Every server executes what one was asked.
TEST(RSM4A, Basic) {
  RsmCluster cluster;
  cluster.Begin("Test RSM basic");
  Increment(&cluster, kIncrements);
  cluster.End();
}

// Go lab: TestConcurrent4A.  Fifty clients at once.
TEST(RSM4A, Concurrent) {
  constexpr int kClients = 50;
  RsmCluster cluster;
  cluster.Begin("Test concurrent submit");

  TestThreads clients([&] { cluster.Abandon(); });
  for (int i = 0; i < kClients; ++i) {
    clients.Start([&] { cluster.OneInc(); });
  }
  clients.Join();

  cluster.CheckCounter(kClients, kServers);
  cluster.End();
}

// Go lab: TestLeaderFailure4A.  The others go on without their leader, which
// executes what it has missed when it is back.
TEST(RSM4A, LeaderFailure) {
  RsmCluster cluster;
  cluster.Begin("Test Leader Failure");
  cluster.CheckCounter(cluster.OneInc(), kServers);

  const ServerId leader = cluster.DisconnectLeader();
  const int64_t value = cluster.OneInc();
  cluster.CheckCounter(value, kServers - 1);

  cluster.Connect(leader);
  cluster.CheckCounter(value, kServers);
  cluster.End();
}

// Go lab: TestLeaderPartition4A.  A leader that is cut off waits, since it
// cannot know; when it hears of another all its commands have lost their place,
// those too at whose index nothing was put.
TEST(RSM4A, LeaderPartition) {
  RsmCluster cluster;
  cluster.Begin("Test Leader Partition");
  cluster.CheckCounter(cluster.OneInc(), kServers);
  const auto [majority, minority] = cluster.stage().PartitionFromLeader();
  const ServerId leader = *minority.begin();

  Finished finished(kSubmits);
  TestThreads submits([&] { cluster.Abandon(); });
  for (int i = 0; i < kSubmits; ++i) {
    submits.Start([&, i] {
      const WhenFinished when_finished(&finished);
      const rsm::Result result = cluster.Submit(leader, CounterCommand::kDec);
      if (result.outcome == rsm::Outcome::kDone) {
        Fail(Kind::kSafety,
             absl::StrCat("Submit ", i, " in minority completed ",
                          rpc::Decode<int64_t>(result.value).value()));
      }
    });
  }
  cluster.stage().Sleep(milliseconds(10));

  // A majority can still commit.
  const std::optional<int64_t> value =
      cluster.One(CounterCommand::kInc, majority);
  if (!value.has_value()) {
    Fail(Kind::kLiveness, "the majority did not execute a command within 10 s");
  }

  if (finished.Await(seconds(1))) {
    Fail(Kind::kLiveness, "Dec's in minority completed; Submit returns {}");
  }

  cluster.stage().ConnectAll();
  if (!finished.Await(seconds(1))) {
    Fail(Kind::kLiveness, "Submit after healing didn't return");
  }
  cluster.CheckCounter(*value, kServers);
  cluster.End();
}

// A hundred increments, a crash of all servers, and one more: its value says
// whether they executed their logs again, once.
int64_t RestartAndIncrement(RsmCluster* cluster, const std::string& message) {
  Increment(cluster, kManyIncrements);
  cluster->Shutdown();
  cluster->stage().Sleep(seconds(1));

  cluster->StartServers();
  const int64_t value = cluster->OneInc();
  cluster->stage().Sleep(seconds(1));
  CheckResult(cluster, value, kManyIncrements + 1,
              absl::StrCat(message, " ", kManyIncrements + 1, " got ", value));
  return value;
}

// A hundred clients, all servers shut down beneath them: all must end.
void ShutdownUnderSubmits(RsmCluster* cluster, Place place = Place::Here()) {
  Finished finished(kSubmits);
  TestThreads clients([&] { cluster->Abandon(); });
  for (int i = 0; i < kSubmits; ++i) {
    clients.Start([&] {
      const WhenFinished when_finished(&finished);
      cluster->One(CounterCommand::kNull);
    });
  }
  cluster->stage().Sleep(kBeforeShutdown);
  cluster->Shutdown();
  if (!finished.Await(kAllStopped)) {
    Fail(Kind::kLiveness, "Submit didn't stop after shutdown", place);
  }
  clients.Join();
}

// Go lab: TestRestartReplay4A.
TEST(RSM4A, RestartReplay) {
  RsmCluster cluster;
  cluster.Begin("Test Restart");
  const int64_t value = RestartAndIncrement(&cluster, "expected");
  cluster.CheckCounter(value, kServers);
  cluster.End();
}

// Go lab: TestShutdown4A.  No server has been elected yet.
TEST(RSM4A, Shutdown) {
  RsmCluster cluster;
  cluster.Begin("Test Shutdown");
  ShutdownUnderSubmits(&cluster);
  cluster.End();
}

// Go lab: TestRestartSubmit4A.  Commands that wait when their server is shut
// down.
TEST(RSM4A, RestartSubmit) {
  RsmCluster cluster;
  cluster.Begin("Test Restart and submit");
  RestartAndIncrement(&cluster, "Expected");

  ShutdownUnderSubmits(&cluster);

  cluster.StartServers();
  cluster.CheckCounter(cluster.OneInc(), kServers);
  cluster.End();
}

// Go lab: TestSnapshot4C of the same package.  The log stays short, and a
// server that starts from a snapshot counts on.
TEST(RSM4C, Snapshot) {
  RsmCluster cluster({.max_raft_state = kMaxRaftState});
  cluster.Begin("Test creating and restoring snapshot");
  for (int i = 0; i < kManyIncrements; ++i) cluster.OneInc();
  cluster.CheckCounter(kManyIncrements, kServers);

  if (const size_t size = cluster.stage().LogSize(); size > 2 * kMaxRaftState) {
    Fail(Kind::kEconomy, absl::StrCat("logs were not trimmed (", size,
                                      " > 2 * ", kMaxRaftState, ")"));
  }

  cluster.Shutdown();
  cluster.StartServers();
  cluster.OneInc();
  cluster.CheckCounter(kManyIncrements + 1, kServers);
  cluster.End();
}

}  // namespace
}  // namespace tests
