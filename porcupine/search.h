// Linearizability by search, for any operations.
//
// Wing and Gong 1993: of the operations that no other must precede, try each as
// the next one; when none is left that fits, take the last one back. Lowe 2017:
// a configuration, the set of operations executed and the state, is explored
// once. Horn and Kroening 2015: calls and returns are a list from which the
// executed operations are taken.
//
// Beyond these:
//   - a read that fits is executed at once, and nothing else is tried in its
//     place: it changes nothing, so it cannot come too early;
//   - no step is taken after which a read that must come soon cannot show what
//     it showed: its value must extend the state if no put can come between,
//     and reads of an epoch must come before its end (problem.h);
//   - states that no read can tell apart are one (states.h);
//   - an operation that leads to what the next read shows is tried first.
//
// Thread safety: functions of their arguments.

#ifndef PORCUPINE_SEARCH_H_
#define PORCUPINE_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "porcupine/operations.h"
#include "porcupine/outcome.h"

namespace porcupine {

struct SearchResult {
  Outcome outcome = Outcome::kUnknown;
  // kOk: the operations as they can have been executed. Optional ones that were
  // not are missing.
  std::vector<size_t> order;
};

// Says whether the operations can have been executed from one of the `starts`.
// Takes what it uses from the budget's steps.
SearchResult Search(const Operations& operations,
                    const std::vector<State>& starts, Budget* budget);

// States in which `operations` can have left a key, so that every order of
// `later` operations that was possible is possible from one of them; nothing if
// there are more than `limit`, or if the budget does not suffice.
// REQUIRES: no operation is pending.
std::vector<State> StatesAfter(const Operations& operations,
                               const std::vector<State>& starts,
                               const Operations& later, size_t limit,
                               Budget* budget);

}  // namespace porcupine

#endif  // PORCUPINE_SEARCH_H_
