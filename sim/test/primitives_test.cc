// Every primitive of primitives.h, natively and under the simulator: each seed
// in a fork of its own, each primitive in a simulation of its own.

#include "sim/test/primitives.h"

#include "gtest/gtest.h"
#include "sim/options.h"
#include "sim/test/forked.h"

namespace sim::test {

std::vector<Primitive> AllPrimitives() {
  std::vector<Primitive> all;
  for (const auto& part :
       {Mutexes(), Conditions(), Threads(), Once(), Futures(), Rendezvous(),
        Posix(), TimedCalls(), Clocks()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

namespace {

void RunAllNatively() {
  for (const Primitive& primitive : AllPrimitives()) {
    Note(primitive.name);
    primitive.run();
  }
}

void RunAllSimulated(const Options& options) {
  for (const Primitive& primitive : AllPrimitives()) {
    Note(primitive.name);
    RunHere(options, primitive.run);
  }
}

// The outcome names the primitive. Ten failures tell as much as thousands.
void CheckSeeds(int seeds, Engine engine) {
  int failures = 0;
  for (int seed = 1; seed <= seeds && failures < 10; ++seed) {
    const Options options = Harsh(static_cast<uint64_t>(seed), engine);
    const Outcome outcome = Fork([&] { RunAllSimulated(options); });
    if (outcome.passed()) continue;
    ++failures;
    ADD_FAILURE() << "seed " << seed << ", engine " << EngineName(engine)
                  << ": " << outcome;
  }
}

TEST(SimPrimitives, Natively) {
  const Outcome outcome = Fork(RunAllNatively);
  EXPECT_TRUE(outcome.passed()) << outcome;
}

TEST(SimPrimitives, Fibers) { CheckSeeds(SeedCount(300), Engine::kFiber); }

TEST(SimPrimitives, RealThreads) { CheckSeeds(SeedCount(25), Engine::kNative); }

}  // namespace
}  // namespace sim::test
