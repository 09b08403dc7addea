#include "tests/runner/options.h"

#include <random>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/runner/build_kind.h"

// Strings, because an empty value means the default: `make test` always passes
// all three.
ABSL_FLAG(std::string, run, "", "run only the tests that match");
ABSL_FLAG(std::string, seed, "", "the run's seed");
ABSL_FLAG(std::string, verbose, "", "0 or 1");
ABSL_FLAG(bool, list, false, "print the names");
ABSL_FLAG(std::string, target, "", "what to make to run a test again");
ABSL_FLAG(bool, child, false, "run one test for the runner");
ABSL_FLAG(bool, specimens, false, "select from the runner's test subjects");
ABSL_FLAG(int, watchdog_seconds, 150, "when a test counts as hung");
ABSL_FLAG(int, grace_seconds, 30, "from then until it is killed");

namespace tests {
namespace {

constexpr char kSeeHelp[] = "; --help shows the options";

absl::Status Wrong(const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(what, kSeeHelp));
}

// Not absl::ParseCommandLine: it ends the program itself, with another status
// than ours and without a word on stray arguments.
absl::Status SetFlag(const std::string& argument) {
  const size_t begin = argument.starts_with("--") ? 2 : 1;
  const size_t equals = argument.find('=');
  const bool has_value = equals != std::string::npos;
  const std::string name = argument.substr(begin, equals - begin);
  const std::string value = has_value ? argument.substr(equals + 1) : "true";
  absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
  // Abseil's own flags are found too; they do nothing here.
  if (flag == nullptr || !absl::EndsWith(flag->Filename(), "options.cc")) {
    return Wrong(absl::StrCat("unknown option ", argument));
  }
  if (!has_value && !flag->IsOfType<bool>()) {
    return Wrong(absl::StrCat("option ", argument, " needs a value, as in --",
                              name, "=..."));
  }
  std::string error;
  if (!flag->ParseFrom(value, &error)) {
    return Wrong(absl::StrCat("option ", argument, " has a bad value"));
  }
  return absl::OkStatus();
}

absl::Status ReadArgument(const std::string& argument, Options* options) {
  if (argument == "--help" || argument == "-help" || argument == "-h") {
    options->help = true;
    return absl::OkStatus();
  }
  if (argument.starts_with("--gtest_")) {
    options->plain_gtest = true;
    if (argument.starts_with("--gtest_internal_run_death_test")) {
      options->death_test_child = true;
    }
    return absl::OkStatus();
  }
  if (!argument.starts_with("-")) {
    return Wrong(absl::StrCat("unexpected argument \"", argument,
                              "\": to choose tests write --run=REGEX"));
  }
  return SetFlag(argument);
}

absl::Status ReadSeed(Options* options) {
  const std::string text = absl::GetFlag(FLAGS_seed);
  if (text.empty()) {
    // 32 bits: easier to type again, and enough runs to choose from.
    options->seed = std::random_device{}();
    return absl::OkStatus();
  }
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  if (digits && absl::SimpleAtoi(text, &options->seed)) return absl::OkStatus();
  return Wrong(absl::StrCat("bad seed \"", text,
                            "\": give a whole number from 0 to 2^64-1"));
}

absl::Status ReadVerbose(Options* options) {
  const std::string text = absl::GetFlag(FLAGS_verbose);
  options->verbose = text != "0";
  if (text.empty() || text == "0" || text == "1") return absl::OkStatus();
  return Wrong(absl::StrCat("bad verbosity \"", text, "\": give 0 or 1"));
}

}  // namespace

absl::StatusOr<Options> ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    absl::Status read = ReadArgument(argv[i], &options);
    if (!read.ok()) return read;
  }
  absl::Status read = ReadSeed(&options);
  if (read.ok()) read = ReadVerbose(&options);
  if (!read.ok()) return read;
  options.run = absl::GetFlag(FLAGS_run);
  options.target = absl::GetFlag(FLAGS_target);
  if (options.target.empty()) options.target = MakeTarget(kBuildKind);
  options.list = absl::GetFlag(FLAGS_list);
  options.child = absl::GetFlag(FLAGS_child);
  options.specimens = absl::GetFlag(FLAGS_specimens);
  options.watchdog =
      std::chrono::seconds(absl::GetFlag(FLAGS_watchdog_seconds));
  options.grace = std::chrono::seconds(absl::GetFlag(FLAGS_grace_seconds));
  return options;
}

std::string HelpText() {
  return R"(Runs the tests, each in a process of its own, and prints what go test -v would.

  --run=REGEX    only the tests whose name contains a match, as go test -run
  --seed=N       the seed of everything random; default: a new one each time
  --verbose=0|1  0: as go test without -v; default 1
  --list         print the names of the tests (those --run selects) and end
  --help         print this and end
  --gtest_...    options of GoogleTest: its own output, one process for all
                 tests; meant for a debugger, as in
                 gdb --args raft_tests --gtest_filter=Raft2A.InitialElection

GLOG_v=1..3 and GLOG_vmodule=file=level in the environment turn on the debug
log; it goes to the file named in the first line. The exit status is 0 if all
tests passed, 1 if one failed, 2 if nothing was run, 130 if interrupted.
)";
}

}  // namespace tests
