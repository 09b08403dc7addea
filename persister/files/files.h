// What FileStorage needs of a file system: PosixFiles (posix_files.h) is the
// real one, SimulatedFiles (simulated_files.h) one that crashes and fails by a
// seed.
//
// What a crash keeps: of a file what was there at its last Flush(), and of what
// was written since, each sector or not; of a directory what was there at its
// last FlushDirectory(), and each later change or not.
//
// Errors are one line that names the call and the file: ResourceExhausted if
// the disk is full, FailedPrecondition if it may not be written, NotFound,
// otherwise Unavailable.
//
// Thread safety: Files is safe; a File is used by one thread at a time.

#ifndef PERSISTER_FILES_FILES_H_
#define PERSISTER_FILES_FILES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace persister {

// A disk writes a sector whole or not at all.
inline constexpr size_t kSectorBytes = 512;

// Returns the directory that a path is in.
inline std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// An open file.
class File {
 public:
  virtual ~File() = default;

  virtual absl::StatusOr<uint64_t> Size() = 0;

  // Returns `count` bytes from `offset` on; fewer if the file ends before.
  virtual absl::StatusOr<std::string> Read(uint64_t offset, size_t count) = 0;

  virtual absl::Status Write(uint64_t offset, std::string_view bytes) = 0;

  // Makes the file `size` bytes long, the new ones zero, and reserves room for
  // them. REQUIRES: it is not longer.
  virtual absl::Status Preallocate(uint64_t size) = 0;

  // Makes its bytes and its size durable. Never call it again after it failed:
  // the kernel forgets what it could not write, and the second call succeeds.
  virtual absl::Status Flush() = 0;
};

// Holds a lock until it is destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class Files {
 public:
  virtual ~Files() = default;

  // Opens a file that is there.
  enum class Mode : uint8_t { kRead, kWrite };  // kWrite: and read
  virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path,
                                                     Mode mode) = 0;
  // Opens a new file; one that is there becomes empty.
  virtual absl::StatusOr<std::unique_ptr<File>> Create(
      const std::string& path) = 0;

  virtual absl::Status Rename(const std::string& from,
                              const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;

  // Does nothing if it is there. Its parent must be.
  virtual absl::Status MakeDirectory(const std::string& path) = 0;
  virtual absl::Status FlushDirectory(const std::string& path) = 0;
  // Returns the names in it, sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(
      const std::string& path) = 0;

  // Locks a file against other processes, and other calls of this one. kWrite
  // makes it if it is missing; kRead changes nothing. FailedPrecondition: it is
  // locked already.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      const std::string& path, Mode mode) = 0;
};

}  // namespace persister

#endif  // PERSISTER_FILES_FILES_H_
