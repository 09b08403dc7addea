// Proofs that operations are not linearizable, by what single reads show.
//
// Where each written value is unique, a read shows which writes came before it
// and in which order. That two or three operations contradict each other is
// then seen without a search, in O(n log n), and says what went wrong. For keys
// that are only read and put these rules are complete (Gibbons and Korach
// 1997); for others the search decides about what they let pass.
//
// Thread safety: functions of their arguments.

#ifndef PORCUPINE_RULES_H_
#define PORCUPINE_RULES_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "porcupine/elements.h"
#include "porcupine/operations.h"

namespace porcupine {

enum class Rule : uint8_t {
  kForeign,    // `read` shows what no write has written
  kDuplicate,  // `read` shows `write` twice
  kFuture,     // `read` shows `write`, which was called after it returned
  kMissing,   // `read` misses `write`, which returned before it was called, and
              // shows nothing that can have been written later instead
  kShrinks,   // `read` shows less than `other`, a read that came before
  kDiverges,  // `read` and `other` show one value continued in two ways
  kOrder,     // `read` shows `other` before `write`, which had returned when
              // `other` was called
  kBetween,   // `read` and `other` must come both before and after `write`: all
              // are of different values, or of two that alternate
  kVersionTwice,    // `write` and `other` both replaced the same version
  kVersionUnknown,  // `read` shows a version that no write has made
  kVersionValue,    // `read` shows a version with a value not that of `write`;
                    // version 0, whose value no put writes: `write` is `read`
  kVersionOrder,    // `read` is of an earlier version than `other`, which had
                    // returned when `read` was called
  kVersionRefused,  // `read`, a put, was refused by the version it replaces
};

// Operations are places in the list of operations.
struct Finding {
  Rule rule;
  size_t read = 0;
  size_t write = 0;
  size_t other = 0;
  std::vector<size_t> operations;  // that prove it, sorted
  Rank evident = 0;                // when the last of them returned
};

// The finding that is evident first; nothing if these rules find none.
// REQUIRES: elements.unique().
std::optional<Finding> ApplyRules(const Operations& operations,
                                  const Elements& elements);

}  // namespace porcupine

#endif  // PORCUPINE_RULES_H_
