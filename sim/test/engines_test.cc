// Both engines give the same run: same hash, same virtual time, same number of
// everything.

#include <chrono>
#include <functional>

#include "gtest/gtest.h"
#include "sim/test/bugs.h"
#include "sim/test/election.h"
#include "sim/test/forked.h"
#include "sim/test/primitives.h"

namespace sim::test {
namespace {

void ExpectSameRuns(int seeds, const std::function<void()>& program) {
  for (int i = 1; i <= seeds; ++i) {
    const auto seed = static_cast<uint64_t>(i);
    const Outcome fiber = ForkRun(Harsh(seed, Engine::kFiber), program);
    EXPECT_GT(fiber.result.steps, 0u) << fiber;
    EXPECT_EQ(ForkRun(Harsh(seed, Engine::kNative), program), fiber)
        << "seed " << seed;
    if (testing::Test::HasFailure()) return;  // more of it tells no more
  }
}

TEST(SimEngines, Elections) {
  ExpectSameRuns(30, [] {
    RunElections(ElectionBug::kNone, std::chrono::milliseconds(300));
  });
}

// All primitives, one after another in one simulation.
TEST(SimEngines, Primitives) {
  ExpectSameRuns(30, [] {
    for (const Primitive& primitive : AllPrimitives()) {
      Note(primitive.name);
      primitive.run();
      NoteProgress();
    }
  });
}

// Also a run that ends badly is the same.
TEST(SimEngines, Bugs) {
  ExpectSameRuns(30, [] { LostWakeup(Version::kBuggy); });
  ExpectSameRuns(30, [] { LockOrder(Version::kBuggy); });
}

TEST(SimEngines, FallBack) {
  EXPECT_EQ(UsableEngine(Engine::kFiber, true, false), Engine::kFiber);
  EXPECT_EQ(UsableEngine(Engine::kFiber, false, false), Engine::kNative);
  for (const bool has_fsgsbase : {false, true}) {
    EXPECT_EQ(UsableEngine(Engine::kNative, has_fsgsbase, false),
              Engine::kNative);
    for (const Engine wanted : {Engine::kFiber, Engine::kNative}) {
      EXPECT_EQ(UsableEngine(wanted, has_fsgsbase, true), Engine::kNative);
    }
  }
}

}  // namespace
}  // namespace sim::test
