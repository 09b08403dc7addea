#include "tests/runner/options.h"

#include <cstdlib>
#include <string_view>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/flags.h"
#include "tests/runner/build_kind.h"

// Strings where an empty value means the default: `make test` passes them all.
ABSL_FLAG(std::string, run, "", "run only the tests that match");
ABSL_FLAG(std::string, lab, "", "run only the tests of these labs");
ABSL_FLAG(std::string, part, "", "run only the tests of these parts");
ABSL_FLAG(std::string, origin, "", "run only the tests of these origins");
ABSL_FLAG(std::string, seed, "", "the run's seed");
ABSL_FLAG(std::string, verbose, "", "0 or 1");
ABSL_FLAG(std::string, parallel, "", "how many tests run side by side");
ABSL_FLAG(std::string, disk, "", "slow: flushes take time");
ABSL_FLAG(std::string, events, "", "a file for events");
ABSL_FLAG(bool, json, false, "print events in place of the text");
ABSL_FLAG(bool, list, false, "print the names");
ABSL_FLAG(std::string, target, "", "what to make to repeat a test");
ABSL_FLAG(bool, child, false, "run one test for the runner");
ABSL_FLAG(bool, test_programs, false, "select from the runner's test programs");
ABSL_FLAG(int, watchdog_seconds, 150, "when a test counts as hung");
ABSL_FLAG(int, grace_seconds, 30, "from then until it is killed");

namespace runner {
namespace {

constexpr int kMostParallel = 1024;

absl::Status ReadVerbose(Options* options) {
  const std::string text = absl::GetFlag(FLAGS_verbose);
  options->verbose = text != "0";
  if (text.empty() || text == "0" || text == "1") return absl::OkStatus();
  return base::FlagError(
      absl::StrCat("bad verbosity \"", text, "\": give 0 or 1"));
}

absl::Status ReadParallel(Options* options) {
  const std::string text = absl::GetFlag(FLAGS_parallel);
  if (text.empty()) return absl::OkStatus();
  int parallel = 0;
  if (absl::SimpleAtoi(text, &parallel) && parallel >= 1 &&
      parallel <= kMostParallel) {
    options->parallel = parallel;
    return absl::OkStatus();
  }
  return base::FlagError(absl::StrCat("bad number of tests side by side \"",
                                      text, "\": give 1 to ", kMostParallel));
}

absl::Status ReadDisk(Options* options) {
  const std::string text = absl::GetFlag(FLAGS_disk);
  options->slow_disk = text == "slow";
  if (text.empty() || options->slow_disk) return absl::OkStatus();
  return base::FlagError(
      absl::StrCat("bad disk \"", text, "\": give slow, or leave it out"));
}

bool IsDeathTestChild(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]).starts_with(
            "--gtest_internal_run_death_test")) {
      return true;
    }
  }
  return false;
}

std::string TargetOrDefault(const std::string& target) {
  return target.empty() ? MakeTarget(kBuildKind) : target;
}

}  // namespace

absl::StatusOr<Options> ParseOptions(int argc, char** argv) {
  const absl::StatusOr<base::CommandLine> command_line =
      base::ParseFlags(argc, argv,
                       {.foreign_prefix = "--gtest_",
                        .stray_hint = ": to choose tests write --run=REGEX"});
  if (!command_line.ok()) return command_line.status();
  const absl::StatusOr<uint64_t> seed =
      base::ParseSeed(absl::GetFlag(FLAGS_seed));
  if (!seed.ok()) return seed.status();
  Options options;
  options.is_simulated = std::getenv("SIM_SEED") != nullptr;
  if (absl::Status read = ReadVerbose(&options); !read.ok()) return read;
  if (absl::Status read = ReadParallel(&options); !read.ok()) return read;
  if (absl::Status read = ReadDisk(&options); !read.ok()) return read;
  options.selection = {.run = absl::GetFlag(FLAGS_run),
                       .lab = absl::GetFlag(FLAGS_lab),
                       .part = absl::GetFlag(FLAGS_part),
                       .origin = absl::GetFlag(FLAGS_origin)};
  options.seed = *seed;
  options.events = absl::GetFlag(FLAGS_events);
  options.json = absl::GetFlag(FLAGS_json);
  options.help = command_line->help;
  options.list = absl::GetFlag(FLAGS_list);
  options.plain_gtest = command_line->foreign;
  options.target = TargetOrDefault(absl::GetFlag(FLAGS_target));
  if (options.slow_disk) options.target += " DISK=slow";
  options.child = absl::GetFlag(FLAGS_child);
  options.death_test_child = IsDeathTestChild(argc, argv);
  options.test_programs = absl::GetFlag(FLAGS_test_programs);
  options.watchdog =
      std::chrono::seconds(absl::GetFlag(FLAGS_watchdog_seconds));
  options.grace = std::chrono::seconds(absl::GetFlag(FLAGS_grace_seconds));
  return options;
}

std::string HelpText() {
  return R"(Runs the tests, each in a process of its own, and prints what go test -v would.

  --run=REGEX    only the tests whose name contains a match, as go test -run
  --seed=N       the seed of everything random; default: a new one each time
  --parallel=N   that many tests side by side; default: as many as keep the
                 processors less than half busy; 1: as the course does it
  --verbose=0|1  0: as go test without -v; default 1
  --lab=, --part=, --origin=LIST
                 only those of these labs (raft,labrpc), parts (2A,2B ...) and
                 origins (course, scenario, economy, unit)
  --disk=slow    the servers' disks take time to flush, by the seed, and a crash
                 loses some of what was not flushed (tests/README.md)
  --list         print the names of the tests (the selected ones) and end
  --events=FILE  write events to FILE besides, as go test -json does
  --json         print events in place of the text; with --list, the tests as
                 JSON; tests/runner/README.md describes both
  --help         print this and end
  --gtest_...    options of GoogleTest: its own output, one process for all
                 tests; meant for a debugger, as in
                 gdb --args raft_tests --gtest_filter=Raft2A.InitialElection

GLOG_v=1..3 and GLOG_vmodule=file=level in the environment turn on the debug
log; it goes to the file named in the first line. The exit status is 0 if all
tests passed, 1 if one failed, 2 if nothing was run, 130 if interrupted.
)";
}

}  // namespace runner
