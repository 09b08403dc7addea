#include "porcupine/decide.h"

#include <utility>
#include <vector>

#include "porcupine/elements.h"
#include "porcupine/search.h"
#include "porcupine/versions.h"

namespace porcupine {

Decision Decide(const Operations& operations, const std::vector<State>& starts,
                Budget* budget) {
  if (starts == std::vector<State>{{}}) {
    if (!operations.empty() && IsVersioned(operations)) {
      VersionsResult result = CheckVersions(operations, budget);
      return {result.outcome, std::move(result.order),
              std::move(result.finding)};
    }
    const Elements elements(operations);
    std::optional<Finding> finding;
    if (elements.unique()) finding = ApplyRules(operations, elements);
    if (finding.has_value()) {
      return {Outcome::kIllegal, {}, std::move(finding)};
    }
  }
  SearchResult result = Search(operations, starts, budget);
  return {result.outcome, std::move(result.order), std::nullopt};
}

}  // namespace porcupine
