// Commands of the tests, to bytes and back, and as they are printed.

#include "tests/harness/commands.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace harness {
namespace {

TEST(Commands, SurviveTheWire) {
  const Command commands[] = {0,
                              100,
                              std::numeric_limits<int64_t>::max(),
                              int64_t{-1},
                              "",
                              "abc",
                              std::string("a\0b", 3),
                              std::string(5000, 'x')};
  for (const Command& command : commands) {
    const absl::StatusOr<Command> decoded =
        DecodeCommand(EncodeCommand(command));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, command);
  }
}

TEST(Commands, OfDifferentTypesDiffer) {
  EXPECT_NE(EncodeCommand(100), EncodeCommand("100"));
}

TEST(Commands, RefuseOtherBytes) {
  EXPECT_FALSE(DecodeCommand("").ok());
  EXPECT_FALSE(DecodeCommand("?").ok());
  EXPECT_FALSE(DecodeCommand("i1234567").ok());  // one byte short
  EXPECT_FALSE(DecodeCommand(EncodeCommand("abc") + "d").ok());
}

TEST(Commands, ComeBackFromBytesOfSeveral) {
  const std::vector<Command> commands = {100, "", 7, std::string(5000, 'x')};
  std::string bytes;
  for (const Command& command : commands) bytes += EncodeCommand(command);
  const absl::StatusOr<std::vector<Command>> decoded = DecodeCommands(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, commands);
  EXPECT_TRUE(DecodeCommands("")->empty());

  int whole = 0;  // beginnings that end between two commands
  for (size_t size = 1; size < bytes.size(); ++size) {
    whole += DecodeCommands(std::string_view(bytes).substr(0, size)).ok();
  }
  EXPECT_EQ(whole, 3);
  EXPECT_FALSE(DecodeCommands(bytes + "?").ok());
  EXPECT_FALSE(DecodeCommands(bytes + "i1234567").ok());
  EXPECT_FALSE(DecodeCommands("s" + std::string(8, '\xff')).ok());
}

TEST(Commands, PrintAsInTheCourse) {
  EXPECT_EQ(ToString(Command(100)), "100");
  EXPECT_EQ(ToString(Command("abc")), "abc");
  EXPECT_EQ(ToString(std::vector<int64_t>{100, 101}), "[100 101]");
  EXPECT_EQ(ToString(std::vector<int64_t>{}), "[]");
}

}  // namespace
}  // namespace harness
