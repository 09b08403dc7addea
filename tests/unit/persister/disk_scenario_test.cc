// FileStorage on a simulated disk, a sample of the seeds (tests/storage/).

#include "tests/storage/disk_scenario.h"

#include "gtest/gtest.h"

namespace storage_test {
namespace {

TEST(DiskScenario, NothingDurableIsLostAndRotIsNeverServed) {
  DiskRun sum;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const DiskRun run = RunDiskScenario(seed);
    ASSERT_EQ(run.problem, "") << "seed " << seed;
    sum.incarnations += run.incarnations;
    sum.refused += run.refused;
    sum.failures += run.failures;
    sum.torn += run.torn;
  }
  // Each kind of thing did happen.
  EXPECT_GT(sum.incarnations, 800);
  EXPECT_GT(sum.refused, 5);
  EXPECT_GT(sum.failures, 50);
  EXPECT_GT(sum.torn, 20);
}

}  // namespace
}  // namespace storage_test
