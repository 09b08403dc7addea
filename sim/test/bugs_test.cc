// How many seeds find each planted bug; that the first which does replays
// exactly; and that no seed finds anything in the correct version.
//
// The rates go to standard output: they tell what a change of the swarm's
// distributions is worth.

#include "sim/test/bugs.h"

#include <algorithm>
#include <cstdio>
#include <functional>

#include "gtest/gtest.h"
#include "sim/test/election.h"
#include "sim/test/forked.h"

namespace sim::test {
namespace {

using Program = std::function<void()>;

constexpr int kSeeds = 500;
constexpr int kReplays = 5;

struct Found {
  int count = 0;
  uint64_t first = 0;  // the first seed that found it
  Outcome outcome;     // and how that run ended
};

bool Fails(uint64_t seed, const Program& program, Outcome* outcome) {
  *outcome = ForkRun(Harsh(seed), program);
  return !outcome->passed();
}

// Tries seeds 1 to `seeds`, or up to the first that finds something.
Found Find(const Program& program, int seeds, bool is_one_enough) {
  Found found;
  for (int i = 1; i <= seeds; ++i) {
    const auto seed = static_cast<uint64_t>(i);
    Outcome outcome;
    if (!Fails(seed, program, &outcome)) continue;
    if (++found.count == 1) {
      found.first = seed;
      found.outcome = outcome;
    }
    if (is_one_enough) break;
  }
  return found;
}

void CheckReplay(const Found& found, const Program& program) {
  for (int i = 0; i < kReplays; ++i) {
    Outcome again;
    EXPECT_TRUE(Fails(found.first, program, &again));
    EXPECT_EQ(again, found.outcome) << "seed " << found.first;
  }
}

void CheckNoneFound(const Program& program, int seeds) {
  const Found found = Find(program, seeds, /*is_one_enough=*/true);
  EXPECT_EQ(found.count, 0) << "seed " << found.first << ": " << found.outcome;
}

// A share below `floor` is a failure.
void CheckShare(const Program& program, double floor) {
  // Of fewer a share means little.
  const int seeds = std::max(kSeeds, SeedCount(kSeeds));
  const Found found = Find(program, seeds, /*is_one_enough=*/false);
  const double share = static_cast<double>(found.count) / seeds;
  std::printf("found by %d of %d seeds (%.1f %%; at least %.0f %%), ",
              found.count, seeds, share * 100, floor * 100);
  std::printf("first by seed %d\n", static_cast<int>(found.first));
  EXPECT_GE(share, floor);
  if (found.count > 0) CheckReplay(found, program);
}

void CheckBug(void (*bug)(Version), double floor) {
  CheckShare([bug] { bug(Version::kBuggy); }, floor);
  CheckNoneFound([bug] { bug(Version::kCorrect); }, SeedCount(kSeeds));
}

Program Elections(ElectionBug bug) {
  return [bug] { RunElections(bug, std::chrono::milliseconds(300)); };
}

TEST(SimBugs, LostWakeup) { CheckBug(LostWakeup, 0.15); }

TEST(SimBugs, LockOrder) { CheckBug(LockOrder, 0.40); }

TEST(SimBugs, CheckThenAct) { CheckBug(CheckThenAct, 0.30); }

TEST(SimBugs, CheckThenActLate) { CheckBug(CheckThenActLate, 0.01); }

TEST(SimBugs, FiveSteps) {
  constexpr int kPatience = 5000;
  const Program program = [] { FiveSteps(Version::kBuggy); };
  const Found found = Find(program, kPatience, /*is_one_enough=*/true);
  std::printf("first found by seed %d\n", static_cast<int>(found.first));
  ASSERT_EQ(found.count, 1);
  CheckReplay(found, program);
  CheckNoneFound([] { FiveSteps(Version::kCorrect); }, SeedCount(kSeeds));
}

TEST(SimBugs, ElectionStaleReply) {
  CheckShare(Elections(ElectionBug::kStaleReply), 0.03);
}

TEST(SimBugs, ElectionDoubleVote) {
  CheckShare(Elections(ElectionBug::kDoubleVote), 0.02);
}

TEST(SimBugs, ElectionApplierAsleep) {
  CheckShare(Elections(ElectionBug::kApplierAsleep), 0.20);
}

TEST(SimBugs, ElectionCorrect) {
  CheckNoneFound(Elections(ElectionBug::kNone), SeedCount(kSeeds));
}

}  // namespace
}  // namespace sim::test
