// Unit tests of tests/runner/test_list.h: names, order and selection.

#include "tests/runner/test_list.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace runner {
namespace {

std::vector<std::string> NamesOf(const std::vector<TestCase>& tests) {
  std::vector<std::string> names;
  for (const TestCase& test : tests) names.push_back(test.name);
  return names;
}

// The suites of the test programs are declared in their test files; these are
// of this file alone.
TestCase Course(const std::string& part, const std::string& test) {
  return MakeTestCase("Raft" + part, test, {.lab = "raft", .part = part});
}

TestCase Scenario(const std::string& part, const std::string& test) {
  return MakeTestCase(
      "Raft" + part + "Scenario", test,
      {.lab = "raft", .part = part, .origin = Origin::kScenario});
}

TestCase Network(const std::string& test) {
  return MakeTestCase("Labrpc", test, {.lab = "labrpc", .part = ""});
}

TestCase Unit(const std::string& suite, const std::string& test) {
  return MakeTestCase(suite, test, InfoOfSuite(suite));
}

TEST(TestList, NamesAreThoseOfTheGoLab) {
  EXPECT_EQ(Course("2A", "InitialElection").name, "TestInitialElection2A");
  EXPECT_EQ(Course("2C", "Persist1").name, "TestPersist12C");
  EXPECT_EQ(Scenario("2B", "Figure8").name, "TestScenarioFigure82B");
  EXPECT_EQ(Network("Basic").name, "TestBasic");
  EXPECT_EQ(Unit("Rope", "Append").name, "TestUnitRopeAppend");
  EXPECT_EQ(Unit("RopeDeathTest", "Range").name, "TestUnitRopeDeathTestRange");
  EXPECT_EQ(Unit("Raft", "Start").name, "TestUnitRaftStart");
}

TEST(TestList, SuitesKnowTheirLabPartAndOrigin) {
  const std::vector<TestCase> tests = ListTests(/*test_programs=*/false);
  const auto find = [&tests](const std::string& name) {
    const auto found = std::ranges::find(tests, name, &TestCase::name);
    return found == tests.end() ? TestCase() : *found;
  };
  const SuiteInfo course = find("TestBasicAgree2B").info;
  EXPECT_EQ(course.lab, "raft");
  EXPECT_EQ(course.part, "2B");
  EXPECT_EQ(course.origin, Origin::kCourse);
  EXPECT_EQ(find("TestScenarioFigure8Committed2B").info.origin,
            Origin::kScenario);
  EXPECT_EQ(find("TestEconomyFastBackup2B").info.origin, Origin::kEconomy);
  EXPECT_EQ(find("TestBasic").info.lab, "labrpc");
  EXPECT_EQ(InfoOfSuite("NoSuchSuite").lab, "");
  EXPECT_EQ(InfoOfSuite("NoSuchSuite").origin, Origin::kUnit);
}

TEST(TestListDeathTest, ASuiteIsDeclaredOnce) {
  EXPECT_DEATH(Suite::OfCourse("Raft2A", "raft", "2A"),
               "suite Raft2A is declared twice");
}

TEST(TestList, OrderIsUnitThenLabrpcThenThePartsOfTheLab) {
  std::vector<TestCase> tests = {
      Course("2B", "Count"),  Network("Types"),        Unit("Zebra", "One"),
      Course("2A", "Two"),    Network("Basic"),        Unit("Ant", "Two"),
      Course("2A", "One"),    Unit("Ant", "One"),      Course("2D", "One"),
      Unit("RaftLog", "One"), Scenario("2A", "Three"),
  };
  SortForRunning(&tests);
  EXPECT_EQ(
      NamesOf(tests),
      (std::vector<std::string>{
          "TestUnitAntTwo", "TestUnitAntOne", "TestUnitRaftLogOne",
          "TestUnitZebraOne", "TestTypes", "TestBasic", "TestTwo2A",
          "TestOne2A", "TestScenarioThree2A", "TestCount2B", "TestOne2D"}));
}

TEST(TestList, RegularExpressionsSearchAsGoTestRunDoes) {
  const std::vector<TestCase> tests = {
      Course("2A", "ReElection"), Course("2B", "Backup"), Course("2B", "Count"),
      Course("2C", "Persist1")};
  const auto select = [&tests](const std::string& run) {
    return NamesOf(*SelectTests(tests, {.run = run}));
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(select("").size(), 4u);
  EXPECT_EQ(select("2A"), Names{"TestReElection2A"});
  EXPECT_EQ(select("^TestCount2B$"), Names{"TestCount2B"});
  EXPECT_EQ(select("(Backup|Persist1)2"),
            (Names{"TestBackup2B", "TestPersist12C"}));
}

TEST(TestList, FieldsSelectToo) {
  const std::vector<TestCase> tests = {
      Unit("Rope", "One"), Network("Basic"), Course("2A", "ReElection"),
      Course("2B", "Backup"), Scenario("2B", "Figure8")};
  const auto select = [&tests](const Selection& selection) {
    return NamesOf(*SelectTests(tests, selection));
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(select({.lab = "raft"}), (Names{"TestReElection2A", "TestBackup2B",
                                            "TestScenarioFigure82B"}));
  EXPECT_EQ(select({.run = "B", .lab = "raft", .origin = "course"}),
            Names{"TestBackup2B"});
  EXPECT_EQ(select({.part = "2B", .origin = "scenario,unit"}),
            Names{"TestScenarioFigure82B"});
  EXPECT_EQ(select({.origin = "scenario,unit"}),
            (Names{"TestUnitRopeOne", "TestScenarioFigure82B"}));
  EXPECT_EQ(
      SelectTests(tests, {.run = "2A", .lab = "shardkv"}).status().message(),
      "no test matches \"2A\" --lab=shardkv; --list shows the names");
}

TEST(TestList, SelectingNothingIsAnErrorAndSoIsABadExpression) {
  const std::vector<TestCase> tests = {Course("2A", "ReElection")};
  EXPECT_EQ(SelectTests(tests, {.run = "2Z"}).status().message(),
            "no test matches \"2Z\"; --list shows the names");
  EXPECT_EQ(std::string(SelectTests(tests, {.run = "("}).status().message())
                .rfind("\"(\" is not a regular expression", 0),
            0u);
}

TEST(TestList, HasThisTestButNoTestProgram) {
  const std::vector<std::string> names =
      NamesOf(ListTests(/*test_programs=*/false));
  EXPECT_EQ(
      std::ranges::count(names, "TestUnitTestListHasThisTestButNoTestProgram"),
      1);
  for (const std::string& name : names) {
    EXPECT_FALSE(name.starts_with("TestUnitTestProgram")) << name;
  }
}

}  // namespace
}  // namespace runner
