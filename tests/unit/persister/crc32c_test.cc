// Unit tests of persister/files/crc32c.h.

#include "persister/files/crc32c.h"

#include <string>

#include "base/random.h"
#include "gtest/gtest.h"

namespace persister {
namespace {

// RFC 3720, B.4.
TEST(Crc32c, HasThePublishedValues) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  std::string ascending;
  for (char i = 0; i < 32; ++i) ascending.push_back(i);
  EXPECT_EQ(Crc32c(ascending), 0x46DD794EU);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(Crc32c(""), 0U);
}

TEST(Crc32c, ContinuesWhatWasBefore) {
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), Crc32c("123456789"));
}

TEST(Crc32c, BothWaysAreTheSame) {
  if (!HasCrc32cInstruction()) GTEST_SKIP() << "no instruction";
  base::Random random(1);
  for (int length = 0; length < 200; ++length) {
    const std::string bytes = random.Name(length);
    EXPECT_EQ(Crc32cByTable(bytes, 7), Crc32cByInstruction(bytes, 7));
  }
}

}  // namespace
}  // namespace persister
