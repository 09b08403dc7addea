#include "persister/files/recovery.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "persister/files/directory.h"
#include "persister/files/recovered_log.h"
#include "persister/files/segment_reader.h"
#include "persister/files/snapshot_file.h"

namespace persister {
namespace {

// How much is read at a time: what the processor's cache holds.
constexpr size_t kReadBytes = 128 << 10;

// Reads a file to `bytes`, whose memory is used again: new memory would take
// longer than the file.
absl::Status ReadWhole(Files* files, const std::string& path,
                       std::string* bytes) {
  const auto file = files->Open(path, Files::Mode::kRead);
  if (!file.ok()) return file.status();
  const auto size = (*file)->Size();
  if (!size.ok()) return size.status();
  bytes->clear();
  bytes->reserve(*size);
  while (bytes->size() < *size) {
    const auto more = (*file)->Read(bytes->size(), kReadBytes);
    if (!more.ok()) return more.status();
    if (more->empty()) break;
    bytes->append(*more);
  }
  return absl::OkStatus();
}

// Reads the segments of a directory, one after the other.
class Reader {
 public:
  Reader(const Identity& identity, const RecoveryObserver& observer)
      : identity_(identity), observer_(observer) {}

  // The next segment, which has these bytes.
  absl::Status ReadNext(const std::string& path, uint64_t sequence,
                        const std::string& bytes) {
    if (recovery_.unused_sequence != 0) {
      return absl::DataLossError(
          absl::StrCat("has no header, but is not the last segment"));
    }
    const std::string_view sector =
        std::string_view(bytes).substr(0, kFirstBatchOffset);
    if (AllZero(sector)) return ReadUnused(path, sequence, bytes);

    const auto header = Decode<SegmentHeader>(sector);
    if (!header.ok()) return header.status();
    absl::Status status = CheckHeader(*header, sequence, bytes.size());
    if (!status.ok()) return status;
    if (observer_.on_segment) observer_.on_segment(path, *header);
    recovery_.used.push_back({sequence, header->start.next_index});
    return ReadUsed(*header, bytes);
  }

  // After the last segment. `directory` is for the message.
  absl::StatusOr<Recovery> Finish(const std::string& directory) {
    recovery_.state = log_.has_value() ? log_->state() : LogState{};
    const LogState& state = recovery_.state;
    if (log_.has_value() && log_->first_index() != state.snapshot_index + 1) {
      return absl::DataLossError(absl::StrCat(
          WalDirectory(directory), ": the entries ", state.snapshot_index + 1,
          " to ", log_->first_index() - 1, " are missing"));
    }
    Recovered& recovered = recovery_.recovered;
    recovered.term = state.term;
    recovered.voted_for = state.voted_for;
    recovered.snapshot_index = state.snapshot_index;
    recovered.snapshot_term = state.snapshot_term;
    recovered.last_index = state.next_index - 1;
    if (log_.has_value()) recovered.entries = log_->TakeEntries();
    return std::move(recovery_);
  }

 private:
  absl::Status CheckHeader(const SegmentHeader& header, uint64_t sequence,
                           uint64_t file_bytes) const {
    if (header.identity != identity_) {
      return absl::FailedPreconditionError(
          absl::StrCat("is of cluster ", header.identity.cluster, ", server ",
                       header.identity.server));
    }
    if (header.sequence != sequence) {
      return absl::DataLossError(
          absl::StrCat("is the segment ", header.sequence));
    }
    if (header.file_bytes != file_bytes) {
      return absl::DataLossError(absl::StrCat("has ", file_bytes,
                                              " bytes, but its header says ",
                                              header.file_bytes));
    }
    if (header.start.next_index <= header.start.snapshot_index ||
        header.start.next_index > kMaxIndex) {
      return absl::DataLossError(absl::StrCat(
          "begins after entry ", header.start.next_index - 1,
          ", but its snapshot is of entry ", header.start.snapshot_index));
    }
    if (!log_.has_value()) return absl::OkStatus();
    if (recovery_.torn.bytes > 0) {
      return absl::DataLossError(
          absl::StrCat("follows a segment that is damaged at offset ",
                       recovery_.torn.offset));
    }
    if (header.first_batch != recovery_.next_batch) {
      return absl::DataLossError(absl::StrCat(
          "begins with batch ", header.first_batch, ", but the one before ends",
          " with batch ", recovery_.next_batch - 1, " and entry ",
          log_->state().next_index - 1));
    }
    if (header.start != log_->state()) {
      return absl::DataLossError(absl::StrCat(
          "begins after entry ", header.start.next_index - 1, ", term ",
          header.start.term, ", vote ", header.start.voted_for,
          ", but the segment before ends with entry ",
          log_->state().next_index - 1, ", term ", log_->state().term,
          ", vote ", log_->state().voted_for));
    }
    return absl::OkStatus();
  }

  absl::Status ReadUsed(const SegmentHeader& header, const std::string& bytes) {
    if (!log_.has_value()) {
      log_.emplace(header.start);
      recovery_.next_batch = header.first_batch;
    }
    size_t last = kFirstBatchOffset;
    const auto visit = [&](const Batch& batch, size_t offset) {
      last = offset;
      if (observer_.on_batch) observer_.on_batch(batch, offset);
      return ForEachRecord(
          batch, [this](const Record& record) { return log_->Apply(record); });
    };
    const SegmentRead read =
        ReadSegment(bytes, header.sequence, recovery_.next_batch, visit);
    recovery_.end_offset = read.end_offset;
    if (last == kFirstBatchOffset) last = 0;
    recovery_.last_batch = {last, bytes.substr(last, read.end_offset - last)};
    return Take(read, header.sequence);
  }

