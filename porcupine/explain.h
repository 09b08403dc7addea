// Finds out why a key is not linearizable.
//
// Thread safety: functions of their arguments.

#ifndef PORCUPINE_EXPLAIN_H_
#define PORCUPINE_EXPLAIN_H_

#include "porcupine/explanation.h"
#include "porcupine/history.h"
#include "porcupine/operations.h"
#include "porcupine/outcome.h"

namespace porcupine {

// If the budget ends, the counterexample may be larger than it need be.
// REQUIRES: `operations`, all of one key of the history, are not linearizable;
// there is at least one.
Explanation Explain(const History& history, const Operations& operations,
                    Budget budget, Unit unit);

}  // namespace porcupine

#endif  // PORCUPINE_EXPLAIN_H_
