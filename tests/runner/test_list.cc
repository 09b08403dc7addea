#include "tests/runner/test_list.h"

// g++ 12 sees uninitialized memory inside <regex> when it also instruments for
// sanitizers; its manual warns of that.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <algorithm>
#include <regex>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"

namespace runner {
namespace {

// Test programs crash and hang; GoogleTest's own mark keeps them out of its
// runs.
constexpr char kDisabled[] = "DISABLED_";
constexpr char kTestPrograms[] = "DISABLED_TestProgram";

auto RunningOrder(const TestCase& test) {
  const bool is_unit = test.info.origin == Origin::kUnit;
  return std::make_tuple(!is_unit, is_unit ? test.suite : test.info.part,
                         test.info.lab, test.info.origin);
}

bool IsDisabled(const TestCase& test) {
  return test.test.starts_with(kDisabled) || test.suite.starts_with(kDisabled);
}

std::vector<TestCase> ListRegistered() {
  std::vector<TestCase> tests;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      tests.push_back(MakeTestCase(suite.name(), suite.GetTestInfo(j)->name(),
                                   InfoOfSuite(suite.name())));
    }
  }
  return tests;
}

// Returns the name that users and the Go lab know the test by.
std::string GoName(const std::string& suite, const std::string& test,
                   const SuiteInfo& info) {
  switch (info.origin) {
    case Origin::kCourse:
      return absl::StrCat("Test", test, info.part);
    case Origin::kScenario:
      return absl::StrCat("TestScenario", test, info.part);
    case Origin::kEconomy:
      return absl::StrCat("TestEconomy", test, info.part);
    case Origin::kUnit:
      break;
  }
  return absl::StrCat("TestUnit", absl::StripPrefix(suite, kDisabled), test);
}

bool IsIn(const std::string& value, const std::string& list) {
  const std::vector<std::string> values = absl::StrSplit(list, ',');
  return list.empty() || std::ranges::find(values, value) != values.end();
}

bool HasFields(const TestCase& test, const Selection& selection) {
  return IsIn(test.info.lab, selection.lab) &&
         IsIn(test.info.part, selection.part) &&
         IsIn(OriginName(test.info.origin), selection.origin);
}

std::string Describe(const Selection& selection) {
  std::string text = absl::StrCat("\"", selection.run, "\"");
  for (const auto& [name, list] :
       {std::pair("lab", &selection.lab), std::pair("part", &selection.part),
        std::pair("origin", &selection.origin)}) {
    if (!list->empty()) absl::StrAppend(&text, " --", name, "=", *list);
  }
  return text;
}

}  // namespace

TestCase MakeTestCase(std::string suite, std::string test, SuiteInfo info) {
  std::string name = GoName(suite, test, info);
  return {std::move(suite), std::move(test), std::move(name), std::move(info)};
}

void SortForRunning(std::vector<TestCase>* tests) {
  std::ranges::stable_sort(*tests, {}, RunningOrder);
}

std::vector<TestCase> ListTests(bool test_programs) {
  std::vector<TestCase> tests = ListRegistered();
  std::erase_if(tests, [test_programs](const TestCase& test) {
    return test_programs ? test.suite != kTestPrograms : IsDisabled(test);
  });
  SortForRunning(&tests);
  return tests;
}

absl::StatusOr<std::vector<TestCase>> SelectTests(std::vector<TestCase> tests,
                                                  const Selection& selection) {
  std::regex pattern;
  try {
    pattern = std::regex(selection.run);
  } catch (const std::regex_error&) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", selection.run, "\" is not a regular expression; to choose tests ",
        "give one over their names, as in 2A or '(Backup|Count)2B$'"));
  }
  std::erase_if(tests, [&](const TestCase& test) {
    return !HasFields(test, selection) ||
           !std::regex_search(test.name, pattern);
  });
  if (tests.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no test matches ", Describe(selection), "; --list shows the names"));
  }
  return tests;
}

}  // namespace runner
