// Unit tests of tests/runner/test_list.h: names, order and selection.

#include "tests/runner/test_list.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace tests {
namespace {

std::vector<std::string> NamesOf(const std::vector<TestCase>& tests) {
  std::vector<std::string> names;
  for (const TestCase& test : tests) names.push_back(test.name);
  return names;
}

TestCase Case(const std::string& suite, const std::string& test) {
  return {suite, test, GoName(suite, test)};
}

TEST(TestList, NamesAreThoseOfTheGoLab) {
  EXPECT_EQ(GoName("Raft2A", "InitialElection"), "TestInitialElection2A");
  EXPECT_EQ(GoName("Raft2C", "Persist1"), "TestPersist12C");
  EXPECT_EQ(GoName("Raft2BPlus", "Figure8"), "TestFigure82BPlus");
  EXPECT_EQ(GoName("RaftLogPlus", "One"), "TestUnitRaftLogPlusOne");
  EXPECT_EQ(GoName("Labrpc", "Basic"), "TestBasic");
  EXPECT_EQ(GoName("Rope", "Append"), "TestUnitRopeAppend");
  EXPECT_EQ(GoName("RopeDeathTest", "Range"), "TestUnitRopeDeathTestRange");
  EXPECT_EQ(GoName("Raft", "Start"), "TestUnitRaftStart");
  EXPECT_EQ(GoName("RaftLog", "Start"), "TestUnitRaftLogStart");
}

TEST(TestList, OrderIsUnitThenLabrpcThenThePartsOfTheLab) {
  std::vector<TestCase> tests = {
      Case("Raft2B", "Count"),     Case("Labrpc", "Types"),
      Case("Zebra", "One"),        Case("Raft2A", "Two"),
      Case("Labrpc", "Basic"),     Case("Ant", "Two"),
      Case("Raft2A", "One"),       Case("Ant", "One"),
      Case("Raft2D", "One"),       Case("RaftLog", "First"),
      Case("Raft2APlus", "Three"),
  };
  SortForRunning(&tests);
  EXPECT_EQ(NamesOf(tests),
            (std::vector<std::string>{
                "TestUnitAntTwo", "TestUnitAntOne", "TestUnitRaftLogFirst",
                "TestUnitZebraOne", "TestTypes", "TestBasic", "TestTwo2A",
                "TestOne2A", "TestThree2APlus", "TestCount2B", "TestOne2D"}));
}

TEST(TestList, RegularExpressionsSearchAsGoTestRunDoes) {
  const std::vector<TestCase> tests = {
      Case("Raft2A", "ReElection"), Case("Raft2B", "Backup"),
      Case("Raft2B", "Count"), Case("Raft2C", "Persist1")};
  const auto select = [&tests](const std::string& run) {
    return NamesOf(*SelectTests(tests, run));
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(select("").size(), 4u);
  EXPECT_EQ(select("2A"), Names{"TestReElection2A"});
  EXPECT_EQ(select("^TestCount2B$"), Names{"TestCount2B"});
  EXPECT_EQ(select("(Backup|Persist1)2"),
            (Names{"TestBackup2B", "TestPersist12C"}));
}

TEST(TestList, SelectingNothingIsAnErrorAndSoIsABadExpression) {
  const std::vector<TestCase> tests = {Case("Raft2A", "ReElection")};
  EXPECT_EQ(SelectTests(tests, "2Z").status().message(),
            "no test matches \"2Z\"; --list shows the names");
  EXPECT_EQ(std::string(SelectTests(tests, "(").status().message())
                .rfind("\"(\" is not a regular expression", 0),
            0u);
}

TEST(TestList, HasThisTestButNoSpecimen) {
  const std::vector<std::string> names =
      NamesOf(ListTests(/*specimens=*/false));
  EXPECT_EQ(std::count(names.begin(), names.end(),
                       "TestUnitTestListHasThisTestButNoSpecimen"),
            1);
  for (const std::string& name : names) {
    EXPECT_FALSE(name.starts_with("TestUnitSpecimen")) << name;
  }
}

}  // namespace
}  // namespace tests
