// The tests of this program under the names the user sees, in running order.
//
// Lab tests bear their Go names (Raft2B.Backup is TestBackup2B), labrpc's
// theirs (Labrpc.Basic is TestBasic), and unit tests TestUnit<Suite><Name>.
//
// Who calls it: the runner, after testing::InitGoogleTest(). Thread safety:
// free functions without state.

#ifndef TESTS_RUNNER_TEST_LIST_H_
#define TESTS_RUNNER_TEST_LIST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tests {

struct TestCase {
  std::string suite;  // GoogleTest's names
  std::string test;
  std::string name;  // the user's name for it
};

// Returns the name the user sees.
std::string GoName(const std::string& suite, const std::string& test);

// Sorts into running order: unit tests by suite, then labrpc's, then the lab's
// by part. Within a suite the order stays.
void SortForRunning(std::vector<TestCase>* tests);

// All tests that are linked in, sorted; with `specimens`, instead of them the
// runner's own test subjects.
std::vector<TestCase> ListTests(bool specimens);

// Keeps those whose name contains a match of the regular expression `run`
// (ECMAScript). An error, in one line, if it is none or if nothing matches.
absl::StatusOr<std::vector<TestCase>> SelectTests(std::vector<TestCase> tests,
                                                  const std::string& run);

}  // namespace tests

#endif  // TESTS_RUNNER_TEST_LIST_H_
