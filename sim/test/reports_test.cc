// What the simulator says of programs that never end, and of variables that it
// does not understand.

#include <cctype>
#include <map>
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "sim/sim.h"
#include "sim/test/programs.h"

namespace sim::test {
namespace {

constexpr int kExitBadVariable = 2;

ProgramOutcome Hang(const std::string& program, const std::string& seed = "1") {
  return RunProgram("hangs", {program}, {{"SIM_SEED", seed}});
}

// True if a line of the report places `function` in the program's own source.
bool NamesPlace(const std::string& errors, const std::string& function) {
  const std::string file = "program_hangs.cc:";
  std::istringstream lines(errors);
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.find(file);
    if (Contains(line, function + "(") && at != std::string::npos &&
        std::isdigit(line[at + file.size()]) != 0) {
      return true;
    }
  }
  return false;
}

// The report was made at once: the ticker has not ticked.
void ExpectDeadlock(const ProgramOutcome& outcome) {
  EXPECT_EQ(outcome.status, kExitDeadlock) << outcome;
  EXPECT_TRUE(outcome.errors.starts_with("sim: DEADLOCK: ")) << outcome;
  EXPECT_EQ(outcome.output, "");
}

TEST(SimReports, TwoMutexesWhileATimerTicks) {
  for (const char* const seed : {"1", "2", "3"}) {
    const ProgramOutcome outcome = Hang("two_mutexes", seed);
    ExpectDeadlock(outcome);
    for (const char* const part : {"\"first\"", "\"second\"", "held by"}) {
      EXPECT_TRUE(Contains(outcome.errors, part)) << outcome;
    }
    EXPECT_TRUE(NamesPlace(outcome.errors, "TakeOneThenOther")) << outcome;
  }
}

TEST(SimReports, OneMutexTwice) { ExpectDeadlock(Hang("lock_twice")); }

TEST(SimReports, JoinCycle) { ExpectDeadlock(Hang("join_cycle")); }

TEST(SimReports, JoinUnderALock) {
  const ProgramOutcome outcome = Hang("join_under_lock");
  ExpectDeadlock(outcome);
  EXPECT_TRUE(NamesPlace(outcome.errors, "JoinUnderLock")) << outcome;
}

TEST(SimReports, StaticVariableUnderALock) {
  const ProgramOutcome outcome = Hang("static_under_lock");
  ExpectDeadlock(outcome);
  EXPECT_TRUE(Contains(outcome.errors, "static variable's initialization"))
      << outcome;
}

TEST(SimReports, AllThreadsWait) {
  const ProgramOutcome outcome = Hang("wait_forever");
  ExpectDeadlock(outcome);
  EXPECT_TRUE(NamesPlace(outcome.errors, "WaitForever")) << outcome;
}

void ExpectHung(const ProgramOutcome& outcome, const std::string& function) {
  EXPECT_EQ(outcome.status, kExitHung) << outcome;
  EXPECT_TRUE(outcome.errors.find("sim: HUNG: ") != std::string::npos)
      << outcome;
  EXPECT_TRUE(NamesPlace(outcome.errors, function)) << outcome;
}

// These take the watchdog's patience, some seconds.
TEST(SimReports, SpinForEver) {
  ExpectHung(Hang("spin_for_ever"), "SpinForEver");
}

TEST(SimReports, ReadFromPipe) {
  ExpectHung(Hang("read_from_pipe"), "ReadFromPipe");
}

// What spins until another thread has done something is made to yield: the run
// ends, and is the same each time.
TEST(SimReports, SpinsThatOthersEnd) {
  std::string first_hash;
  for (const std::string engine : {"fiber", "native"}) {
    const ScratchFile stats;
    const ProgramOutcome outcome = RunProgram("hangs", {"poll"},
                                              {{"SIM_SEED", "1"},
                                               {"SIM_ENGINE", engine},
                                               {"SIM_STATS", stats.path()}});
    EXPECT_EQ(outcome.status, 0) << outcome;
    EXPECT_EQ(outcome.output, "task 1\ntask 2\ntask 3\nstopped\n");
    EXPECT_TRUE(Contains(outcome.errors, "spins in Poll()")) << outcome;
    EXPECT_EQ(outcome.errors.find('\n'), outcome.errors.size() - 1)
        << "said once: " << outcome;
    const std::string hash = ValueOf(stats.Content(), "hash");
    if (first_hash.empty()) first_hash = hash;
    EXPECT_EQ(hash, first_hash) << engine;
  }
}

TEST(SimReports, TimeLimit) {
  const ProgramOutcome outcome = RunProgram(
      "hangs", {"tick_for_ever"}, {{"SIM_SEED", "1"}, {"SIM_LIMIT", "10s"}});
  EXPECT_EQ(outcome.status, kExitTimeLimit) << outcome;
  EXPECT_TRUE(outcome.errors.starts_with("sim: ")) << outcome;
  EXPECT_TRUE(Contains(outcome.errors, "SIM_LIMIT")) << outcome;
  EXPECT_TRUE(Contains(outcome.output, "tick 9\n")) << outcome;
  EXPECT_FALSE(Contains(outcome.output, "tick 11\n")) << outcome;
}

TEST(SimReports, Unsupported) {
  const ProgramOutcome outcome = Hang("posix_barrier");
  EXPECT_EQ(outcome.status, kExitUnsupported) << outcome;
  EXPECT_TRUE(Contains(outcome.errors, "pthread_barrier")) << outcome;
}

TEST(SimReports, WaitsForSignalsAreUnsupported) {
  for (const std::string call :
       {"pause", "sigsuspend", "sigwait", "sigwaitinfo", "sigtimedwait"}) {
    const ProgramOutcome outcome = Hang(call);
    EXPECT_EQ(outcome.status, kExitUnsupported) << outcome;
    EXPECT_TRUE(
        outcome.errors.starts_with("sim: UNSUPPORTED: " + call + "(); see"))
        << outcome;
  }
}

TEST(SimReports, ThousandsOfTasks) {
  const ProgramOutcome outcome = Hang("many_tasks");
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_EQ(outcome.output, "sum 1999000\n");
}

struct BadVariable {
  const char* name;
  const char* value;
};

TEST(SimReports, BadVariables) {
  const BadVariable kBad[] = {
      {"SIM_SEED", "x"},
      {"SIM_SEED", ""},
      {"SIM_SEED", "-1"},
      {"SIM_SEED", "1e3"},
      {"SIM_PROFILE", "strict"},
      {"SIM_ENGINE", "steam"},
      {"SIM_PREEMPT", "2"},
      {"SIM_PREEMPT", "often"},
      {"SIM_STALL", "0.1:long"},
      {"SIM_STALL", "1.5"},
      {"SIM_SLACK", "1parsec"},
      {"SIM_SLACK", "-1ms"},
      {"SIM_LIMIT", "10"},
      {"SIM_LIMIT", ""},
      {"SIM_TRACE", "/no/such/folder/file"},
  };
  for (const BadVariable& bad : kBad) {
    const ProgramOutcome outcome = RunProgram(
        "hangs", {"nothing"},
        bad.name == std::string("SIM_SEED")
            ? std::map<std::string, std::string>{{bad.name, bad.value}}
            : std::map<std::string, std::string>{{"SIM_SEED", "1"},
                                                 {bad.name, bad.value}});
    const std::string what = std::string(bad.name) + "=" + bad.value + ": ";
    EXPECT_EQ(outcome.status, kExitBadVariable) << what << outcome;
    EXPECT_EQ(outcome.output, "") << what;
    // One line, which names the variable.
    EXPECT_EQ(outcome.errors.find('\n'), outcome.errors.size() - 1)
        << what << outcome;
    EXPECT_TRUE(Contains(outcome.errors, bad.name)) << what << outcome;
  }
}

// One line says which engine is taken and why: on a machine that lacks FSGSBASE
// another one, with the same run.
TEST(SimReports, TheEngine) {
  const auto run = [](const std::string& fsgsbase, const std::string& notice) {
    const ScratchFile stats;
    ProgramOutcome outcome = RunProgram("hangs", {"nothing"},
                                        {{"SIM_SEED", "1"},
                                         {"SIM_STATS", stats.path()},
                                         {"SIM_FSGSBASE", fsgsbase},
                                         {"SIM_NOTICE", notice}});
    EXPECT_EQ(outcome.status, 0) << outcome;
    outcome.output = stats.Content();
    return outcome;
  };
  const ProgramOutcome noticed = run("off", "");
  EXPECT_TRUE(noticed.errors.starts_with(
      "sim: engine native, since this machine has no FSGSBASE: a switch"))
      << noticed;
  EXPECT_EQ(noticed.errors.find('\n'), noticed.errors.size() - 1) << noticed;
  EXPECT_EQ(ValueOf(noticed.output, "engine"), "native");
  EXPECT_EQ(run("off", "off").errors, "");
  const std::string here = run("on", "").errors;
  EXPECT_TRUE(here.starts_with("sim: engine ")) << here;
  EXPECT_EQ(here.find('\n'), here.size() - 1) << here;
  EXPECT_EQ(ValueOf(run("on", "off").output, "hash"),
            ValueOf(noticed.output, "hash"));
}

// A simulated process that starts another does not have it repeat the notice.
TEST(SimReports, OneNoticeInACommand) {
  const ProgramOutcome outcome = RunProgram(
      "hangs", {"start_another"},
      {{"SIM_SEED", "1"}, {"SIM_FSGSBASE", "off"}, {"SIM_NOTICE", ""}});
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_EQ(outcome.errors.find('\n'), outcome.errors.size() - 1) << outcome;
}

// Without SIM_SEED, or with a SIM_ONLY that is not among the arguments, the
// program runs as it always does.
TEST(SimReports, NotMeant) {
  EXPECT_EQ(RunProgram("hangs", {"nothing"}, {}).status, 0);
  const ScratchFile stats;
  const ProgramOutcome outcome = RunProgram("hangs", {"nothing"},
                                            {{"SIM_SEED", "1"},
                                             {"SIM_ONLY", "something"},
                                             {"SIM_STATS", stats.path()}});
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_EQ(outcome.output, "done\n");
  EXPECT_EQ(stats.Content(), "");
}

}  // namespace
}  // namespace sim::test
