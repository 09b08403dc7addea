// Decides whether a directory may be used, and makes a new one.
//
// Thread safety: safe; the directory's lock makes calls for it exclude each
// other.

#ifndef PERSISTER_FILES_OPEN_DIRECTORY_H_
#define PERSISTER_FILES_OPEN_DIRECTORY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persister/files/files.h"
#include "persister/files/wal.h"

namespace persister {

// Locks the directory of a server, which is a storage when this returns.
// FailedPrecondition, with nothing changed: it is of another identity or a
// newer version, has files of something else, is used by another process, or
// may not be written. DataLoss: a part of it is missing.
absl::StatusOr<std::unique_ptr<FileLock>> OpenDirectory(
    Files* files, const std::string& directory, const Wal::Options& options);

// Returns FailedPrecondition unless the directory is this identity's; OK also
// if it is missing, or nothing but the beginning of a storage.
absl::Status CheckOwner(Files* files, const std::string& directory,
                        const Identity& identity);

}  // namespace persister

#endif  // PERSISTER_FILES_OPEN_DIRECTORY_H_
