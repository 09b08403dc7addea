// simmem.cc: memory accesses as scheduling points.

#include <map>
#include <string>

#include "gtest/gtest.h"
#include "sim/test/programs.h"

namespace sim::test {
namespace {

constexpr int kSeeds = 40;

ProgramOutcome RunMemory(const std::string& what, int seed) {
  return RunProgram("memory", {what}, {{"SIM_SEED", std::to_string(seed)}});
}

TEST(SimMemory, SpinningOnAnAtomicGoesOn) {
  for (int seed = 1; seed <= 3; ++seed) {
    const ProgramOutcome outcome = RunMemory("spin", seed);
    EXPECT_EQ(outcome.status, 0) << outcome;
    EXPECT_EQ(outcome.output, "done\n");
  }
}

// How often each was printed.
std::map<std::string, int> OutputsOf(const std::string& what) {
  std::map<std::string, int> outputs;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const ProgramOutcome outcome = RunMemory(what, seed);
    EXPECT_EQ(outcome.status, 0) << outcome;
    ++outputs[outcome.output];
  }
  return outputs;
}

TEST(SimMemory, UnprotectedUpdatesGetLost) {
  EXPECT_GE(OutputsOf("update")["lost\n"], kSeeds / 4);
}

TEST(SimMemory, AtomicUpdatesDoNot) {
  EXPECT_EQ(OutputsOf("update_atomically")["all\n"], kSeeds);
}

TEST(SimMemory, ASeedIsARun) {
  for (int seed = 1; seed <= 5; ++seed) {
    EXPECT_EQ(RunMemory("update", seed).output,
              RunMemory("update", seed).output);
  }
}

}  // namespace
}  // namespace sim::test
