// Unit tests of base/flags.h.

#include "base/flags.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "gtest/gtest.h"

ABSL_FLAG(bool, unit_test_bool, false, "for this file's tests");
ABSL_FLAG(int, unit_test_int, 0, "for this file's tests");
ABSL_FLAG(std::string, unit_test_text, "", "for this file's tests");

namespace base {
namespace {

absl::StatusOr<CommandLine> Parse(std::vector<std::string> arguments,
                                  const FlagOptions& options = {}) {
  absl::SetFlag(&FLAGS_unit_test_bool, false);
  absl::SetFlag(&FLAGS_unit_test_int, 0);
  absl::SetFlag(&FLAGS_unit_test_text, "");
  arguments.insert(arguments.begin(), "program");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ParseFlags(static_cast<int>(argv.size()), argv.data(), options);
}

TEST(Flags, AreSetByOneOrTwoDashes) {
  EXPECT_TRUE(Parse({"--unit_test_int=3", "-unit_test_text=a=b"}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_unit_test_int), 3);
  EXPECT_EQ(absl::GetFlag(FLAGS_unit_test_text), "a=b");
  EXPECT_TRUE(Parse({"-unit_test_int=4", "--unit_test_text="}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_unit_test_int), 4);
  EXPECT_EQ(absl::GetFlag(FLAGS_unit_test_text), "");
}

TEST(Flags, OnlyABoolNeedsNoValue) {
  EXPECT_TRUE(Parse({"--unit_test_bool"}).ok());
  EXPECT_TRUE(absl::GetFlag(FLAGS_unit_test_bool));
  EXPECT_TRUE(Parse({"--unit_test_bool", "--unit_test_bool=false"}).ok());
  EXPECT_FALSE(absl::GetFlag(FLAGS_unit_test_bool));
}

TEST(Flags, AnErrorSaysWhatToDo) {
  const struct {
    const char* argument;
    const char* error;
  } kCases[] = {
      {"--no_such_flag=1", "unknown option --no_such_flag=1"},
      {"--unit_test_int",
       "option --unit_test_int needs a value, as in --unit_test_int=..."},
      {"-unit_test_int",
       "option -unit_test_int needs a value, as in --unit_test_int=..."},
      {"--unit_test_int=x", "option --unit_test_int=x has a bad value"},
      {"--unit_test_bool=maybe",
       "option --unit_test_bool=maybe has a bad value"},
      {"stray", "unexpected argument \"stray\", as a hint"},
      {"", "unexpected argument \"\", as a hint"},
  };
  for (const auto& c : kCases) {
    const auto parsed =
        Parse({"--unit_test_int=1", c.argument},
              {.foreign_prefix = "", .stray_hint = ", as a hint"});
    EXPECT_EQ(parsed.status().message(),
              std::string(c.error) + "; --help shows the options");
  }
}

TEST(Flags, HelpAndForeignArgumentsAreReported) {
  for (const char* const help : {"--help", "-help", "-h"}) {
    const auto parsed = Parse({help});
    ASSERT_TRUE(parsed.ok()) << help;
    EXPECT_TRUE(parsed->help);
    EXPECT_FALSE(parsed->foreign);
  }
  const auto parsed = Parse({"--gtest_x", "--unit_test_int=2"},
                            {.foreign_prefix = "--gtest_", .stray_hint = ""});
  ASSERT_TRUE(parsed.ok());
  EXPECT_FALSE(parsed->help);
  EXPECT_TRUE(parsed->foreign);
  EXPECT_EQ(absl::GetFlag(FLAGS_unit_test_int), 2);
  EXPECT_FALSE(Parse({"--gtest_x"}).ok()) << "without a prefix none is foreign";
  EXPECT_FALSE(Parse({})->help);
  EXPECT_FALSE(Parse({})->foreign);
}

TEST(Flags, ASeedIsAWholeNumberOrRandom) {
  EXPECT_EQ(*ParseSeed("0"), 0u);
  EXPECT_EQ(*ParseSeed("18446744073709551615"), UINT64_MAX);
  for (const char* const bad :
       {"18446744073709551616", "-1", "1x", " 1", "+1"}) {
    EXPECT_EQ(ParseSeed(bad).status().message(),
              std::string("bad seed \"") + bad +
                  "\": give a whole number from 0 to 2^64-1; --help shows the "
                  "options");
  }
  EXPECT_NE(*ParseSeed(""), *ParseSeed(""));  // equal once in 2^32 runs
}

}  // namespace
}  // namespace base
