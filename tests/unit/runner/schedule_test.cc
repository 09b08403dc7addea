// Unit tests of tests/runner/schedule.h.

#include "tests/runner/schedule.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace runner {
namespace {

using Seconds = Schedule::Duration;
using Limits = Schedule::Limits;

const Schedule::Test kUnknown;

Schedule::Test Unit(double seconds) {
  return {.computes = true, .duration = Seconds(seconds)};
}
Schedule::Test Lab(double seconds) {
  return {.is_timed = true, .duration = Seconds(seconds)};
}

// What starts now: "0 3 1".
std::string Started(Schedule* schedule) {
  std::string started;
  while (const std::optional<size_t> next = schedule->Next()) {
    absl::StrAppend(&started, started.empty() ? "" : " ", *next);
  }
  return started;
}

TEST(Schedule, OneAtATimeIsInOrder) {
  Schedule schedule({Lab(1), Lab(9), Unit(2)}, Schedule::LimitsOf(1));
  EXPECT_EQ(Started(&schedule), "0");
  schedule.End(0);
  EXPECT_EQ(Started(&schedule), "1");
  schedule.End(1);
  EXPECT_EQ(Started(&schedule), "2");
  EXPECT_FALSE(schedule.AllHaveEnded());
  schedule.End(2);
  EXPECT_TRUE(schedule.AllHaveEnded());
  EXPECT_EQ(Started(&schedule), "");
}

TEST(Schedule, TheLongestRunBesideTheNextInLine) {
  Schedule schedule({Lab(1), Lab(2), Lab(9), Lab(5)}, Schedule::LimitsOf(3));
  EXPECT_EQ(Started(&schedule), "0 2 3");
}

TEST(Schedule, TheNextInLineAlwaysHasAPlace) {
  Schedule schedule({Lab(1), Lab(2), Lab(9), Lab(5)}, Schedule::LimitsOf(2));
  EXPECT_EQ(Started(&schedule), "0 2");
  schedule.End(0);
  EXPECT_EQ(schedule.head(), 1u);
  EXPECT_EQ(Started(&schedule), "1");
  schedule.End(2);
  EXPECT_EQ(schedule.head(), 1u);
  EXPECT_EQ(Started(&schedule), "3");
  schedule.End(1);
  EXPECT_EQ(schedule.head(), 3u);
}

TEST(Schedule, OfUnknownOnesTheLastIsFirst) {
  Schedule schedule({Lab(1), kUnknown, kUnknown, Lab(7)},
                    Schedule::LimitsOf(4));
  EXPECT_EQ(Started(&schedule), "0 2 1 3");
}

TEST(Schedule, TestsThatComputeAreFewBesideOthers) {
  const Limits limits{.at_once = 9, .computing = 3, .computing_beside = 1};
  Schedule schedule({Unit(1), Unit(1), Unit(1), Unit(1), Lab(5), Lab(6)},
                    limits);
  EXPECT_EQ(Started(&schedule), "0 5 4");
  schedule.End(0);
  EXPECT_EQ(Started(&schedule), "1");
  schedule.End(4);
  EXPECT_EQ(Started(&schedule), "");
  schedule.End(5);
  EXPECT_EQ(Started(&schedule), "3 2") << "now there are no others";
}

TEST(Schedule, UnitTestsThatSleepAreNotCounted) {
  const Limits limits{.at_once = 9, .computing = 2, .computing_beside = 1};
  const Schedule::Test sleeps{.is_timed = false, .duration = Seconds(9)};
  Schedule beside({Unit(1), sleeps, sleeps, Unit(2), Lab(5)}, limits);
  EXPECT_EQ(Started(&beside), "0 2 1 4");
  Schedule alone({Unit(1), sleeps, sleeps, Unit(2), Unit(1)}, limits);
  EXPECT_EQ(Started(&alone), "0 2 1 3");
}

TEST(Schedule, RestIsWhatTheLongestWayTakes) {
  const Limits limits{.at_once = 2, .computing = 1, .computing_beside = 1};
  const std::vector<Seconds> none(3, Seconds(0));
  EXPECT_EQ(Schedule({Lab(4), Lab(4), Lab(2)}, limits).Rest(none), Seconds(5));
  EXPECT_EQ(Schedule({Lab(9), Lab(1), Lab(1)}, limits).Rest(none), Seconds(9));
  EXPECT_EQ(Schedule({Unit(4), Unit(3), Lab(1)}, limits).Rest(none),
            Seconds(7));
  EXPECT_EQ(Schedule({kUnknown, Unit(3), Lab(1)}, limits).Rest(none),
            std::nullopt);
}

TEST(Schedule, RestIsWithoutWhatHasRun) {
  Schedule schedule({Lab(3), Lab(8)}, Schedule::LimitsOf(2));
  EXPECT_EQ(Started(&schedule), "0 1");
  EXPECT_EQ(schedule.Rest({Seconds(1), Seconds(2)}), Seconds(6));
  schedule.End(1);
  EXPECT_EQ(schedule.Rest({Seconds(1), Seconds(7)}), Seconds(2));
  EXPECT_EQ(schedule.Rest({Seconds(5), Seconds(7)}), Seconds(0)) << "overdue";
}

TEST(Schedule, ByDefaultUnitTestsLeaveRoom) {
  const Limits limits = Schedule::DefaultLimits();
  EXPECT_GE(limits.computing_beside, 1);
  EXPECT_LE(limits.computing_beside, limits.computing);
  EXPECT_LE(limits.computing, limits.at_once);
}

}  // namespace
}  // namespace runner
