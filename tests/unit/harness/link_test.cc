#include "tests/harness/link.h"

#include "gtest/gtest.h"

namespace harness {
namespace {

TEST(Link, NamesAreReadBack) {
  EXPECT_EQ(LinkName({2, 13, 0}), "S2.13-S0");
  const std::optional<Link> link = ParseLink("S2.13-S0");
  ASSERT_TRUE(link.has_value());
  EXPECT_EQ(link->from, 2);
  EXPECT_EQ(link->life, 13);
  EXPECT_EQ(link->to, 0);
}

TEST(Link, OtherEndsAreNobodys) {
  for (const char* const name : {"", "end", "S1", "S1.1", "S1.1-", "S1.1-S",
                                 "S1.1-S2 ", "S1.1-S2x", "S.1-S2", "1.1-2"}) {
    EXPECT_FALSE(ParseLink(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace harness
