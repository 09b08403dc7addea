// The lines of a test, character by character, and the schedule of Wait().

#include "tests/harness/report.h"

#include <vector>

#include "gtest/gtest.h"

namespace harness {
namespace {

using std::chrono::milliseconds;

TEST(Report, TitleLineIsTheCourses) {
  EXPECT_EQ(TitleLine("Test (2A): initial election"),
            "Test (2A): initial election ...");
}

TEST(Report, PassedLineIsTheCourses) {
  const Costs samples[] = {
      {milliseconds(3040), 3, 46, 12724, 0},
      {milliseconds(28649), 5, 1342, 953354, 102},
      {milliseconds(119960), 7, 123456, 123456789, 12345},
  };
  EXPECT_EQ(PassedLine(samples[0]),
            "  ... Passed --   3.0  3   46   12724    0");
  EXPECT_EQ(PassedLine(samples[1]),
            "  ... Passed --  28.6  5 1342  953354  102");
  EXPECT_EQ(PassedLine(samples[2]),
            "  ... Passed --  120.0  7 123456 123456789 12345");
}

TEST(Report, PausesDoubleBelowOneSecond) {
  std::vector<int64_t> pauses;
  milliseconds total(0);
  milliseconds pause = kFirstPause;
  for (int i = 0; i < kMostPauses; ++i) {
    pauses.push_back(pause.count());
    total += pause;
    pause = NextPause(pause);
  }
  const std::vector<int64_t> first(pauses.begin(), pauses.begin() + 10);
  EXPECT_EQ(first, (std::vector<int64_t>{10, 20, 40, 80, 160, 320, 640, 1280,
                                         1280, 1280}));
  EXPECT_EQ(total, milliseconds(1270 + 23 * 1280));  // some 30.7 s
}

// The examples are lines of the course's own runs.
TEST(Report, LinesOfServices) {
  const ServiceCosts costs{.time = std::chrono::duration<double>(15.2),
                           .servers = 5,
                           .rpcs = 4323,
                           .operations = 916};
  EXPECT_EQ(ServicePassedLine(costs), "  ... Passed --  15.2  5  4323  916");
  EXPECT_EQ(ServicePassedLine2025(costs),
            "  ... Passed --  time 15.2s #peers 5 #RPCs  4323 #Ops  916");
  EXPECT_EQ(TitleLine2025("Test: one client (4B basic)", true),
            "Test: one client (4B basic) (reliable network)...");
  EXPECT_EQ(TitleLine2025("Test: x", false), "Test: x (unreliable network)...");
}

}  // namespace
}  // namespace harness
