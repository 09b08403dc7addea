// The child's side of a run: this process runs one test and reports the outcome
// to its parent, the runner.
//
// What the test prints goes to standard output as it is, line by line; the
// outcome goes as records over a pipe of its own, so that nothing a test
// prints can be taken for an outcome, and the exit status tells the rest.
//
// Invariant: a test has passed only if there is a kEnded record, none of a
// failure, and the exit status is 0: a test that calls exit(0) has not, before
// its end or after it.

#ifndef TESTS_RUNNER_CHILD_H_
#define TESTS_RUNNER_CHILD_H_

#include <functional>

#include "tests/runner/failed_check.h"
#include "tests/runner/options.h"

namespace runner {

// The file descriptor of the records; the runner opens it.
inline constexpr int kRecordFd = 3;

// A record is one of these characters, then fields, each but the last with a
// line feed, then a zero byte.
inline constexpr char kFailure = 'F';  // kind, way, place, message
inline constexpr char kSkipped = 'S';  // the same
inline constexpr char kEnded = 'E';    // the test ran to its end; no fields
inline constexpr char kLate = 'L';     // a thread woke up late; milliseconds

// Exit statuses. They keep clear of those that sanitizers use (1, 23, 66).
inline constexpr int kExitTestFailed = 10;
inline constexpr int kExitHung = 124;
// The simulator's; sim/sim.h explains them.
inline constexpr int kExitSimDeadlock = 86;
inline constexpr int kExitSimHung = 87;
inline constexpr int kExitSimTimeLimit = 88;
inline constexpr int kExitSimUnsupported = 89;

// Fills in kind and way of the failure that the calling thread is just
// reporting to GoogleTest; main() passes what the harness knows of it, since
// this folder includes nothing of the harness.
using Classify = std::function<void(FailedCheck* check)>;

// Runs the test that --gtest_filter names, and returns the exit status.
// REQUIRES: GoogleTest and glog are initialized.
int RunAsChild(const Options& options, const Classify& classify);

}  // namespace runner

#endif  // TESTS_RUNNER_CHILD_H_
