// The tests of this program under the names the user sees, in running order.
//
// The course's tests have their Go names (Raft2B.Backup is TestBackup2B,
// Labrpc.Basic is TestBasic), scenarios are TestScenario<Name><Part>, those of
// economy TestEconomy<Name><Part>, and unit tests TestUnit<Suite><Name>.
//
// REQUIRES: testing::InitGoogleTest() has run. Thread safety: free functions
// without state.

#ifndef TESTS_RUNNER_TEST_LIST_H_
#define TESTS_RUNNER_TEST_LIST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/runner/suite.h"

namespace runner {

struct TestCase {
  std::string suite;  // GoogleTest's names
  std::string test;
  std::string name;  // the user's name for it
  SuiteInfo info;
};

// Which tests: all conditions must hold; an empty one always does.
struct Selection {
  std::string run =
      {};  // a regular expression (ECMAScript): matches in the name
  // Lists with commas.
  std::string lab = {};
  std::string part = {};
  std::string origin = {};
};

// Returns the test with its name; `info` is the suite's.
TestCase MakeTestCase(std::string suite, std::string test, SuiteInfo info);

// Sorts into running order: unit tests by suite, then those of the labs by
// part, the course's first. Within a suite the order stays.
void SortForRunning(std::vector<TestCase>* tests);

// All tests that are linked in, sorted; with `test_programs` the runner's own
// test programs instead.
std::vector<TestCase> ListTests(bool test_programs);

// Keeps the selected tests. An error, in one line, if `run` is no regular
// expression or no test is left.
absl::StatusOr<std::vector<TestCase>> SelectTests(std::vector<TestCase> tests,
                                                  const Selection& selection);

}  // namespace runner

#endif  // TESTS_RUNNER_TEST_LIST_H_
