// Why a key is not linearizable.
//
// Thread safety: plain data.

#ifndef PORCUPINE_EXPLANATION_H_
#define PORCUPINE_EXPLANATION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "porcupine/operations.h"

namespace porcupine {

enum class Violation : uint8_t {
  kLostWrite,           // a write was answered, but no later read shows it
  kStaleRead,           // a read shows less than was known when it was called
  kDuplicateExecution,  // a write was executed twice
  kReordering,          // writes show in an order that they cannot have had
  kValueFromNowhere,    // a read shows what no client wrote
  kReadFromTheFuture,   // a read shows what was written after it had returned
  kNoOrder,             // none of these alone
};

// Operations are places in the history.
struct Explanation {
  std::string key;
  Violation violation = Violation::kNoOrder;
  std::string sentence;

  // What had been called when this one returned can not be put in order; what
  // had been called before can.
  size_t first_impossible = 0;

  // Few operations that cannot be put in order, whatever else happened, by
  // their calls. Proven by trying all orders of them, with the values that
  // other operations wrote taken out, if `proven`.
  std::vector<size_t> counterexample;
  bool proven = false;

  // The operations since no operation was in progress for the last time before
  // the first impossible moment, and in which states they can have begun; none:
  // too many to list.
  std::vector<size_t> window;
  std::vector<State> possible_states;

  // What the log says of it; "" if it is not known.
  std::string log_note;
};

}  // namespace porcupine

#endif  // PORCUPINE_EXPLANATION_H_
