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

TEST(LineSplitter, CutsAtLineFeeds) {
  Lines lines;
  LineSplitter splitter(Into(&lines));
  splitter.Add("one\ntw");
  splitter.Add("o\n\nthr");
  splitter.Add("ee");
  EXPECT_EQ(lines, (Lines{"one", "two", ""}));
  splitter.Finish();
  splitter.Finish();
  EXPECT_EQ(lines, (Lines{"one", "two", "", "three"}));
}

TEST(LineSplitter, PassesOnALongLineInPieces) {
  Lines lines;
  LineSplitter splitter(Into(&lines));
  splitter.Add(std::string(64 << 10, 'x'));
  EXPECT_EQ(lines.size(), 1u);
  splitter.Add("y\n");
  EXPECT_EQ(lines.back(), "y");
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
