// Unit tests of tests/runner/go_output.h.

#include "tests/runner/go_output.h"

#include <chrono>
#include <string>

#include "gtest/gtest.h"

namespace runner {
namespace {

using std::chrono::milliseconds;

TEST(GoOutput, LinesAreThoseOfGoTest) {
  EXPECT_EQ(RunLine("TestA"), "=== RUN   TestA\n");
  EXPECT_EQ(VerdictLine("PASS", "TestA", milliseconds(3055)),
            "--- PASS: TestA (3.06s)\n");
  EXPECT_EQ(VerdictLine("FAIL", "TestA", milliseconds(120'000)),
            "--- FAIL: TestA (120.00s)\n");
  EXPECT_EQ(CountLine(3, 1), "3 passed, 1 failed\n");
}

TEST(GoOutput, MessagesAreIndentedAndTheirFurtherLinesMore) {
  EXPECT_EQ(Indented("a.cc:1: one"), "    a.cc:1: one\n");
  EXPECT_EQ(Indented("one\n two\n"), "    one\n         two\n");
  EXPECT_EQ(Indented(""), "    \n");
}

TEST(GoOutput, TheCommandThatRepeatsNamesTheBuild) {
  EXPECT_EQ(RepeatCommand("TestA", 7, "test"),
            "make test RUN='^TestA$' SEED=7");
  EXPECT_EQ(RepeatCommand("TestA", ~uint64_t{0}, "race"),
            "make race RUN='^TestA$' SEED=18446744073709551615");
  EXPECT_EQ(RepeatLine(RepeatCommand("TestA", 7, "sim SEEDS=1 PROFILE=fair")),
            "    repeat: make sim SEEDS=1 PROFILE=fair RUN='^TestA$' SEED=7\n");
}

TEST(GoOutput, LatenessLine) {
  EXPECT_EQ(LatenessLine(milliseconds(412), 8.126),
            "    machine: a thread woke up 412 ms late, load average 8.13\n");
}

TEST(GoOutput, TheCommandThatFindsMisusedMemoryNamesTheRaft) {
  const std::string begin = "    if memory was misused, this says where: ";
  EXPECT_EQ(MemoryLine("TestA", "test"), begin + "make asan RUN='^TestA$'\n");
  EXPECT_EQ(MemoryLine("TestA", "sim RAFT=my\\ raft SEEDS=1"),
            begin + "make asan RAFT=my\\ raft RUN='^TestA$'\n");
}

}  // namespace
}  // namespace runner
