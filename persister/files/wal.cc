#include "persister/files/wal.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "persister/files/directory.h"
#include "persister/files/snapshot_file.h"

namespace persister {
namespace {

// Makes a segment of zeros: without a header it counts as unused.
absl::Status MakeSegment(Files* files, const std::string& directory,
                         uint64_t sequence, uint64_t bytes) {
  const std::string path = SegmentPath(directory, sequence);
  absl::Status status =
      MakeFile(files, WalDirectory(directory), path,
               [bytes](File* file) { return file->Preallocate(bytes); });
  if (absl::IsResourceExhausted(status)) {
    // What there is of it takes room. It may be that nothing is there.
    (void)files->Remove(path + kTemporary);
  }
  return status;
}

}  // namespace

absl::Status Wal::Initialize(Files* files, const std::string& directory,
                             const Options& options) {
  return MakeSegment(files, directory, /*sequence=*/1, options.segment_bytes);
}

Wal::Wal(Files* files, std::string directory, const Options& options,
         const Recovery& recovery)
    : files_(files),
      directory_(std::move(directory)),
      options_(options),
      state_(recovery.state),
      next_batch_(recovery.next_batch),
      used_(recovery.used),
      offset_(recovery.end_offset),
      old_snapshot_index_(recovery.state.snapshot_index),
      old_snapshot_term_(recovery.state.snapshot_term) {}

absl::StatusOr<std::unique_ptr<Wal>> Wal::Open(Files* files,
                                               std::string directory,
                                               const Options& options,
                                               const Recovery& recovery) {
  absl::Status status = MakeDurable(files, directory, recovery);
  // In this order: what goes makes room for the copy of what is cut.
  if (status.ok()) status = RemoveLeftovers(files, directory, recovery.state);
  if (status.ok() && recovery.torn.bytes > 0) {
    status = CutTornBatch(files, directory, recovery.torn);
  }
  if (!status.ok()) return status;
  std::unique_ptr<Wal> wal(
      new Wal(files, std::move(directory), options, recovery));
  if (!recovery.used.empty()) {
    auto current = wal->OpenSegment(recovery.used.back().sequence);
    if (!current.ok()) return current.status();
    wal->current_ = *std::move(current);
  }
  if (recovery.unused_sequence != 0) {
    auto next = wal->OpenSegment(recovery.unused_sequence);
    if (!next.ok()) return next.status();
    wal->next_ = *std::move(next);
  }
  return wal;
}

absl::StatusOr<Wal::Segment> Wal::OpenSegment(uint64_t sequence) {
  auto file =
      files_->Open(SegmentPath(directory_, sequence), Files::Mode::kWrite);
  if (!file.ok()) return file.status();
  const auto size = (*file)->Size();
  if (!size.ok()) return size.status();
  return Segment{sequence, *size, *std::move(file)};
}

absl::Status Wal::Write(BatchBuilder* batch, const LogState& after) {
  if (current_.file == nullptr ||
      offset_ + batch->size() > current_.file_bytes) {
    absl::Status status = SwitchSegment(batch->size());
    if (!status.ok()) return status;
  }
  std::string_view bytes = batch->Seal(current_.sequence, next_batch_, offset_);
  uint64_t offset = offset_;
  offset_ += bytes.size();
  std::string with_header;
  if (offset == kFirstBatchOffset) {  // they become durable together
    with_header = EncodeHeader();
    with_header.append(bytes);
    bytes = with_header;
    offset = 0;
  }
  absl::Status status = current_.file->Write(offset, bytes);
  if (status.ok()) status = current_.file->Flush();
  ++next_batch_;
  state_ = after;
  return status;
}

// The state is what it was at the end of the segment before.
absl::Status Wal::SwitchSegment(size_t batch_bytes) {
  absl::Status status;
  if (!has_next()) status = MakeNext();
  if (!status.ok()) return status;
  current_ = std::exchange(next_, {});
  offset_ = kFirstBatchOffset;
  used_.push_back({current_.sequence, state_.next_index});
  const uint64_t needed = kFirstBatchOffset + batch_bytes;
  if (needed <= current_.file_bytes) return status;
  // Its size is durable before the header tells it.
  current_.file_bytes = needed;
  status = current_.file->Preallocate(needed);
  return status.ok() ? current_.file->Flush() : status;
}

std::string Wal::EncodeHeader() const {
  std::string header = Encode(SegmentHeader{.identity = options_.identity,
                                            .sequence = current_.sequence,
                                            .file_bytes = current_.file_bytes,
                                            .first_batch = next_batch_,
                                            .start = state_});
  header.resize(kFirstBatchOffset);
  return header;
}

absl::Status Wal::MakeNext() {
  const uint64_t sequence = used_.empty() ? 1 : used_.back().sequence + 1;
  absl::Status status =
      MakeSegment(files_, directory_, sequence, options_.segment_bytes);
  if (!status.ok()) return status;
  auto next = OpenSegment(sequence);
  if (!next.ok()) return next.status();
  next_ = *std::move(next);
  return absl::OkStatus();
}

absl::Status Wal::WriteSnapshotFile(uint64_t index, uint64_t term,
                                    const base::Rope& content) {
  return WriteSnapshot(files_, directory_, options_.identity, index, term,
                       content);
}

absl::Status Wal::RemoveNeedless() {
  // One after the other, so that no crash leaves a gap.
  while (used_.size() > 1 && used_[1].next_index <= state_.snapshot_index + 1) {
    absl::Status status =
        files_->Remove(SegmentPath(directory_, used_.front().sequence));
    if (status.ok()) status = files_->FlushDirectory(WalDirectory(directory_));
    if (!status.ok()) return status;
    used_.erase(used_.begin());
  }
  if (old_snapshot_index_ == state_.snapshot_index) return absl::OkStatus();
  const std::string old_snapshot =
      SnapshotPath(directory_, old_snapshot_index_, old_snapshot_term_);
  const bool had_one = old_snapshot_index_ > 0;
  old_snapshot_index_ = state_.snapshot_index;
  old_snapshot_term_ = state_.snapshot_term;
  return had_one ? files_->Remove(old_snapshot) : absl::OkStatus();
}

}  // namespace persister
