// The child's side of a run: this process runs one test and tells its parent,
// the runner, how it went.
//
// What the test prints goes to standard output as it is, line by line; the
// outcome goes as records over a pipe of its own, so that nothing a test
// prints can be taken for an outcome, and the exit status tells the rest.
//
// Who calls it: main() calls RunAsChild(); the runner reads the records.
// Invariant: a test has passed only if there is a kEnded record and the exit
// status is 0: a test that calls exit(0) has not.

#ifndef TESTS_RUNNER_CHILD_H_
#define TESTS_RUNNER_CHILD_H_

#include "tests/runner/options.h"

namespace tests {

// The file descriptor of the records; the runner opens it.
inline constexpr int kRecordFd = 3;

// A record is one of these characters, then text, then a zero byte.
inline constexpr char kFailure = 'F';  // text: [file:line: ]message
inline constexpr char kSkipped = 'S';  // text: as above
inline constexpr char kEnded = 'E';    // the test ran to its end; no text

// Exit statuses. They keep clear of those that sanitizers use (1, 23, 66).
inline constexpr int kExitTestFailed = 10;
inline constexpr int kExitHung = 124;

// Runs the test that --gtest_filter names, and returns the exit status.
// REQUIRES: GoogleTest and glog are initialised.
int RunAsChild(const Options& options);

}  // namespace tests

#endif  // TESTS_RUNNER_CHILD_H_
