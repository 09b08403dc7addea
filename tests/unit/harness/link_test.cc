#include "tests/harness/link.h"

#include "gtest/gtest.h"

namespace harness {
namespace {

TEST(Link, NamesAreReadBack) {
  EXPECT_EQ(ServerName(7, 2), "G7/S2");
  EXPECT_EQ(LinkName({7, 2, 13, 0}), "G7/S2.13-S0");
  const std::optional<Link> link = ParseLink("G7/S2.13-S0");
  ASSERT_TRUE(link.has_value());
  EXPECT_EQ(link->group, 7);
  EXPECT_EQ(link->from, 2);
  EXPECT_EQ(link->incarnation, 13);
  EXPECT_EQ(link->to, 0);
}

TEST(Link, OtherEndsAreNoLinksBetweenServers) {
  for (const char* const name :
       {"", "end", "G0", "G0/S1", "G0/S1.1", "G0/S1.1-", "G0/S1.1-S",
        "G0/S1.1-S2 ", "G0/S1.1-S2x", "G0/S.1-S2", "S1.1-S2", "0/1.1-2"}) {
    EXPECT_FALSE(ParseLink(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace harness
