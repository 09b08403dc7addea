// The distributions of delays and losses, judged on drawn values.
//
// The seeds are fixed, so nothing here depends on luck; the bounds are five
// standard deviations wide and more, so another seed would pass too.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "labrpc/faults.h"

namespace tests {
namespace {

using labrpc::Faults;

constexpr int kDraws = 100000;

std::vector<int> Draw(const std::function<std::chrono::milliseconds()>& draw) {
  std::vector<int> values;
  for (int i = 0; i < kDraws; ++i) {
    values.push_back(static_cast<int>(draw().count()));
  }
  std::sort(values.begin(), values.end());
  return values;
}

double Mean(const std::vector<int>& values) {
  double sum = 0;
  for (const int value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Expects values uniform in 0..bound-1, both ends among them.
void ExpectUniform(const std::vector<int>& sorted, int bound) {
  EXPECT_EQ(sorted.front(), 0);
  EXPECT_EQ(sorted.back(), bound - 1);
  const double deviation = bound / std::sqrt(12.0);
  EXPECT_NEAR(Mean(sorted), (bound - 1) / 2.0,
              5 * deviation / std::sqrt(kDraws));
  for (int decile = 1; decile < 10; ++decile) {
    EXPECT_NEAR(sorted[kDraws * decile / 10], bound * decile / 10.0,
                1 + bound * 0.01);
  }
}

void ExpectChance(const std::function<bool()>& draw, double chance) {
  int hits = 0;
  for (int i = 0; i < kDraws; ++i) hits += draw();
  EXPECT_NEAR(hits, kDraws * chance,
              5 * std::sqrt(kDraws * chance * (1 - chance)));
}

TEST(Faults, RequestDelayIsUniformBelow27Ms) {
  Faults faults(base::Random(1));
  ExpectUniform(Draw([&] { return faults.RequestDelay(); }), 27);
}

TEST(Faults, UndeliverableDelayIsUniformBelow100Ms) {
  Faults faults(base::Random(2));
  ExpectUniform(Draw([&] { return faults.UndeliverableDelay(false); }), 100);
}

// 100,000 draws of 7,000 values miss either end with probability 6e-7.
TEST(Faults, LongUndeliverableDelayIsUniformBelow7000Ms) {
  Faults faults(base::Random(3));
  ExpectUniform(Draw([&] { return faults.UndeliverableDelay(true); }), 7000);
}

TEST(Faults, LossesAreOneInTen) {
  Faults faults(base::Random(4));
  ExpectChance([&] { return faults.LosesRequest(); }, 0.1);
  ExpectChance([&] { return faults.LosesReply(); }, 0.1);
}

// Draw by draw: 100 of 1,000, 600 of 900, and one bound below 2,000.
TEST(Faults, ChancesAreExact) {
  Faults faults(base::Random(8));
  base::Random same(8);
  for (int i = 0; i < kDraws; ++i) {
    ASSERT_EQ(faults.LosesRequest(), same.Below(1000) < 100);
    ASSERT_EQ(faults.LosesReply(), same.Below(1000) < 100);
    ASSERT_EQ(faults.ReordersReply(), same.Below(900) < 600);
    const uint64_t longest = same.Below(2000);
    ASSERT_EQ(faults.ReorderingDelay().count(), 200 + same.Below(longest + 1));
  }
}

// 0.9 x 0.9 of all calls get through, 0.9 x 0.1 run without the caller knowing.
TEST(Faults, LossesAreIndependent) {
  Faults faults(base::Random(5));
  ExpectChance([&] { return !faults.LosesRequest() && !faults.LosesReply(); },
               0.81);
  ExpectChance([&] { return !faults.LosesRequest() && faults.LosesReply(); },
               0.09);
}

TEST(Faults, ReorderingTakesTwoOfThree) {
  Faults faults(base::Random(6));
  ExpectChance([&] { return faults.ReordersReply(); }, 2.0 / 3);
}

// 200 + X ms, X uniform in 0..N, N uniform in 0..1999.
TEST(Faults, ReorderingDelayIsSkewedToShort) {
  Faults faults(base::Random(7));
  const auto sorted = Draw([&] { return faults.ReorderingDelay(); });

  EXPECT_EQ(sorted.front(), 200);
  EXPECT_LE(sorted.back(), 2199);
  EXPECT_GT(sorted.back(), 2100);
  EXPECT_NEAR(Mean(sorted), 699.75, 7);
  EXPECT_NEAR(sorted[kDraws * 10 / 100], 240, 5);
  EXPECT_NEAR(sorted[kDraws * 25 / 100], 335, 6);
  EXPECT_NEAR(sorted[kDraws * 50 / 100], 573, 10);
  EXPECT_NEAR(sorted[kDraws * 75 / 100], 965, 12);
  EXPECT_NEAR(sorted[kDraws * 90 / 100], 1373, 15);
  EXPECT_NEAR(sorted[kDraws * 99 / 100], 1925, 25);
}

}  // namespace
}  // namespace tests
