// Histories from files: our format, a JSON object on each line, and Jepsen's of
// registers, in EDN. README.md has both.
//
// Thread safety: functions of their arguments.

#ifndef PORCUPINE_READ_HISTORY_H_
#define PORCUPINE_READ_HISTORY_H_

#include <cstddef>
#include <istream>
#include <string>

#include "absl/status/statusor.h"
#include "porcupine/history.h"

namespace porcupine {

// What is read of one file at most.
inline constexpr size_t kMaxFileBytes = size_t{1} << 33;

// An error is one line that names the line of the file, and says what to do.
// All records are valid.
absl::StatusOr<History> ReadNdjson(std::istream& in);

// Reads `read`, `write` and `cas` of registers; what other processes than
// numbered ones do is left out. Times are the places of events in the file.
absl::StatusOr<History> ReadEdn(std::istream& in);

// By the name: EDN if it ends with .edn.
absl::StatusOr<History> ReadHistory(const std::string& file);

}  // namespace porcupine

#endif  // PORCUPINE_READ_HISTORY_H_
