// The Go lab's tests of part 5B of 2025: a controller that fails in the middle
// of a change, step by step and with every number of theirs; the titles are
// those that the lab prints.

#include <chrono>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "shardkv1/config.h"
#include "tests/kvraft/pending_call.h"
#include "tests/runner/suite.h"
#include "tests/shardkv1/lost_controller.h"
#include "tests/shardkv1/shard_test.h"

namespace tests {
namespace {

using harness::Fail;
using harness::Kind;
using shardkv1::Config;
using shardkv1::Gid;
using shardkv1::kFirstGroup;
using std::chrono::seconds;

const auto kSuite = runner::Suite::OfCourse("ShardKV5B", "shardkv1", "5B");

// Go lab: TestJoinLeave5B.  A change waits for a group that is down, and ends
// soon when it is up.
TEST(ShardKV5B, JoinLeave) {
  constexpr seconds kWait(2);
  ShardTest test("Test (5B): Join/leave while a shardgrp is down...", {});
  test.SpreadPuts();
  const Config before = test.Query();
  const Gid gid = test.NewGid();

  test.cluster().ShutdownGroup(kFirstGroup);
  {
    PendingCall join(&test.stage(), [&] { test.Join({gid}); });
    // The course waits for two nanoseconds here, and for two seconds below.
    if (join.Returns(kWait)) Fail(Kind::kSafety, "Join finished");
    test.cluster().StartGroup(kFirstGroup);
    if (!join.Returns(kWait)) Fail(Kind::kLiveness, "Join didn't complete");
  }
  const Config after = test.Query();
  if (after.num != before.num + 1) {
    Fail(Kind::kSafety,
         absl::StrCat("wrong num ", after.num, " expected ", before.num + 1));
  }

  test.cluster().ShutdownGroup(gid);
  {
    PendingCall leave(&test.stage(), [&] { test.Leave({kFirstGroup}); });
    if (leave.Returns(kWait)) Fail(Kind::kSafety, "Leave finished");
    test.cluster().StartGroup(gid);
    if (!leave.Returns(kWait)) Fail(Kind::kLiveness, "Leave didn't complete");
  }
  test.CheckAll();
  test.End();
}

// Go lab: TestRecoverCtrler5B.
TEST(ShardKV5B, RecoverCtrler) {
  ShardTest test("Test (5B): recover controller ...", {});
  test.SpreadPuts();
  base::Random random = base::Random::ForOwner("test");
  for (int i = 0; i < 5; ++i) {
    LoseController(&test, /*comes_back=*/false, &random);
    test.CheckAll();
  }
  test.End();
}

}  // namespace
}  // namespace tests
