// Says whether a history is linearizable: whether each operation can have been
// executed at one moment between its call and its return, all with the results
// that were seen (Herlihy and Wing 1990).
//
// Each key is checked for itself, for a history is linearizable if and only if
// that of each object is. README.md says how.
//
// Pure: no threads, no clock, no randomness. Thread safety: functions of their
// arguments.

#ifndef PORCUPINE_CHECK_H_
#define PORCUPINE_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "porcupine/explanation.h"
#include "porcupine/history.h"
#include "porcupine/outcome.h"

namespace porcupine {

struct Options {
  Budget budget = {};          // of each key
  size_t explained = 3;        // keys that are not linearizable, at most
  Unit unit = Unit::kUnknown;  // of the history's times
};

// What was decided of one key.
struct KeyVerdict {
  std::string key;
  Outcome outcome = Outcome::kOk;
  size_t operations = 0;
  size_t width = 0;    // the most operations in progress at once
  uint64_t steps = 0;  // of the search
  // kOk: the operations by their places in the history, in an order in which
  // they can have been executed; pending ones that were not are missing.
  std::vector<size_t> linearization;
};

struct Verdict {
  // kIllegal if any key is, else kUnknown if any key is.
  Outcome outcome = Outcome::kOk;
  std::vector<KeyVerdict> keys;  // sorted
  // Of the first keys that are kIllegal, as many as were asked for.
  std::vector<Explanation> explanations;
  Unit unit = Unit::kUnknown;
};

// An error is one line that says which operation is none.
absl::StatusOr<Verdict> Check(const History& history,
                              const Options& options = {});

}  // namespace porcupine

#endif  // PORCUPINE_CHECK_H_
