// Decides about the operations of one key, by the cheapest check that can.
//
// Thread safety: functions of their arguments.

#ifndef PORCUPINE_DECIDE_H_
#define PORCUPINE_DECIDE_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "porcupine/operations.h"
#include "porcupine/outcome.h"
#include "porcupine/rules.h"

namespace porcupine {

struct Decision {
  Outcome outcome = Outcome::kUnknown;
  // kOk: operations in an order in which they can have been executed, without
  // optional ones that were not.
  std::vector<size_t> order;
  // kIllegal: why, if it was seen without a search.
  std::optional<Finding> finding;
};

// Says whether the operations can have been executed from one of the `starts`.
// Takes what it uses from the budget's steps.
Decision Decide(const Operations& operations, const std::vector<State>& starts,
                Budget* budget);

}  // namespace porcupine

#endif  // PORCUPINE_DECIDE_H_
