#include "persister/files/dump.h"

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "persister/files/directory.h"
#include "persister/files/packed.h"
#include "persister/files/recovery.h"

namespace persister {
namespace {

std::string VoteText(int64_t voted_for) {
  return voted_for < 0 ? "none" : absl::StrCat(voted_for);
}

std::string RecordText(const Record& record) {
  switch (record.type) {
    case RecordType::kEntries: {
      const uint64_t count = WalkPacked(record.payload).count;
      return absl::StrCat("entries ", record.index, " to ",
                          record.index + count - 1, ", up to term ",
                          record.term, ", ", record.payload.size(), " bytes");
    }
    case RecordType::kVote:
      return absl::StrCat("term ", record.term, ", vote ",
                          VoteText(static_cast<int64_t>(record.index)));
    case RecordType::kTruncate:
      return absl::StrCat("entries from ", record.index, " on are discarded");
    case RecordType::kSnapshot:
      return absl::StrCat("snapshot up to entry ", record.index, " of term ",
                          record.term);
  }
  return absl::StrCat("unknown type ", static_cast<uint32_t>(record.type));
}

void PrintSegment(const std::string& path, const SegmentHeader& header,
                  std::ostream& out) {
  out << path << ": from batch " << header.first_batch << " on, after entry "
      << header.start.next_index - 1 << ", in term " << header.start.term
      << ", vote " << VoteText(header.start.voted_for) << ", snapshot "
      << header.start.snapshot_index << "\n";
}

void PrintBatch(const Batch& batch, size_t offset, std::ostream& out) {
  out << "  offset " << offset << ": batch " << batch.header.number << ", "
      << batch.header.bytes << " bytes\n";
  // Recovery reports what is wrong with them.
  (void)ForEachRecord(batch, [&out](const Record& record) {
    out << "    " << RecordText(record) << "\n";
    return absl::OkStatus();
  });
}

void PrintResult(const std::string& directory, const Recovery& recovery,
                 std::ostream& out) {
  const Recovered& recovered = recovery.recovered;
  if (recovery.torn.bytes > 0) {
    out << SegmentPath(directory, recovery.torn.sequence) << ": the batch at "
        << "offset " << recovery.torn.offset << " was not written whole; "
        << "opening cuts its " << recovery.torn.bytes << " bytes\n";
  }
  if (recovered.snapshot_index > 0) {
    out << SnapshotPath(directory, recovered.snapshot_index,
                        recovered.snapshot_term)
        << ": " << recovered.snapshot.size() << " bytes\n";
  }
  out << directory << ": whole: term " << recovered.term << ", vote "
      << VoteText(recovered.voted_for) << ", snapshot up to entry "
      << recovered.snapshot_index << ", log up to entry "
      << recovered.last_index << "\n";
}

}  // namespace

absl::Status Dump(Files* files, const std::string& directory,
                  std::ostream& out) {
  const absl::StatusOr<Identity> identity = ReadIdentity(files, directory);
  if (absl::IsNotFound(identity.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory, " is no storage: it has no ID"));
  }
  if (!identity.ok()) return identity.status();
  const absl::StatusOr<std::unique_ptr<FileLock>> lock =
      files->Lock(LockPath(directory), Files::Mode::kRead);
  if (!lock.ok() && !absl::IsNotFound(lock.status())) return lock.status();
  out << directory << ": cluster " << identity->cluster << ", server "
      << identity->server << "\n";
  const RecoveryObserver observer{
      .on_segment =
          [&out](const std::string& path, const SegmentHeader& header) {
            PrintSegment(path, header, out);
          },
      .on_batch = [&out](const Batch& batch,
                         size_t offset) { PrintBatch(batch, offset, out); },
      .on_unused =
          [&out](const std::string& path) {
            out << path << ": not used yet\n";
          },
  };
  const absl::StatusOr<Recovery> recovery =
      Recover(files, directory, *identity, observer);
  if (!recovery.ok()) return recovery.status();
  PrintResult(directory, *recovery, out);
  return absl::OkStatus();
}

}  // namespace persister
