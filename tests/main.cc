// The test program: every suite is linked in, and the command line says what
// runs. tests/runner/runner.h does the work.
//
// Who calls it: `make test`, `make race` and `make asan`, or a person; and the
// program itself, once for each test.
//
// Always true: glog and GoogleTest are initialised before any thread starts.

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/status/statusor.h"
#include "base/logging.h"
#include "base/random.h"
#include "gtest/gtest.h"
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

// For a debugger: everything in this process, with GoogleTest's own output.
int RunPlainGoogleTest(const tests::Options& options) {
  base::SetRunSeed(options.seed);
  if (!GTEST_FLAG_GET(list_tests)) std::cout << "seed " << options.seed << "\n";
  return RUN_ALL_TESTS();
}

}  // namespace

int main(int argc, char** argv) {
  // Without TZ glog asks for the time zone at every line, and two threads that
  // do so at once are a race in the eyes of ThreadSanitizer.
  setenv("TZ", "UTC", /*replace=*/0);
  const absl::StatusOr<tests::Options> options =
      tests::ParseOptions(argc, argv);
  if (!options.ok())
    return tests::RefuseToRun(std::string(options.status().message()));
  if (options->help) {
    std::cout << tests::HelpText();
    return tests::kExitAllPassed;
  }
  const absl::StatusOr<tests::ObservationOptions> observation =
      tests::ReadObservationOptions(options->seed);
  if (!observation.ok()) {
    return tests::RefuseToRun(std::string(observation.status().message()));
  }
  InitLibraries(&argc, argv);
  // GoogleTest takes its options out, and would run nothing for a wrong one.
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("--gtest_")) {
      return tests::RefuseToRun("unknown option " + argument);
    }
  }
  tests::ObserveClusters(*observation);
  if (options->child) return tests::RunAsChild(*options);
  if (options->plain_gtest) return RunPlainGoogleTest(*options);
  return tests::RunTests(*options);
}
