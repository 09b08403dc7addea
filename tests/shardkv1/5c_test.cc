// The Go lab's tests of part 5C of 2025: several controllers at a time, step by
// step and with every number of theirs; the titles are those that the lab
// prints.

#include <chrono>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "shardkv1/config.h"
#include "tests/kvraft/pending_call.h"
#include "tests/runner/suite.h"
#include "tests/shardkv1/lost_controller.h"
#include "tests/shardkv1/put_clerks.h"
#include "tests/shardkv1/shard_test.h"

namespace tests {
namespace {

using harness::Fail;
using harness::Kind;
using harness::TestThreads;
using shardkv1::Gid;
using std::chrono::seconds;

const auto kSuite = runner::Suite::OfCourse("ShardKV5C", "shardkv1", "5C");

// Four threads have groups join and leave, by new controllers.
void ConcurrentControllers(bool reliable) {
  ShardTest test("Test (5C): Concurrent ctrlers ...", {.reliable = reliable});
  test.SpreadPuts();
  TestThreads threads([&test] { test.stage().CheckHasFailed(); });
  const auto end = std::chrono::steady_clock::now() + seconds(2);
  for (int i = 0; i < 4; ++i) {
    test.stage().Spawn(&threads, [&test, end] {
      while (std::chrono::steady_clock::now() < end) {
        const auto controller = test.cluster().MakeController();
        controller->InitController().IgnoreError();
        const Gid gid = test.NewGid();
        if (test.Join(*controller, {gid})) test.Leave(*controller, {gid});
      }
    });
  }
  threads.Join();
  test.stage().CheckError();
  test.CheckAll();
  test.End();
}

// Go lab: TestConcurrentReliable5C.
TEST(ShardKV5C, ConcurrentReliable) {
  ConcurrentControllers(/*reliable=*/true);
}

// Go lab: TestAcquireLockConcurrentUnreliable5C.
TEST(ShardKV5C, AcquireLockConcurrentUnreliable) {
  ConcurrentControllers(/*reliable=*/false);
}

// Go lab: TestPartitionControllerJoin5C.
TEST(ShardKV5C, PartitionControllerJoin) {
  ShardTest test("Test (5C): partition controller in join...", {});
  test.SpreadPuts();
  harness::ServiceStage& stage = test.stage();
  const auto first = test.cluster().MakeController();
  const Gid gid = test.NewGid();

  // The group that joins is down.
  PendingCall join(&stage,
                   [&test, &first, gid] { test.ChangeToWith(*first, gid); });
  stage.Sleep(seconds(1));
  first->Connect(false);
  stage.Sleep(seconds(1));
  test.cluster().StartGroup(gid);

  const auto second = test.cluster().MakeController();
  second->InitController().IgnoreError();
  if (!IsMember(test.Query(), gid)) {
    Fail(Kind::kSafety, absl::StrCat("Didn't recover gid ", gid));
  }

  first->Connect(true);
  if (!join.Returns(seconds(120))) {
    Fail(Kind::kLiveness, "Join didn't complete");
  }
  stage.Sleep(seconds(1));
  test.CheckAll();
  test.End();
}

// Controllers are lost and come back, and with five Clerks they put one key
// meanwhile.
void PartitionRecovery(bool reliable, int rounds, bool with_clerks) {
  ShardTest test("Test (5C): controllers with leased leadership ...",
                 {.reliable = reliable});
  test.SpreadPuts();
  std::optional<PutClerks> clerks;
  if (with_clerks) clerks.emplace(&test, 5, seconds(60));
  base::Random random = base::Random::ForOwner("test");
  for (int i = 0; i < rounds; ++i) {
    LoseController(&test, /*comes_back=*/true, &random);
    if (!with_clerks) test.CheckAll();
  }
  if (with_clerks) clerks->Join();
  test.End();
}

// Go lab: TestPartitionRecoveryReliableNoClerk5C.
TEST(ShardKV5C, PartitionRecoveryReliableNoClerk) {
  PartitionRecovery(/*reliable=*/true, 5, /*with_clerks=*/false);
}

// Go lab: TestPartitionRecoveryUnreliableNoClerk5C.
TEST(ShardKV5C, PartitionRecoveryUnreliableNoClerk) {
  PartitionRecovery(/*reliable=*/false, 3, /*with_clerks=*/false);
}

// Go lab: TestPartitionRecoveryReliableClerks5C.
TEST(ShardKV5C, PartitionRecoveryReliableClerks) {
  PartitionRecovery(/*reliable=*/true, 5, /*with_clerks=*/true);
}

// Go lab: TestPartitionRecoveryUnreliableClerks5C.
TEST(ShardKV5C, PartitionRecoveryUnreliableClerks) {
  PartitionRecovery(/*reliable=*/false, 3, /*with_clerks=*/true);
}

}  // namespace
}  // namespace tests
