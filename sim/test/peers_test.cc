// Processes that sockets connect are one run (peer.h).

#include <string>

#include "gtest/gtest.h"
#include "sim/sim.h"
#include "sim/test/programs.h"

namespace sim::test {
namespace {

ProgramOutcome Talk(const std::string& how, const std::string& seed,
                    const std::string& engine = "fiber") {
  return RunProgram("peers", {how},
                    {{"SIM_SEED", seed}, {"SIM_ENGINE", engine}});
}

TEST(SimPeers, AreOneRun) {
  const ProgramOutcome first = Talk("talk", "1");
  EXPECT_EQ(first.status, 0) << first;
  for (const char* const part : {"0: a at ", "1: t at ", "0: end", "1: end"}) {
    EXPECT_TRUE(Contains(first.output, part)) << first;
  }
  EXPECT_EQ(Talk("talk", "1").output, first.output);
  EXPECT_EQ(Talk("talk", "1", "native").output, first.output);
  EXPECT_NE(Talk("talk", "2").output, first.output);
}

// Each answers after 49 ms at the most, by a clock that all share.
TEST(SimPeers, ShareTheirTime) {
  const ProgramOutcome outcome = Talk("talk", "3");
  const size_t at = outcome.output.find("1: x at ");
  ASSERT_NE(at, std::string::npos) << outcome;
  const int microseconds = std::stoi(outcome.output.substr(at + 8));
  EXPECT_GE(microseconds, 0);
  EXPECT_LT(microseconds, 60'000);
}

// Each process shows its threads.
TEST(SimPeers, ReportADeadlockOfAll) {
  const ProgramOutcome outcome = Talk("deadlock", "1");
  EXPECT_EQ(outcome.status, kExitDeadlock) << outcome;
  EXPECT_TRUE(Contains(outcome.errors, "every thread of all processes waits"))
      << outcome;
  EXPECT_TRUE(Contains(outcome.errors, "waits for condition variable"))
      << outcome;
  EXPECT_TRUE(Contains(outcome.errors, "waits to join thread 1")) << outcome;
}

TEST(SimPeers, MayEndEarly) {
  const ProgramOutcome outcome = Talk("gone", "1");
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_TRUE(Contains(outcome.output, "1: end")) << outcome;
  EXPECT_TRUE(Contains(outcome.output, "status 0\nstatus 7\n")) << outcome;
}

}  // namespace
}  // namespace sim::test