  absl::Status ReadUnused(const std::string& path, uint64_t sequence,
                          const std::string& bytes) {
    if (observer_.on_unused) observer_.on_unused(path);
    recovery_.unused_sequence = sequence;
    const SegmentRead read =
        ReadUnusedSegment(bytes, sequence, recovery_.next_batch);
    if (read.torn_bytes > 0 && recovery_.torn.bytes > 0) {
      return absl::DataLossError(
          "has no header, and the segment before is damaged");
    }
    return Take(read, sequence);
  }

  absl::Status Take(const SegmentRead& read, uint64_t sequence) {
    recovery_.next_batch = read.next_number;
    if (read.end == SegmentEnd::kRot) {
      const uint64_t next = log_.has_value() ? log_->state().next_index : 1;
      return absl::DataLossError(absl::StrCat(
          "is damaged at offset ", read.end_offset, " (batch ",
          read.next_number, ", after entry ", next - 1, "): ", read.detail));
    }
    if (read.end == SegmentEnd::kTorn) {
      recovery_.torn = {sequence, read.end_offset, read.torn_bytes};
    }
    return absl::OkStatus();
  }

  const Identity identity_;
  const RecoveryObserver& observer_;
  std::optional<RecoveredLog> log_;  // from the first header on
  Recovery recovery_;
};

// The sequences must follow each other, and begin with 1 if all before are not
// known to be discarded.
absl::Status CheckSequences(const std::string& directory,
                            const std::vector<uint64_t>& sequences) {
  if (sequences.empty()) {
    return absl::DataLossError(
        absl::StrCat(WalDirectory(directory), " has no segment"));
  }
  for (size_t i = 1; i < sequences.size(); ++i) {
    if (sequences[i] != sequences[i - 1] + 1) {
      return absl::DataLossError(absl::StrCat(
          SegmentPath(directory, sequences[i - 1] + 1), " is missing"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Recovery> Recover(Files* files, const std::string& directory,
                                 const Identity& identity,
                                 const RecoveryObserver& observer) {
  const auto sequences = ListSegments(files, directory);
  if (absl::IsNotFound(sequences.status())) {
    return absl::DataLossError(
        absl::StrCat(WalDirectory(directory), " is missing"));
  }
  if (!sequences.ok()) return sequences.status();
  absl::Status in_order = CheckSequences(directory, *sequences);
  if (!in_order.ok()) return in_order;

  Reader reader(identity, observer);
  std::string bytes;
  for (const uint64_t sequence : *sequences) {
    const std::string path = SegmentPath(directory, sequence);
    absl::Status status = ReadWhole(files, path, &bytes);
    if (!status.ok()) return status;
    status = reader.ReadNext(path, sequence, bytes);
    if (!status.ok()) return At(path, status);
  }
  absl::StatusOr<Recovery> recovery = reader.Finish(directory);
  if (!recovery.ok()) return recovery;
  if (recovery->used.empty() && sequences->front() != 1) {
    return absl::DataLossError(absl::StrCat(
        SegmentPath(directory, sequences->front() - 1), " is missing"));
  }
  if (recovery->state.snapshot_index > 0) {
    absl::StatusOr<base::Rope> snapshot =
        ReadSnapshot(files, directory, identity, recovery->state);
    if (!snapshot.ok()) return snapshot.status();
    recovery->recovered.snapshot = *std::move(snapshot);
  }
  return recovery;
}

absl::Status MakeDurable(Files* files, const std::string& directory,
                         const Recovery& recovery) {
  for (const std::string& folder : {directory, WalDirectory(directory)}) {
    absl::Status status = files->FlushDirectory(folder);
    if (!status.ok()) return status;
  }
  const auto flush = [&](uint64_t sequence, const LastBatch& again) {
    const auto file =
        files->Open(SegmentPath(directory, sequence), Files::Mode::kWrite);
    if (!file.ok()) return file.status();
    absl::Status status;
    if (!again.bytes.empty()) {
      status = (*file)->Write(again.offset, again.bytes);
    }
    return status.ok() ? (*file)->Flush() : status;
  };
  absl::Status status;
  if (!recovery.used.empty()) {
    status = flush(recovery.used.back().sequence, recovery.last_batch);
  }
  if (status.ok() && recovery.unused_sequence != 0) {  // its size
    status = flush(recovery.unused_sequence, {});
  }
  return status;
}

absl::Status CutTornBatch(Files* files, const std::string& directory,
                          const TornBatch& torn) {
  const std::string path = SegmentPath(directory, torn.sequence);
  const auto file = files->Open(path, Files::Mode::kWrite);
  if (!file.ok()) return file.status();
  const auto bytes = (*file)->Read(torn.offset, torn.bytes);
  if (!bytes.ok()) return bytes.status();
  const std::string copy = absl::StrCat(path, "-", torn.offset, ".broken");
  absl::Status status =
      MakeFile(files, WalDirectory(directory), copy,
               [&bytes](File* broken) { return broken->Write(0, *bytes); });
  if (!status.ok()) return status;
  status = (*file)->Write(torn.offset, std::string(torn.bytes, '\0'));
  if (status.ok()) status = (*file)->Flush();
  if (!status.ok()) return status;
  LOG(WARNING) << path << ": the batch at offset " << torn.offset
               << " was not written whole, so never acknowledged: its "
               << torn.bytes << " bytes are cut, and copied to " << copy;
  return absl::OkStatus();
}

}  // namespace persister
