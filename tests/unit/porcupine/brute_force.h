// Linearizability by trying all orders: what the checker must agree with.
//
// Written from the definition alone; shares nothing with the checker but the
// records. Thread safety: functions of their arguments.

#ifndef TESTS_UNIT_PORCUPINE_BRUTE_FORCE_H_
#define TESTS_UNIT_PORCUPINE_BRUTE_FORCE_H_

#include "porcupine/history.h"

namespace porcupine {

// For few operations, all of one key.
bool IsLinearizable(const History& history);

}  // namespace porcupine

#endif  // TESTS_UNIT_PORCUPINE_BRUTE_FORCE_H_
