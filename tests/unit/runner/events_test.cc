// Unit tests of tests/runner/events.h: fields and values of each event.

#include "tests/runner/events.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/runner/child.h"

namespace runner {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

// Events in memory, read back without their times.
class EventsTest : public testing::Test {
 protected:
  EventsTest() : file_(std::tmpfile()), events_(fileno(file_), false) {}
  ~EventsTest() override { std::fclose(file_); }

  std::vector<std::string> Written() {
    std::vector<std::string> lines;
    std::rewind(file_);
    char buffer[4096];
    while (std::fgets(buffer, sizeof(buffer), file_) != nullptr) {
      Json event = Json::parse(buffer);
      EXPECT_EQ(event["Time"].get<std::string>().size(),
                std::string("2026-11-25T19:27:07.996872Z").size());
      event.erase("Time");
      lines.push_back(event.dump());
    }
    return lines;
  }

  std::FILE* const file_;
  Events events_;
};

using Lines = std::vector<std::string>;

const TestCase kTest =
    MakeTestCase("Raft2B", "Count", {.lab = "raft", .part = "2B"});

ChildResult After(milliseconds took, milliseconds cpu) {
  ChildResult result;
  result.took = took;
  result.cpu = cpu;
  return result;
}

TEST_F(EventsTest, AreThoseOfGoTest) {
  events_.Output("seed 7\n");
  events_.TestStarts(kTest, 12);
  events_.Output(kTest, "a \"line\"\n");
  events_.TestPasses(kTest, After(milliseconds(1234), milliseconds(21)));
  events_.Output("PASS\n");
  EXPECT_EQ(
      Written(),
      (Lines{R"({"Action":"output","Output":"seed 7\n"})",
             R"({"Action":"run","Test":"TestCount2B","Lab":"raft","Part":"2B",)"
             R"("Origin":"course","Index":12})",
             R"({"Action":"output","Test":"TestCount2B",)"
             R"("Output":"a \"line\"\n"})",
             R"({"Action":"pass","Test":"TestCount2B","Lab":"raft",)"
             R"("Part":"2B","Origin":"course","Elapsed":1.234,"Cpu":0.021})",
             R"({"Action":"output","Output":"PASS\n"})"}));
}

TEST_F(EventsTest, SayWhatFailed) {
  const FailedCheck check{
      .kind = kLiveness, .place = "2b_test.cc:66", .message = "too late"};
  const TestCase test = MakeTestCase("Rope", "One", InfoOfSuite("Rope"));
  ChildResult result = After(milliseconds(50), milliseconds(4));
  result.late = milliseconds(412);
  events_.TestStarts(test, 0);
  events_.Output(test, "    2b_test.cc:66: too late\n", check);
  events_.TestFails(test, result,
                    {.verdict = {.check = check, .cause = ""},
                     .repeat = "make test RUN='^TestUnitRopeOne$' SEED=7",
                     .load = 8.5});
  EXPECT_EQ(
      Written(),
      (Lines{R"({"Action":"run","Test":"TestUnitRopeOne","Origin":"unit",)"
             R"("Index":0})",
             R"({"Action":"output","Test":"TestUnitRopeOne",)"
             R"("Output":"    2b_test.cc:66: too late\n","Kind":"liveness",)"
             R"("Way":"check","Place":"2b_test.cc:66","Message":"too late"})",
             R"({"Action":"fail","Test":"TestUnitRopeOne","Kind":"liveness",)"
             R"("Way":"check","Place":"2b_test.cc:66","Message":"too late",)"
             R"("Repeat":"make test RUN='^TestUnitRopeOne$' SEED=7",)"
             R"("Late":0.412,"Load":8.5,"Origin":"unit","Elapsed":0.05,)"
             R"("Cpu":0.004})"}));
}

TEST_F(EventsTest, SimulatedTestsAreNeverLate) {
  events_.TestFails(kTest, After(milliseconds(50), milliseconds(4)), {});
  EXPECT_FALSE(Json::parse(Written()[0]).contains("Late"));
  EXPECT_FALSE(Json::parse(Written()[0]).contains("Load"));
}

TEST_F(EventsTest, CountAtTheEnd) {
  events_.RunStarts({.seed = ~uint64_t{0}, .log = "out/logs/x.log"}, 3);
  events_.RunEnds({.passed = 2, .failed = 1, .skipped = 0});
  Json start = Json::parse(Written()[0]);
  EXPECT_EQ(start["Seed"], ~uint64_t{0});
  EXPECT_EQ(start["Log"], "out/logs/x.log");
  EXPECT_EQ(start["Tests"], 3);
  Json end = Json::parse(Written()[1]);
  EXPECT_EQ(end["Action"], "fail");
  EXPECT_EQ(end["Passed"], 2);
  EXPECT_EQ(end["Failed"], 1);
  EXPECT_EQ(end["Skipped"], 0);
  EXPECT_EQ(end["Log"], "out/logs/x.log");
  EXPECT_FALSE(end.contains("Test"));
  EXPECT_FALSE(end.contains("Way"));
}

TEST_F(EventsTest, AnInterruptedRunSaysWhere) {
  events_.TestStarts(kTest, 0);
  events_.RunIsInterrupted({.passed = 1, .failed = 0, .skipped = 0},
                           {"TestCount2B", "TestBackup2B"}, 4);
  Json end = Json::parse(Written()[1]);
  EXPECT_EQ(end["Action"], "fail");
  EXPECT_EQ(end["Way"], "interrupted");
  EXPECT_EQ(end["Interrupted"], "TestCount2B, TestBackup2B");
  EXPECT_EQ(end["NotRun"], 4);
  EXPECT_FALSE(end.contains("Test"));
}

TEST_F(EventsTest, OutputNeedNotBeUtf8) {
  events_.Output("\xff\n");
  EXPECT_EQ(Written(),
            Lines{"{\"Action\":\"output\",\"Output\":\"\xef\xbf\xbd\\n\"}"});
}

TEST(Events, AFileThatCannotBeMadeIsAnError) {
  EXPECT_EQ(Events::ToFile("/nowhere/events").status().message(),
            "cannot write events to \"/nowhere/events\": No such file or "
            "directory");
}

TEST(Events, ListNamesAllFields) {
  EXPECT_EQ(ListAsJson({kTest}),
            "{\"Test\":\"TestCount2B\",\"Suite\":\"Raft2B\",\"Lab\":\"raft\","
            "\"Part\":\"2B\",\"Origin\":\"course\"}\n");
}

}  // namespace
}  // namespace runner
