// The checks of an applier, as in the course's applier and with its messages.

#include "tests/harness/apply_log.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace harness {
namespace {

TEST(ApplyLog, CountsWhoHasAppliedAnIndex) {
  ApplyLog log(/*servers=*/3);
  EXPECT_EQ(log.At(1).servers, 0);
  EXPECT_EQ(log.max_index(), 0u);

  EXPECT_EQ(log.Apply(/*server=*/2, /*index=*/1, 100), std::nullopt);
  EXPECT_EQ(log.Apply(/*server=*/0, /*index=*/1, 100), std::nullopt);
  EXPECT_EQ(log.Apply(/*server=*/0, /*index=*/2, "x"), std::nullopt);

  EXPECT_EQ(log.At(1).servers, 2);
  EXPECT_EQ(log.At(1).command, Command(100));
  EXPECT_EQ(log.At(2).servers, 1);
  EXPECT_EQ(log.At(2).command, Command("x"));
  EXPECT_EQ(log.At(0).servers, 0);
  EXPECT_EQ(log.At(3).servers, 0);
  EXPECT_EQ(log.max_index(), 2u);
}

TEST(ApplyLog, RefusesAnotherCommandAtAnIndexOfAnyServer) {
  ApplyLog log(/*servers=*/3);
  ASSERT_EQ(log.Apply(2, 1, 100), std::nullopt);

  EXPECT_EQ(log.Apply(0, 1, 101),
            "commit index=1 server=0 101 != server=2 100");
  EXPECT_EQ(log.At(1).servers, 1);  // nothing was recorded

  // Compared by type too: the string 100 is not the integer.
  EXPECT_EQ(log.Apply(0, 1, "100"),
            "commit index=1 server=0 100 != server=2 100");
}

TEST(ApplyLog, RefusesWhatAServerItselfHasAppliedDifferently) {
  ApplyLog log(/*servers=*/3);
  ASSERT_EQ(log.Apply(1, 1, 7), std::nullopt);
  EXPECT_EQ(log.Apply(1, 1, 8), "commit index=1 server=1 8 != server=1 7");
}

TEST(ApplyLog, RefusesAGap) {
  ApplyLog log(/*servers=*/2);
  EXPECT_EQ(log.Apply(0, 2, 7), "server 0 apply out of order 2");
  EXPECT_EQ(log.Apply(0, 0, 7), "server 0 apply out of order 0");
  ASSERT_EQ(log.Apply(0, 1, 7), std::nullopt);

  // A gap is told before a difference, as in the course.
  ASSERT_EQ(log.Apply(1, 1, 7), std::nullopt);
  ASSERT_EQ(log.Apply(1, 2, 8), std::nullopt);
  ASSERT_EQ(log.Apply(1, 3, 9), std::nullopt);
  EXPECT_EQ(log.Apply(0, 3, 10), "server 0 apply out of order 3");
  EXPECT_EQ(log.max_index(), 3u);
}

// A restarted server applies its log from the beginning.
TEST(ApplyLog, AllowsToApplyTheSameAgain) {
  ApplyLog log(/*servers=*/1);
  for (raft::Index index = 1; index <= 3; ++index) {
    ASSERT_EQ(log.Apply(0, index, 7), std::nullopt);
  }
  for (raft::Index index = 1; index <= 3; ++index) {
    EXPECT_EQ(log.Apply(0, index, 7), std::nullopt);
  }
  EXPECT_EQ(log.At(3).servers, 1);
  EXPECT_EQ(log.max_index(), 3u);
  EXPECT_EQ(log.Apply(0, 4, 8), std::nullopt);
}

TEST(ApplyLog, GoesOnFromASnapshot) {
  ApplyLog log(/*servers=*/2);
  for (raft::Index index = 1; index <= 3; ++index) {
    ASSERT_EQ(log.Apply(0, index, 10 * static_cast<int64_t>(index)),
              std::nullopt);
  }
  EXPECT_EQ(log.Install(1, {10, 20}), std::nullopt);
  EXPECT_EQ(log.At(1).servers, 2);
  EXPECT_EQ(log.At(2).servers, 2);
  EXPECT_EQ(log.At(3).servers, 1);
  EXPECT_EQ(log.Apply(1, 3, 30), std::nullopt);
  EXPECT_EQ(log.max_index(), 3u);

  // It is all that its server has applied now.
  EXPECT_EQ(log.Install(1, {10}), std::nullopt);
  EXPECT_EQ(log.At(2).servers, 1);
  EXPECT_EQ(log.Apply(1, 3, 30), "server 1 apply out of order 3");
}

TEST(ApplyLog, RefusesASnapshotOfOtherCommands) {
  ApplyLog log(/*servers=*/2);
  ASSERT_EQ(log.Apply(0, 1, 10), std::nullopt);
  ASSERT_EQ(log.Apply(0, 2, 20), std::nullopt);
  EXPECT_EQ(log.Install(1, {10, 21, 30}),
            "commit index=2 server=1 21 != server=0 20");
  EXPECT_EQ(log.At(1).servers, 1);  // nothing was recorded
  EXPECT_EQ(log.Install(0, {11}), "commit index=1 server=0 11 != server=0 10");
  EXPECT_EQ(log.At(2).servers, 1);
}

}  // namespace
}  // namespace harness
