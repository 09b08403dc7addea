// Files of the operating system.
//
// Flush() is fdatasync, which also makes the size durable. Preallocate() is
// fallocate, and where a file system has none, a longer file.
//
// Thread safety: safe, as Files.

#ifndef PERSISTER_FILES_POSIX_FILES_H_
#define PERSISTER_FILES_POSIX_FILES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persister/files/files.h"

namespace persister {

class PosixFiles : public Files {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path,
                                             Mode mode) override;
  absl::StatusOr<std::unique_ptr<File>> Create(
      const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status MakeDirectory(const std::string& path) override;
  absl::Status FlushDirectory(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(
      const std::string& path) override;
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path,
                                                 Mode mode) override;
};

}  // namespace persister

#endif  // PERSISTER_FILES_POSIX_FILES_H_
