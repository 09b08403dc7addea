// The directory of one server's storage: the names in it, its identity, its
// lock.
//
//   LOCK                         held while it is used (flock)
//   ID                           the cluster and the server; made last
//   wal/<sequence>.wal           the segments of the log
//   snap/<index>-<term>.snap     snapshots
//   *.tmp                        left by a crash; removed
//   *.broken                     a torn batch that was cut; kept, never read
//
// Thread safety: pure functions of what is on the disk.

#ifndef PERSISTER_FILES_DIRECTORY_H_
#define PERSISTER_FILES_DIRECTORY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persister/files/files.h"
#include "persister/files/format.h"

namespace persister {

inline constexpr char kTemporary[] = ".tmp";

std::string LockPath(const std::string& directory);
std::string IdentityPath(const std::string& directory);
std::string WalDirectory(const std::string& directory);
std::string SnapshotDirectory(const std::string& directory);
std::string SegmentPath(const std::string& directory, uint64_t sequence);
std::string SnapshotPath(const std::string& directory, uint64_t index,
                         uint64_t term);

// Returns the status with `path` in front of its message.
absl::Status At(const std::string& path, const absl::Status& status);

// Makes a file appear under its name whole, or not at all: `fill` writes it
// under another name.
absl::Status MakeFile(Files* files, const std::string& folder,
                      const std::string& path,
                      const std::function<absl::Status(File*)>& fill);

// Writes a new directory's identity: from now on it is a storage.
absl::Status WriteIdentity(Files* files, const std::string& directory,
                           const Identity& identity);
// NotFound: it has none, and is no storage yet.
absl::StatusOr<Identity> ReadIdentity(Files* files,
                                      const std::string& directory);

// Returns the sequences of the segments, in order.
absl::StatusOr<std::vector<uint64_t>> ListSegments(
    Files* files, const std::string& directory);

// Removes what no crash-free run leaves: temporary files, and snapshots other
// than that of `state`.
absl::Status RemoveLeftovers(Files* files, const std::string& directory,
                             const LogState& state);

}  // namespace persister

#endif  // PERSISTER_FILES_DIRECTORY_H_
