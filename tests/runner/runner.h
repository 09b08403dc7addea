// Runs the selected tests, each in a child process of its own, and prints what
// `go test` would; adds the seed and the log's path at the beginning, the count
// at the end, and under each failure the command that repeats it.
//
// Thread safety: main() calls it once. The process must have no other thread:
// it forks.

#ifndef TESTS_RUNNER_RUNNER_H_
#define TESTS_RUNNER_RUNNER_H_

#include <string>

#include "tests/runner/options.h"

namespace runner {

// The program's exit statuses.
inline constexpr int kExitAllPassed = 0;
inline constexpr int kExitSomeFailed = 1;
inline constexpr int kExitNothingRun = 2;
inline constexpr int kExitInterrupted = 130;

// Prints `problem`, what keeps the program from running any test, to standard
// error. Returns kExitNothingRun.
int RefuseToRun(const std::string& problem);

// Does what `options` say and returns the program's exit status.
// REQUIRES: GoogleTest is initialized.
int RunTests(const Options& options);

}  // namespace runner

#endif  // TESTS_RUNNER_RUNNER_H_
