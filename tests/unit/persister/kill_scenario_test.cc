// A FileStorage in a process that is killed, a sample (tests/storage/).

#include "tests/storage/kill_scenario.h"

#include "gtest/gtest.h"
#include "tests/storage/temporary_directory.h"

namespace storage_test {
namespace {

TEST(KillScenario, NothingDurableIsLost) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer allows the child of a fork no threads";
#endif
  const TemporaryDirectory temporary;
  const KillRun run =
      RunKillScenario(temporary.path() + "/data", /*seed=*/1, /*rounds=*/5);
  EXPECT_EQ(run.problem, "");
  EXPECT_EQ(run.rounds, 5);
  EXPECT_GT(run.durable, 0U);
}

}  // namespace
}  // namespace storage_test
