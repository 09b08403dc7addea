#include "tests/runner/test_list.h"

// g++ 12 sees uninitialised memory inside <regex> when it also instruments for
// sanitizers; its manual warns of that.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <algorithm>
#include <iterator>
#include <regex>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"

namespace tests {
namespace {

// Specimens crash and hang; GoogleTest's own mark keeps them out of its runs.
constexpr char kSpecimens[] = "DISABLED_Specimen";

// A suite Raft2A, Raft3B ... holds a part of the lab, Raft2APlus what we add to
// it.
bool IsLabPart(std::string_view suite) {
  if (suite.ends_with("Plus")) suite.remove_suffix(4);
  return suite.size() == 6 && suite.starts_with("Raft") && suite[4] >= '0' &&
         suite[4] <= '9' && suite[5] >= 'A' && suite[5] <= 'Z';
}

std::pair<int, std::string> RunningOrder(const TestCase& test) {
  if (IsLabPart(test.suite)) return {2, test.suite};
  if (test.suite == "Labrpc") return {1, ""};
  return {0, test.suite};
}

bool IsDisabled(const TestCase& test) {
  return test.test.starts_with("DISABLED_") ||
         test.suite.starts_with("DISABLED_");
}

std::vector<TestCase> ListRegistered() {
  std::vector<TestCase> tests;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const std::string test = suite.GetTestInfo(j)->name();
      tests.push_back({suite.name(), test, GoName(suite.name(), test)});
    }
  }
  return tests;
}

}  // namespace

std::string GoName(const std::string& suite, const std::string& test) {
  if (IsLabPart(suite)) return absl::StrCat("Test", test, suite.substr(4));
  if (suite == "Labrpc") return absl::StrCat("Test", test);
  return absl::StrCat("TestUnit", absl::StripPrefix(suite, "DISABLED_"), test);
}

void SortForRunning(std::vector<TestCase>* tests) {
  std::stable_sort(tests->begin(), tests->end(),
                   [](const TestCase& a, const TestCase& b) {
                     return RunningOrder(a) < RunningOrder(b);
                   });
}

std::vector<TestCase> ListTests(bool specimens) {
  std::vector<TestCase> tests = ListRegistered();
  std::erase_if(tests, [specimens](const TestCase& test) {
    return specimens ? test.suite != kSpecimens : IsDisabled(test);
  });
  SortForRunning(&tests);
  return tests;
}

absl::StatusOr<std::vector<TestCase>> SelectTests(std::vector<TestCase> tests,
                                                  const std::string& run) {
  std::regex pattern;
  try {
    pattern = std::regex(run);
  } catch (const std::regex_error&) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", run, "\" is not a regular expression; to choose tests give one ",
        "over their names, as in 2A or '(Backup|Count)2B$'"));
  }
  std::erase_if(tests, [&pattern](const TestCase& test) {
    return !std::regex_search(test.name, pattern);
  });
  if (tests.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no test matches \"", run, "\"; --list shows the names"));
  }
  return tests;
}

}  // namespace tests
