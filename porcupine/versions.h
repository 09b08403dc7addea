// Linearizability of a key with versions, exactly: all its operations read a
// version, replace a certain one, or were refused because of theirs.
//
// The versions give the order of the writes, so what is left to find is when
// each was created: the earliest time that all operations with earlier versions
// allow. The key is linearizable if and only if that is early enough for all
// operations with later ones. O(n log n), but for puts that were refused, which
// can move a version to a later time and have it all looked at again.
//
// Thread safety: functions of their arguments.

#ifndef PORCUPINE_VERSIONS_H_
#define PORCUPINE_VERSIONS_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "porcupine/operations.h"
#include "porcupine/outcome.h"
#include "porcupine/rules.h"

namespace porcupine {

// True if each operation demands something of the version.
bool IsVersioned(const Operations& operations);

struct VersionsResult {
  Outcome outcome = Outcome::kUnknown;
  std::vector<size_t> order;       // kOk
  std::optional<Finding> finding;  // kIllegal: one of Rule::kVersion...
};

// Decides about operations on a key that has never been written before. Takes a
// step from the budget for each version that is looked at.
// REQUIRES: IsVersioned(operations).
VersionsResult CheckVersions(const Operations& operations, Budget* budget);

}  // namespace porcupine

#endif  // PORCUPINE_VERSIONS_H_
