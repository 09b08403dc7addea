// A seed is a run: the same again, whatever else the machine does; and another
// seed is another run.

#include <signal.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/test/bugs.h"
#include "sim/test/election.h"
#include "sim/test/forked.h"
#include "sim/test/programs.h"

namespace sim::test {
namespace {

constexpr int kSeeds = 20;

Outcome Elect(int seed) {
  return ForkRun(Harsh(static_cast<uint64_t>(seed)), [] {
    RunElections(ElectionBug::kNone, std::chrono::milliseconds(300));
  });
}

// Processes that do nothing but take processor time, until its end.
class BusyLoops {
 public:
  explicit BusyLoops(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t child = fork();
      if (child == 0) Spin();
      children_.push_back(child);
    }
  }
  ~BusyLoops() {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
  }
  BusyLoops(const BusyLoops&) = delete;
  BusyLoops& operator=(const BusyLoops&) = delete;

 private:
  [[noreturn]] static void Spin() {
    alarm(100);  // should its parent be killed
    for (volatile unsigned turns = 0;;) turns = turns + 1;
  }

  std::vector<pid_t> children_;
};

TEST(SimReplay, InForks) {
  std::set<uint64_t> hashes;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const Outcome first = Elect(seed);
    EXPECT_TRUE(first.passed()) << first;
    EXPECT_EQ(Elect(seed), first) << "seed " << seed;
    hashes.insert(first.result.hash);
  }
  EXPECT_EQ(hashes.size(), static_cast<size_t>(kSeeds));
}

TEST(SimReplay, BesideBusyLoops) {
  std::vector<Outcome> alone;
  for (int seed = 1; seed <= kSeeds; ++seed) alone.push_back(Elect(seed));
  const BusyLoops busy(2);
  for (int seed = 1; seed <= kSeeds; ++seed) {
    EXPECT_EQ(Elect(seed), alone[static_cast<size_t>(seed - 1)])
        << "seed " << seed;
  }
}

// The engine with real threads must not show that the machine is loaded.
TEST(SimReplay, RealThreadsBesideBusyLoops) {
  const BusyLoops busy(2);
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Options options = Harsh(seed, Engine::kNative);
    const auto program = [] {
      RunElections(ElectionBug::kNone, std::chrono::milliseconds(200));
    };
    const Outcome first = ForkRun(options, program);
    EXPECT_TRUE(first.passed()) << first;
    EXPECT_EQ(ForkRun(options, program), first) << "seed " << seed;
  }
}

// A simulation is not changed by those that the process ran before.
TEST(SimReplay, InOneProcess) {
  const auto program = [] { LockOrder(Version::kCorrect); };
  const Outcome alone = ForkRun(Harsh(7), program);
  const Outcome third = Fork([&] {
    RunHere(Harsh(5), program);
    RunHere(Harsh(6), program);
    RunHere(Harsh(7), program);
  });
  EXPECT_TRUE(alone.passed()) << alone;
  EXPECT_EQ(third, alone);
}

std::string PointersDigest(const std::string& seed,
                           const std::string& environment,
                           const std::string& engine) {
  const ProgramOutcome outcome = RunProgram("pointers", {},
                                            {{"SIM_SEED", seed},
                                             {"SIM_ENGINE", engine},
                                             {"SOME_VARIABLE", environment}});
  EXPECT_EQ(outcome.status, 0) << outcome;
  const std::string digest = ValueOf(outcome.output, "digest");
  EXPECT_NE(digest, "") << outcome;
  return digest;
}

// Some containers forbid it; then the rest of the simulator works as well.
bool CanFixAddresses() {
  const auto persona = static_cast<unsigned long>(personality(~0u));
  const bool can = personality(persona | ADDR_NO_RANDOMIZE) >= 0;
  personality(persona);
  return can;
}

TEST(SimReplay, AddressesInFreshProcesses) {
  if (!CanFixAddresses()) GTEST_SKIP() << "personality() is forbidden here";
  for (const char* const engine : {"fiber", "native"}) {
    std::set<std::string> digests;
    for (const char* const seed : {"1", "2", "3", "4"}) {
      const std::string digest = PointersDigest(seed, "", engine);
      digests.insert(digest);
      EXPECT_EQ(PointersDigest(seed, "", engine), digest)
          << "seed " << seed << " engine " << engine;
      EXPECT_EQ(PointersDigest(seed, std::string(3000, 'x'), engine), digest)
          << "seed " << seed << " engine " << engine;
    }
    EXPECT_EQ(digests.size(), 4u) << engine;
  }
}

}  // namespace
}  // namespace sim::test
