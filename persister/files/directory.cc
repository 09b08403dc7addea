#include "persister/files/directory.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace persister {
namespace {

constexpr char kSegmentEnding[] = ".wal";

// The sequence that a segment's name says; 0 if it is no such name.
uint64_t SequenceOf(absl::string_view name) {
  uint64_t sequence = 0;
  if (!absl::ConsumeSuffix(&name, kSegmentEnding) ||
      !absl::SimpleAtoi(name, &sequence)) {
    return 0;
  }
  return sequence;
}

}  // namespace

std::string LockPath(const std::string& directory) {
  return absl::StrCat(directory, "/LOCK");
}

std::string IdentityPath(const std::string& directory) {
  return absl::StrCat(directory, "/ID");
}

std::string WalDirectory(const std::string& directory) {
  return absl::StrCat(directory, "/wal");
}

std::string SnapshotDirectory(const std::string& directory) {
  return absl::StrCat(directory, "/snap");
}

std::string SegmentPath(const std::string& directory, uint64_t sequence) {
  return absl::StrCat(WalDirectory(directory), "/",
                      absl::StrFormat("%012d", sequence), kSegmentEnding);
}

std::string SnapshotPath(const std::string& directory, uint64_t index,
                         uint64_t term) {
  return absl::StrCat(SnapshotDirectory(directory), "/",
                      absl::StrFormat("%012d-%d.snap", index, term));
}

absl::Status At(const std::string& path, const absl::Status& status) {
  return {status.code(), absl::StrCat(path, " ", status.message())};
}

absl::Status MakeFile(Files* files, const std::string& folder,
                      const std::string& path,
                      const std::function<absl::Status(File*)>& fill) {
  const std::string temporary = absl::StrCat(path, kTemporary);
  {
    const auto file = files->Create(temporary);
    if (!file.ok()) return file.status();
    absl::Status status = fill(file->get());
    if (status.ok()) status = (*file)->Flush();
    if (!status.ok()) return status;
  }
  absl::Status status = files->Rename(temporary, path);
  return status.ok() ? files->FlushDirectory(folder) : status;
}

absl::Status WriteIdentity(Files* files, const std::string& directory,
                           const Identity& identity) {
  return MakeFile(
      files, directory, IdentityPath(directory), [&identity](File* file) {
        return file->Write(0, Encode(IdentityHeader{.identity = identity}));
      });
}

absl::StatusOr<Identity> ReadIdentity(Files* files,
                                      const std::string& directory) {
  const std::string path = IdentityPath(directory);
  const auto file = files->Open(path, Files::Mode::kRead);
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::string> bytes =
      (*file)->Read(0, sizeof(IdentityHeader));
  if (!bytes.ok()) return bytes.status();
  const auto header = Decode<IdentityHeader>(*bytes);
  if (!header.ok()) return At(path, header.status());
  return header->identity;
}

absl::StatusOr<std::vector<uint64_t>> ListSegments(
    Files* files, const std::string& directory) {
  const auto names = files->List(WalDirectory(directory));
  if (!names.ok()) return names.status();
  std::vector<uint64_t> sequences;  // names are sorted, and of one length
  for (const std::string& name : *names) {
    if (const uint64_t sequence = SequenceOf(name); sequence != 0) {
      sequences.push_back(sequence);
    }
  }
  return sequences;
}

absl::Status RemoveLeftovers(Files* files, const std::string& directory,
                             const LogState& state) {
  const std::string snapshot =
      SnapshotPath(directory, state.snapshot_index, state.snapshot_term);
  for (const std::string& folder :
       {WalDirectory(directory), SnapshotDirectory(directory)}) {
    const auto names = files->List(folder);
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      const std::string path = absl::StrCat(folder, "/", name);
      if (!absl::EndsWith(name, kTemporary) &&
          !(absl::EndsWith(name, ".snap") && path != snapshot)) {
        continue;
      }
      absl::Status status = files->Remove(path);
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace persister
