// What a check says, and what it may cost.
//
// Thread safety: plain data.

#ifndef PORCUPINE_OUTCOME_H_
#define PORCUPINE_OUTCOME_H_

#include <cstddef>
#include <cstdint>

namespace porcupine {

enum class Outcome : uint8_t {
  kOk,       // linearizable
  kIllegal,  // not linearizable
  kUnknown,  // the budget did not suffice
};

// Counted, not measured: the same history has the same outcome everywhere. A
// step is one operation tried in one state.
struct Budget {
  uint64_t steps = 20'000'000;
  size_t bytes = size_t{512} << 20;  // of configurations that were seen
};

}  // namespace porcupine

#endif  // PORCUPINE_OUTCOME_H_
