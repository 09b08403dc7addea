// A snapshot in a file of its own.
//
// Thread safety: pure functions of what is on the disk.

#ifndef PERSISTER_FILES_SNAPSHOT_FILE_H_
#define PERSISTER_FILES_SNAPSHOT_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/rope.h"
#include "persister/files/files.h"
#include "persister/files/format.h"

namespace persister {

// Writes it; when it returns the file is durable.
absl::Status WriteSnapshot(Files* files, const std::string& directory,
                           const Identity& identity, uint64_t index,
                           uint64_t term, const base::Rope& content);

// Returns the content of the snapshot that `state` names. DataLoss: it is
// missing or damaged; FailedPrecondition: it is of another server, or version.
absl::StatusOr<base::Rope> ReadSnapshot(Files* files,
                                        const std::string& directory,
                                        const Identity& identity,
                                        const LogState& state);

}  // namespace persister

#endif  // PERSISTER_FILES_SNAPSHOT_FILE_H_
