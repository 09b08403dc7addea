// Linearizability by the log: if the order in which the servers applied the
// operations is known, it is the one to test.
//
// Thread safety: functions of their arguments.

#ifndef PORCUPINE_LOG_ORDER_H_
#define PORCUPINE_LOG_ORDER_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "porcupine/history.h"
#include "porcupine/operations.h"

namespace porcupine {

// How the log contradicts a history. Another order of the operations may still
// be possible.
struct LogFault {
  enum class What {
    kMissing,   // `operation` was answered, but is not in the log
    kTwice,     // `operation` and `other` have the same index
    kRealTime,  // `operation` returned before `other`, an earlier one of the
                // log, was called
    kResult,    // `operation` shows what it cannot at its index
  };
  What what;
  size_t operation = 0;  // in the list of operations
  size_t other = 0;
};

// True if any of the operations has a log index.
bool HasLogOrder(const History& history, const Operations& operations);

// Executes all operations that are in the log in its order, in O(n log n), and
// returns what contradicts it; nothing if nothing does, and `order` is then a
// linearization.
std::optional<LogFault> CheckLogOrder(const History& history,
                                      const Operations& operations,
                                      std::vector<size_t>* order);

}  // namespace porcupine

#endif  // PORCUPINE_LOG_ORDER_H_
