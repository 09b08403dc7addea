// What a suite of tests belongs to: the lab, its part, and where the tests come
// from. A test file of a lab declares its suites:
//
//   const auto kSuite = runner::Suite::OfCourse("Raft2B", "raft", "2B");
//
//   TEST(Raft2B, BasicAgree) { ... }  // is TestBasicAgree2B to the user
//
// A suite that no file declares holds unit tests.
//
// Thread safety: suites are declared before main(), and only read later.

#ifndef TESTS_RUNNER_SUITE_H_
#define TESTS_RUNNER_SUITE_H_

#include <string>

namespace runner {

enum class Origin {
  kCourse,    // the course's, under its name in Go
  kScenario,  // ours: one exact scenario
  kEconomy,   // ours: what a scenario costs
  kUnit,      // ours: of one class
};

// "course", "scenario", "economy", "unit".
const char* OriginName(Origin origin);

struct SuiteInfo {
  std::string lab;   // the lab package, "raft"; empty for unit tests
  std::string part;  // "2B"; empty if the lab has no parts
  Origin origin = Origin::kCourse;
};

// Declares a suite of GoogleTest's by that name; a second time is fatal.
class Suite {
 public:
  static Suite OfCourse(const std::string& name, std::string lab,
                        std::string part = "");
  static Suite OfScenarios(const std::string& name, std::string lab,
                           std::string part);
  static Suite OfEconomy(const std::string& name, std::string lab,
                         std::string part);

 private:
  Suite(const std::string& name, SuiteInfo info);
};

// Returns what was declared of the suite `name`.
SuiteInfo InfoOfSuite(const std::string& name);

}  // namespace runner

#endif  // TESTS_RUNNER_SUITE_H_
