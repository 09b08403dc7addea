// What a simulation writes about itself, on demand, and that it is not changed
// by that, nor by logging.

#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/engine.h"
#include "sim/options.h"
#include "sim/sim.h"
#include "sim/test/programs.h"

namespace sim::test {
namespace {

using Variables = std::map<std::string, std::string>;

// The line of SIM_STATS about this run.
std::string StatsOf(const std::string& program, Variables variables,
                    const std::vector<std::string>& arguments = {}) {
  const ScratchFile stats;
  variables["SIM_STATS"] = stats.path();
  RunProgram(program, arguments, variables);
  return stats.Content();
}

Engine UsualEngine() {
  return UsableEngine(Engine::kFiber, HasFsgsbase(), /*has_tsan=*/false);
}

bool IsNumber(const std::string& text) {
  return !text.empty() &&
         text.find_first_not_of("0123456789.e-") == std::string::npos;
}

TEST(SimTrace, StatsLine) {
  const std::string line =
      StatsOf("hangs", {{"SIM_SEED", "5"}}, {"nothing", "and", "more"});
  for (const char* const key : {"steps", "switches", "threads", "virtual_ms",
                                "real_ms", "preempt", "stall", "slack_us"}) {
    EXPECT_TRUE(IsNumber(ValueOf(line, key))) << key << " in " << line;
  }
  EXPECT_EQ(ValueOf(line, "seed"), "5");
  EXPECT_EQ(ValueOf(line, "hash").size(), 16u) << line;
  EXPECT_EQ(ValueOf(line, "engine"), EngineName(UsualEngine()));
  EXPECT_EQ(ValueOf(line, "status"), "0");
  EXPECT_TRUE(line.ends_with("program_hangs nothing and more\n")) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

// Also a run that ends badly has its line, and runs add theirs to the file.
TEST(SimTrace, StatsOfFailures) {
  const ScratchFile stats;
  for (const char* const seed : {"1", "2"}) {
    RunProgram("hangs", {"wait_forever"},
               {{"SIM_SEED", seed}, {"SIM_STATS", stats.path()}});
  }
  const std::string content = stats.Content();
  const size_t second = content.find('\n') + 1;
  EXPECT_EQ(ValueOf(content.substr(0, second), "seed"), "1") << content;
  EXPECT_EQ(ValueOf(content.substr(0, second), "status"), "86") << content;
  EXPECT_EQ(ValueOf(content.substr(second), "seed"), "2") << content;
}

// The knobs that are set by hand are the ones in force.
TEST(SimTrace, StatsSayTheKnobs) {
  const std::string line = StatsOf("hangs",
                                   {{"SIM_SEED", "1"},
                                    {"SIM_ENGINE", "native"},
                                    {"SIM_PREEMPT", "0.25"},
                                    {"SIM_STALL", "0.125:2ms"},
                                    {"SIM_SLACK", "3ms"}},
                                   {"nothing"});
  EXPECT_EQ(ValueOf(line, "engine"), "native");
  EXPECT_EQ(ValueOf(line, "preempt"), "0.25");
  EXPECT_EQ(ValueOf(line, "stall"), "0.125");
  EXPECT_EQ(ValueOf(line, "slack_us"), "3000");
}

TEST(SimTrace, TraceChangesNothing) {
  const std::string plain = StatsOf("pointers", {{"SIM_SEED", "3"}});
  const ScratchFile trace;
  const std::string traced =
      StatsOf("pointers", {{"SIM_SEED", "3"}, {"SIM_TRACE", trace.path()}});
  EXPECT_NE(ValueOf(plain, "hash"), "");
  EXPECT_EQ(ValueOf(traced, "hash"), ValueOf(plain, "hash"));
  EXPECT_EQ(ValueOf(traced, "steps"), ValueOf(plain, "steps"));
  const std::string text = trace.Content();
  for (const char* const word : {"lock", "create", "join", "sleep"}) {
    EXPECT_TRUE(Contains(text, word)) << word;
  }
  EXPECT_TRUE(text.ends_with('\n'));
}

// The same seed writes the same trace.
TEST(SimTrace, TraceReplays) {
  std::string texts[2];
  for (std::string& text : texts) {
    const ScratchFile trace;
    RunProgram("pointers", {},
               {{"SIM_SEED", "3"}, {"SIM_TRACE", trace.path()}});
    text = trace.Content();
  }
  EXPECT_TRUE(texts[0] == texts[1]);
}

TEST(SimTrace, LoggingChangesNothing) {
  for (const char* const seed : {"1", "2", "3", "4", "5"}) {
    const std::string quiet =
        StatsOf("logs", {{"SIM_SEED", seed}, {"GLOG_v", "0"}});
    const std::string loud =
        StatsOf("logs", {{"SIM_SEED", seed}, {"GLOG_v", "3"}});
    EXPECT_NE(ValueOf(quiet, "hash"), "");
    EXPECT_EQ(ValueOf(loud, "hash"), ValueOf(quiet, "hash")) << "seed " << seed;
    EXPECT_EQ(ValueOf(loud, "virtual_ms"), ValueOf(quiet, "virtual_ms"));
  }
  // And the loud one was loud.
  EXPECT_TRUE(Contains(
      RunProgram("logs", {}, {{"SIM_SEED", "1"}, {"GLOG_v", "3"}}).errors,
      "order so far 120"));
}

// What is logged, with its virtual time stamps and thread ids, replays too.
TEST(SimTrace, LogReplays) {
  const Variables variables = {{"SIM_SEED", "1"}, {"GLOG_v", "3"}};
  const ProgramOutcome first = RunProgram("logs", {}, variables);
  const ProgramOutcome second = RunProgram("logs", {}, variables);
  EXPECT_NE(first.errors, "");
  EXPECT_EQ(first.errors, second.errors);
  EXPECT_EQ(first.output, second.output);
}

}  // namespace
}  // namespace sim::test
