// The test program: every suite is linked in, and the command line says what
// runs. tests/runner/runner.h does the work.
//
// Invariant: glog and GoogleTest are initialized before any thread starts.

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/status/statusor.h"
#include "base/logging.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/harness/failure.h"
#include "tests/observation.h"
#include "tests/runner/child.h"
#include "tests/runner/options.h"
#include "tests/runner/runner.h"

namespace {

void InitLibraries(int* argc, char** argv) {
  // glog's files would go to the temporary directory; the runner keeps what
  // comes over standard error in the run's log.
  FLAGS_logtostderr = true;
  google::InitGoogleLogging(argv[0]);
  testing::InitGoogleTest(argc, argv);
  GTEST_FLAG_SET(death_test_style, "threadsafe");
}

const char* NameOf(harness::Kind kind) {
  switch (kind) {
    case harness::Kind::kSafety:
      return runner::kSafety;
    case harness::Kind::kLiveness:
      return runner::kLiveness;
    case harness::Kind::kEconomy:
      return runner::kEconomy;
    case harness::Kind::kHarness:
      break;
  }
  return runner::kHarness;
}

// What the harness knows of the failure that is just being reported.
void Classify(runner::FailedCheck* check) {
  const harness::FailureInfo info = harness::InfoOfCurrentFailure();
  check->kind = NameOf(info.kind);
  if (info.by_oracle) check->way = runner::kOracle;
}

// For a debugger: everything in this process, with GoogleTest's own output.
int RunPlainGoogleTest(const runner::Options& options) {
  base::SetRunSeed(options.seed);
  if (!GTEST_FLAG_GET(list_tests)) std::cout << "seed " << options.seed << "\n";
  return RUN_ALL_TESTS();
}

}  // namespace

int main(int argc, char** argv) {
  // Without TZ glog asks for the time zone at every line, and two threads that
  // do so at once are a race in the eyes of ThreadSanitizer.
  setenv("TZ", "UTC", /*replace=*/0);
  const absl::StatusOr<runner::Options> options =
      runner::ParseOptions(argc, argv);
  if (!options.ok())
    return runner::RefuseToRun(std::string(options.status().message()));
  if (options->help) {
    std::cout << runner::HelpText();
    return runner::kExitAllPassed;
  }
  const absl::StatusOr<tests::ObservationOptions> observation =
      tests::ReadObservationOptions(options->seed, options->slow_disk);
  if (!observation.ok()) {
    return runner::RefuseToRun(std::string(observation.status().message()));
  }
  InitLibraries(&argc, argv);
  // GoogleTest takes its options out, and would run nothing for a wrong one.
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("--gtest_")) {
      return runner::RefuseToRun("unknown option " + argument);
    }
  }
  tests::ObserveClusters(*observation);
  if (options->child) return runner::RunAsChild(*options, Classify);
  if (options->plain_gtest) return RunPlainGoogleTest(*options);
  return runner::RunTests(*options);
}
