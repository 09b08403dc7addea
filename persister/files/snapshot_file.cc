#include "persister/files/snapshot_file.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "persister/files/crc32c.h"
#include "persister/files/directory.h"

namespace persister {
namespace {

// How much is written, and read, at a time.
constexpr size_t kChunkBytes = 1 << 20;

absl::Status WriteContent(const base::Rope& content, uint64_t offset,
                          File* file) {
  absl::Status status;
  std::string chunk;
  const auto write = [&] {
    if (status.ok()) status = file->Write(offset, chunk);
    offset += chunk.size();
    chunk.clear();
  };
  content.ForEachPiece([&](std::string_view piece) {
    chunk.append(piece);
    if (chunk.size() >= kChunkBytes) write();
  });
  if (!chunk.empty()) write();
  return status;
}

// What must be true of the header of the snapshot that `state` names.
absl::Status CheckHeader(const SnapshotHeader& header, const Identity& identity,
                         const LogState& state, uint64_t file_bytes) {
  if (header.identity != identity) {
    return absl::FailedPreconditionError(
        absl::StrCat("is of cluster ", header.identity.cluster, ", server ",
                     header.identity.server));
  }
  if (header.index != state.snapshot_index ||
      header.term != state.snapshot_term) {
    return absl::DataLossError(absl::StrCat(
        "is the snapshot of entry ", header.index, " of term ", header.term));
  }
  if (header.bytes != file_bytes - sizeof(header)) {
    return absl::DataLossError(
        absl::StrCat("has ", file_bytes - sizeof(header),
                     " bytes of content, but its header says ", header.bytes));
  }
  return absl::OkStatus();
}

absl::StatusOr<base::Rope> ReadContent(File* file, uint64_t count) {
  base::Rope content;
  while (content.size() < count) {
    const auto chunk =
        file->Read(sizeof(SnapshotHeader) + content.size(), kChunkBytes);
    if (!chunk.ok()) return chunk.status();
    if (chunk->empty()) break;
    content.Append(*chunk);
  }
  return content;
}

uint32_t CrcOf(const base::Rope& content) {
  uint32_t crc = 0;
  content.ForEachPiece(
      [&crc](std::string_view piece) { crc = Crc32c(piece, crc); });
  return crc;
}

}  // namespace

absl::Status WriteSnapshot(Files* files, const std::string& directory,
                           const Identity& identity, uint64_t index,
                           uint64_t term, const base::Rope& content) {
  const SnapshotHeader header{.identity = identity,
                              .index = index,
                              .term = term,
                              .bytes = content.size(),
                              .crc = CrcOf(content)};
  return MakeFile(files, SnapshotDirectory(directory),
                  SnapshotPath(directory, index, term), [&](File* file) {
                    absl::Status status = file->Write(0, Encode(header));
                    if (!status.ok()) return status;
                    return WriteContent(content, sizeof(header), file);
                  });
}

absl::StatusOr<base::Rope> ReadSnapshot(Files* files,
                                        const std::string& directory,
                                        const Identity& identity,
                                        const LogState& state) {
  const std::string path =
      SnapshotPath(directory, state.snapshot_index, state.snapshot_term);
  const auto file = files->Open(path, Files::Mode::kRead);
  if (absl::IsNotFound(file.status())) {
    return absl::DataLossError(absl::StrCat(path, " is missing"));
  }
  if (!file.ok()) return file.status();
  const auto size = (*file)->Size();
  if (!size.ok()) return size.status();
  const auto bytes = (*file)->Read(0, sizeof(SnapshotHeader));
  if (!bytes.ok()) return bytes.status();
  const auto header = Decode<SnapshotHeader>(*bytes);
  if (!header.ok()) return At(path, header.status());
  absl::Status status = CheckHeader(*header, identity, state, *size);
  if (!status.ok()) return At(path, status);
  absl::StatusOr<base::Rope> content = ReadContent(file->get(), header->bytes);
  if (content.ok() && CrcOf(*content) != header->crc) {
    return absl::DataLossError(absl::StrCat(
        path, " is damaged: its checksum is wrong; it has the entries 1 to ",
        header->index));
  }
  return content;
}

}  // namespace persister
