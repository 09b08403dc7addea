#include "porcupine/check.h"

#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "porcupine/decide.h"
#include "porcupine/explain.h"
#include "porcupine/log_order.h"
#include "porcupine/operations.h"

namespace porcupine {
namespace {

KeyVerdict CheckKey(const History& history, const Operations& operations,
                    const Options& options) {
  KeyVerdict verdict;
  verdict.operations = operations.size();
  verdict.width = WidthOf(operations);
  std::vector<size_t> order;
  if (!HasLogOrder(history, operations) ||
      CheckLogOrder(history, operations, &order).has_value()) {
    Budget budget = options.budget;
    Decision decision = Decide(operations, {State{}}, &budget);
    verdict.outcome = decision.outcome;
    verdict.steps = options.budget.steps - budget.steps;
    order = std::move(decision.order);
  }
  if (verdict.outcome == Outcome::kOk) {
    for (const size_t i : order) {
      verdict.linearization.push_back(operations[i].place);
    }
  }
  return verdict;
}

// kIllegal, then kUnknown, then kOk.
Outcome Worse(Outcome a, Outcome b) {
  for (const Outcome outcome : {Outcome::kIllegal, Outcome::kUnknown}) {
    if (a == outcome || b == outcome) return outcome;
  }
  return Outcome::kOk;
}

}  // namespace

absl::StatusOr<Verdict> Check(const History& history, const Options& options) {
  const absl::Status valid = Validate(history);
  if (!valid.ok()) return valid;
  std::map<std::string_view, std::vector<size_t>> keys;
  for (size_t i = 0; i < history.size(); ++i) {
    keys[history[i].key].push_back(i);
  }
  Verdict verdict;
  verdict.unit = options.unit;
  for (const auto& [key, places] : keys) {
    const Operations operations = MakeOperations(history, places);
    KeyVerdict of_key = CheckKey(history, operations, options);
    of_key.key = key;
    if (of_key.outcome == Outcome::kIllegal &&
        verdict.explanations.size() < options.explained) {
      verdict.explanations.push_back(
          Explain(history, operations, options.budget, options.unit));
    }
    verdict.outcome = Worse(verdict.outcome, of_key.outcome);
    verdict.keys.push_back(std::move(of_key));
  }
  return verdict;
}

}  // namespace porcupine
