// Unit tests of tests/runner/go_output.h, and of the cutting of a child's
// output into lines.

#include "tests/runner/go_output.h"

#include <chrono>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/runner/child_process.h"

namespace runner {
namespace {

using std::chrono::milliseconds;

TEST(GoOutput, LinesAreThoseOfGoTest) {
  EXPECT_EQ(RunLine("TestA"), "=== RUN   TestA\n");
  EXPECT_EQ(VerdictLine("PASS", "TestA", milliseconds(3055)),
            "--- PASS: TestA (3.06s)\n");
  EXPECT_EQ(VerdictLine("FAIL", "TestA", milliseconds(120'000)),
            "--- FAIL: TestA (120.00s)\n");
  EXPECT_EQ(CountLine(3, 1), "3 passed, 1 failed\n");
}

TEST(GoOutput, MessagesAreIndentedAndTheirFurtherLinesMore) {
  EXPECT_EQ(Indented("a.cc:1: one"), "    a.cc:1: one\n");
  EXPECT_EQ(Indented("one\n two\n"), "    one\n         two\n");
  EXPECT_EQ(Indented(""), "    \n");
}

TEST(GoOutput, TheCommandThatRepeatsNamesTheBuild) {
  EXPECT_EQ(RepeatCommand("TestA", 7, "test"),
            "make test RUN='^TestA$' SEED=7");
  EXPECT_EQ(RepeatCommand("TestA", ~uint64_t{0}, "race"),
            "make race RUN='^TestA$' SEED=18446744073709551615");
  EXPECT_EQ(RepeatLine(RepeatCommand("TestA", 7, "sim SEEDS=1 PROFILE=fair")),
            "    repeat: make sim SEEDS=1 PROFILE=fair RUN='^TestA$' SEED=7\n");
}

TEST(LineSplitter, CutsLinesWhereverTheBytesAreCut) {
  const std::string text = "one\n\ntwo\nthree";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    std::vector<std::string> lines;
    LineSplitter splitter(
        [&lines](const std::string& line) { lines.push_back(line); });
    splitter.Add(text.substr(0, cut));
    splitter.Add(text.substr(cut));
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "", "two"}));
    splitter.Finish();
    splitter.Finish();
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "", "two", "three"}));
  }
}

TEST(LineSplitter, DoesNotHoardALineWithoutEnd) {
  size_t passed_on = 0;
  LineSplitter splitter(
      [&passed_on](const std::string& line) { passed_on += line.size(); });
  for (int i = 0; i < 1000; ++i) splitter.Add(std::string(1000, 'x'));
  EXPECT_GT(passed_on, 900'000u);
}

}  // namespace
}  // namespace runner
