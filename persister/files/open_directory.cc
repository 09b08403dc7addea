#include "persister/files/open_directory.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "persister/files/directory.h"

namespace persister {
namespace {

// The names that a storage begins with, before it has an ID.
constexpr const char* kFirstNames[] = {"LOCK", "ID.tmp", "wal", "snap"};

// Fails if there is something in the folder that is not a beginning: the
// storage is old, and its ID was lost.
absl::Status CheckFolderIsNew(Files* files, const std::string& folder,
                              const std::string& allowed) {
  const auto names = files->List(folder);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (name != allowed && name != absl::StrCat(allowed, kTemporary)) {
      return absl::DataLossError(absl::StrCat(IdentityPath(DirectoryOf(folder)),
                                              " is missing, but there is ",
                                              folder, "/", name));
    }
  }
  return absl::OkStatus();
}

// The first segment is all that may be there, and nothing may be in it.
absl::Status CheckIsNew(Files* files, const std::string& directory) {
  const std::string first = SegmentPath(directory, 1);
  absl::Status status =
      CheckFolderIsNew(files, WalDirectory(directory),
                       first.substr(WalDirectory(directory).size() + 1));
  if (status.ok()) {
    status = CheckFolderIsNew(files, SnapshotDirectory(directory), "");
  }
  if (!status.ok()) return status;
  const auto file = files->Open(first, Files::Mode::kRead);
  if (absl::IsNotFound(file.status())) return absl::OkStatus();
  if (!file.ok()) return file.status();
  const auto header = (*file)->Read(0, kFirstBatchOffset);
  if (!header.ok()) return header.status();
  if (AllZero(*header)) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(IdentityPath(directory),
                                          " is missing, but there is ", first));
}

absl::Status CheckIdentity(const absl::StatusOr<Identity>& found,
                           const std::string& directory,
                           const Identity& identity) {
  if (!found.ok() || *found == identity) return found.status();
  return absl::FailedPreconditionError(absl::StrCat(
      directory, " is of cluster ", found->cluster, ", server ", found->server,
      ", not of cluster ", identity.cluster, ", server ", identity.server));
}

absl::Status MakeStorage(Files* files, const std::string& directory,
                         const Wal::Options& options) {
  absl::Status status = CheckIsNew(files, directory);
  if (status.ok()) status = files->MakeDirectory(WalDirectory(directory));
  if (status.ok()) status = files->MakeDirectory(SnapshotDirectory(directory));
  if (status.ok()) status = files->FlushDirectory(directory);
  if (status.ok()) status = files->FlushDirectory(DirectoryOf(directory));
  if (status.ok()) status = Wal::Initialize(files, directory, options);
  if (!status.ok()) return status;
  return WriteIdentity(files, directory, options.identity);
}

}  // namespace

absl::Status CheckOwner(Files* files, const std::string& directory,
                        const Identity& identity) {
  const auto found = ReadIdentity(files, directory);
  if (!absl::IsNotFound(found.status())) {
    return CheckIdentity(found, directory, identity);
  }
  const auto names = files->List(directory);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (std::ranges::find(kFirstNames, name) == std::end(kFirstNames)) {
      return absl::FailedPreconditionError(absl::StrCat(
          directory, " is not empty and no storage: it has ", name));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FileLock>> OpenDirectory(
    Files* files, const std::string& directory, const Wal::Options& options) {
  // Before anything is changed, and again when no other process can.
  absl::Status status = CheckOwner(files, directory, options.identity);
  if (status.ok()) status = files->MakeDirectory(directory);
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<FileLock>> lock =
      files->Lock(LockPath(directory), Files::Mode::kWrite);
  if (!lock.ok()) return lock.status();
  const auto found = ReadIdentity(files, directory);
  status = absl::IsNotFound(found.status())
               ? MakeStorage(files, directory, options)
               : CheckIdentity(found, directory, options.identity);
  if (!status.ok()) return status;
  return lock;
}

}  // namespace persister
