// Unit tests of base/random.h: everything follows from the run's seed and the
// owner's name, and nothing else.

#include "base/random.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace base {
namespace {

std::vector<uint64_t> Draws(Random random) {
  std::vector<uint64_t> draws;
  for (int i = 0; i < 8; ++i) draws.push_back(random.Below(1'000'000'000));
  return draws;
}

std::vector<uint64_t> FirstDraws(uint64_t seed, const std::string& owner) {
  SetRunSeed(seed);
  return Draws(Random::ForOwner(owner));
}

TEST(Random, SameSeedAndOwnerGiveTheSameStream) {
  EXPECT_EQ(FirstDraws(7, "raft/0"), FirstDraws(7, "raft/0"));
  EXPECT_EQ(RunSeed(), 7u);
}

TEST(Random, SeedsOwnersAndLivesDiffer) {
  std::set<std::vector<uint64_t>> streams;
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, uint64_t{2},
                              uint64_t{1} << 32, uint64_t{1} << 63}) {
    SetRunSeed(seed);
    for (const char* owner : {"raft/0", "raft/1", "raft/10", "network"}) {
      streams.insert(Draws(Random::ForOwner(owner)));
      streams.insert(Draws(Random::ForOwner(owner)));
    }
  }
  EXPECT_EQ(streams.size(), 5u * 4u * 2u);
}

TEST(Random, OtherOwnersDrawsShiftNothing) {
  const std::vector<uint64_t> alone = FirstDraws(7, "raft/0");
  SetRunSeed(7);
  Random other = Random::ForOwner("network");
  other.Below(10);
  EXPECT_EQ(Draws(Random::ForOwner("raft/0")), alone);
}

// A known value: the streams are the same on every machine and compiler.
TEST(Random, StreamOfAFixedSeedNeverChanges) {
  // The standard fixes mt19937_64: from its default seed, the 10000th value.
  std::mt19937_64 engine;
  engine.discard(9999);
  ASSERT_EQ(engine(), 9981545732273789042u);
  Random random(5489);
  std::mt19937_64 same(5489);
  EXPECT_EQ(random.Below(uint64_t{1} << 63), same() >> 1);
}

// So a seed of a failed test stays good.
TEST(Random, StreamsOfAnOwnerNeverChange) {
  SetRunSeed((uint64_t{5} << 32) + 7);
  EXPECT_EQ(Draws(Random::ForOwner("raft/0"))[0], 605635519u);
  EXPECT_EQ(Draws(Random::ForOwner("raft/0"))[0], 655859283u);
  EXPECT_EQ(Draws(Random::ForOwner("\xff"))[0], 775023767u);
}

TEST(Random, EntropyGivesAnotherStreamEachTime) {
  EXPECT_NE(Draws(Random::FromEntropy()), Draws(Random::FromEntropy()));
}

TEST(Random, BelowAndBetweenReachTheirBoundsAndNoFurther) {
  Random random(1);
  std::set<uint64_t> below;
  std::set<int64_t> between;
  for (int i = 0; i < 1000; ++i) {
    below.insert(random.Below(3));
    between.insert(random.Between(-1, 1));
  }
  EXPECT_EQ(below, (std::set<uint64_t>{0, 1, 2}));
  EXPECT_EQ(between, (std::set<int64_t>{-1, 0, 1}));
  EXPECT_EQ(random.Below(1), 0u);
  EXPECT_EQ(random.Between(5, 5), 5);
}

// 10,000 draws of probability 1/4: 2,500, standard deviation 43.3.
TEST(Random, ChanceKeepsItsProbability) {
  Random random(1);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) hits += random.Chance(1, 4) ? 1 : 0;
  EXPECT_NEAR(hits, 2500, 5 * 43.3);
  EXPECT_FALSE(random.Chance(0, 4));
  EXPECT_TRUE(random.Chance(4, 4));
}

TEST(Random, NamesHaveTheirLengthAndAlphabet) {
  Random random(1);
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) names.insert(random.Name(20));
  EXPECT_EQ(names.size(), 100u);
  std::set<char> characters;
  for (const std::string& name : names) {
    characters.insert(name.begin(), name.end());
  }
  EXPECT_EQ(characters.size(), 64u);
  EXPECT_EQ(random.Name(0), "");
  for (const std::string& name : names) {
    EXPECT_EQ(name.size(), 20u);
    EXPECT_EQ(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "abcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
  }
}

TEST(RandomDeathTest, RefusesAnEmptyRange) {
  Random random(1);
  EXPECT_DEATH(random.Below(0), "Check failed");
  EXPECT_DEATH(random.Between(2, 1), "Check failed");
}

}  // namespace
}  // namespace base
