#include "tests/runner/suite.h"

#include <map>
#include <utility>

#include "base/logging.h"

namespace runner {
namespace {

std::map<std::string, SuiteInfo>& Suites() {
  static auto* const suites = new std::map<std::string, SuiteInfo>;
  return *suites;
}

}  // namespace

const char* OriginName(Origin origin) {
  switch (origin) {
    case Origin::kCourse:
      return "course";
    case Origin::kScenario:
      return "scenario";
    case Origin::kEconomy:
      return "economy";
    case Origin::kUnit:
      break;
  }
  return "unit";
}

Suite Suite::OfCourse(const std::string& name, std::string lab,
                      std::string part) {
  return Suite(name, {.lab = std::move(lab),
                      .part = std::move(part),
                      .origin = Origin::kCourse});
}

Suite Suite::OfScenarios(const std::string& name, std::string lab,
                         std::string part) {
  return Suite(name, {.lab = std::move(lab),
                      .part = std::move(part),
                      .origin = Origin::kScenario});
}

Suite Suite::OfEconomy(const std::string& name, std::string lab,
                       std::string part) {
  return Suite(name, {.lab = std::move(lab),
                      .part = std::move(part),
                      .origin = Origin::kEconomy});
}

Suite::Suite(const std::string& name, SuiteInfo info) {
  const bool is_new = Suites().emplace(name, std::move(info)).second;
  CHECK(is_new) << "suite " << name << " is declared twice";
}

SuiteInfo InfoOfSuite(const std::string& name) {
  const auto found = Suites().find(name);
  if (found != Suites().end()) return found->second;
  return {.lab = "", .part = "", .origin = Origin::kUnit};
}

}  // namespace runner
