// Unit tests of tests/runner/lines.h.

#include "tests/runner/lines.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace runner {
namespace {

using Lines = std::vector<std::string>;

LineSink Into(Lines* lines) {
  return [lines](const std::string& line) { lines->push_back(line); };
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

TEST(LineLimit, ChangesNothingBelowIt) {
  Lines lines;
  LineLimit limit(9, Into(&lines));
  for (const char* line : {"one", "two", "", ""}) limit.Add(line);
  EXPECT_EQ(lines, (Lines{"one", "two", ""}));
  limit.Finish();
  EXPECT_EQ(lines, (Lines{"one", "two", "", ""})) << "nothing had to be cut";
}

TEST(LineLimit, CutsOutTheMiddle) {
  Lines lines;
  LineLimit limit(10, Into(&lines));
  limit.Add("begin");
  const std::string block(10'000, 'x');
  for (int i = 0; i < 20; ++i) limit.Add(absl::StrCat(block, i));
  limit.Add("end");
  EXPECT_EQ(lines, Lines{"begin"});
  limit.Finish();
  ASSERT_GT(lines.size(), 3u);
  EXPECT_EQ(lines.back(), "end");
  EXPECT_EQ(lines[lines.size() - 2], absl::StrCat(block, 19));
  // 64 KiB hold six of the blocks and the end.
  EXPECT_EQ(lines.size(), 9u);
  EXPECT_EQ(lines[1],
            absl::StrCat("(", 10 * 10'002 + 4 * 10'003,
                         " bytes are cut out here: of more than 10 only the "
                         "last lines are kept)"));
}

}  // namespace
}  // namespace runner
