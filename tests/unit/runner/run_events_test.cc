// Tests of the events of whole runs: the program runs itself on the test
// programs of tests/programs/test_programs.cc.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/unit/runner/program_run.h"

namespace runner {
namespace {

using Json = nlohmann::json;

// Runs test programs with events, and returns those as objects.
std::vector<Json> EventsOf(const std::string& run, const std::string& more = "",
                           Outcome* outcome = nullptr) {
  const std::string path =
      absl::StrCat(testing::TempDir(), "/events", getpid());
  const Outcome ran =
      RunTestPrograms(run, absl::StrCat("--events=", path, " ", more));
  if (outcome != nullptr) *outcome = ran;
  std::vector<Json> events;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    events.push_back(Json::parse(line));
  }
  std::filesystem::remove(path);
  return events;
}

// The only event of a test's end.
Json FailureOf(const std::string& run, const std::string& more = "") {
  for (const Json& event : EventsOf(run, more)) {
    if (event["Action"] == "fail" && event.contains("Test")) return event;
  }
  ADD_FAILURE() << run << " has not failed";
  return Json::object();
}

TEST(RunnerEvents, OutputsTogetherAreTheText) {
  for (const char* verbose : {"0", "1"}) {
    Outcome outcome;
    const std::vector<Json> events =
        EventsOf("Fails$|Pass$|Skips|ExitsEarly|PartialLine",
                 absl::StrCat("--verbose=", verbose), &outcome);
    std::string text;
    for (const Json& event : events) {
      text += event.value("Output", std::string());
    }
    EXPECT_EQ(text, outcome.all);
  }
}

TEST(RunnerEvents, AreThoseOfGoTest) {
  std::vector<std::string> actions;
  for (const Json& event : EventsOf("Fails$|Pass$|Skips")) {
    if (event["Action"] == "output") continue;
    actions.push_back(event["Action"].get<std::string>() + " " +
                      event.value("Test", std::string()));
  }
  EXPECT_EQ(actions,
            (std::vector<std::string>{
                "start ", "run TestUnitTestProgramPass",
                "pass TestUnitTestProgramPass", "run TestUnitTestProgramFails",
                "fail TestUnitTestProgramFails", "run TestUnitTestProgramSkips",
                "skip TestUnitTestProgramSkips", "fail "}));
}

TEST(RunnerEvents, AFailureSaysHowWhereAndHowToRepeatIt) {
  const Json failure = FailureOf("Fails$", "--target='test RAFT=a\\ b'");
  EXPECT_EQ(failure["Way"], "check");
  EXPECT_EQ(failure["Kind"], "safety");
  EXPECT_EQ(failure["Place"], "config.go:330");
  EXPECT_EQ(failure["Message"], "expected one leader, got none");
  EXPECT_EQ(failure["Repeat"],
            "make test RAFT=a\\ b RUN='^TestUnitTestProgramFails$' SEED=7");
  EXPECT_FALSE(failure.contains("Cause"));
}

TEST(RunnerEvents, KindsComeFromTheChecks) {
  EXPECT_EQ(FailureOf("IsLate$")["Kind"], "liveness");
  EXPECT_EQ(FailureOf("IsLate$")["Way"], "check");
  EXPECT_EQ(FailureOf("BreaksARule")["Kind"], "safety");
  EXPECT_EQ(FailureOf("BreaksARule")["Way"], "oracle");
  EXPECT_EQ(FailureOf("IsLateAndWrong")["Kind"], "safety");
}

TEST(RunnerEvents, CrashAndHangAreToldByTheWay) {
  const Json crash = FailureOf("FailsCheck");
  EXPECT_EQ(crash["Way"], "crash");
  EXPECT_EQ(crash["Message"],
            "Check failed: 1 + 1 == 3 (2 vs. 3) sums are off");
  EXPECT_TRUE(
      crash["Place"].get<std::string>().starts_with("test_programs.cc:"));
  EXPECT_EQ(FailureOf("ExitsEarly")["Cause"],
            "exit status 0: before the test's end");
  EXPECT_EQ(FailureOf("Hangs", "--watchdog_seconds=1")["Way"], "hang");
}

TEST(RunnerEvents, MayTakeThePlaceOfTheText) {
  const Outcome run = RunProgram("--test_programs --run=Pass$ --seed=7 --json");
  int events = 0;
  std::stringstream lines(run.all);
  std::string text;
  for (std::string line; std::getline(lines, line); ++events) {
    text += Json::parse(line).value("Output", std::string());
  }
  EXPECT_EQ(events, 10) << run.all;
  const std::string log = RestOfLine(text, ", log ");
  EXPECT_EQ(FileContent(log), text);
  std::filesystem::remove(log);
}

// A test must not write events of its own.
TEST(RunnerEvents, ChildrenInheritNoFileOfTheRunner) {
  const Outcome run =
      RunProgram("--test_programs --run=ListsItsFiles --seed=7 9>/dev/null");
  EXPECT_TRUE(Has(run.all, "open: 0 1 2 3\n")) << run.all;
}

}  // namespace
}  // namespace runner
