#include "persister/files/recovered_log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "persister/files/packed.h"

namespace persister {
namespace {

constexpr size_t kPieceBytes = 1 << 20;
constexpr size_t kMarkDistance = 64 << 10;

}  // namespace

absl::Status RecoveredLog::Apply(const Record& record) {
  switch (record.type) {
    case RecordType::kEntries:
      return AppendEntries(record);
    case RecordType::kVote:
      if (record.term < state_.term) {
        return absl::DataLossError(
            absl::StrCat("term ", record.term, " follows term ", state_.term));
      }
      state_.term = record.term;
      state_.voted_for = static_cast<int64_t>(record.index);
      return absl::OkStatus();
    case RecordType::kTruncate:
      return Truncate(record.index);
    case RecordType::kSnapshot:
      return InstallSnapshot(record.index, record.term);
  }
  return absl::DataLossError(absl::StrCat("a record has the unknown type ",
                                          static_cast<uint32_t>(record.type)));
}

absl::Status RecoveredLog::AppendEntries(const Record& record) {
  if (record.index != state_.next_index) {
    return absl::DataLossError(absl::StrCat(
        "entry ", record.index, " follows entry ", state_.next_index - 1));
  }
  const PackedRun run = WalkPacked(record.payload, last_term_);
  if (!run.whole || run.count == 0 || run.last_term != record.term) {
    return absl::DataLossError(
        absl::StrCat("the entries from ", record.index, " on are not whole"));
  }
  if (!run.in_order) {
    return absl::DataLossError(absl::StrCat("the terms of the entries from ",
                                            record.index, " on decrease"));
  }
  if (marks_.empty() || end_offset() - marks_.back().offset >= kMarkDistance) {
    marks_.push_back({record.index, end_offset()});
  }
  pending_.append(record.payload);
  if (pending_.size() >= kPieceBytes) MergePending();
  state_.next_index += run.count;
  last_term_ = run.last_term;
  return absl::OkStatus();
}

absl::Status RecoveredLog::Truncate(uint64_t index) {
  if (index <= state_.snapshot_index) {
    return absl::DataLossError(
        absl::StrCat("the entries from ", index, " on are discarded, but the ",
                     "snapshot covers entry ", state_.snapshot_index));
  }
  if (index >= state_.next_index) return absl::OkStatus();
  last_term_ = 0;  // a lower bound
  if (index <= first_index_) {
    Clear(index);
    return absl::OkStatus();
  }
  MergePending();
  const uint64_t offset = OffsetOf(index);
  entries_.Truncate(offset - dropped_);
  while (marks_.back().offset >= offset) marks_.pop_back();
  state_.next_index = index;
  return absl::OkStatus();
}

absl::Status RecoveredLog::InstallSnapshot(uint64_t index, uint64_t term) {
  if (index <= state_.snapshot_index || index >= kMaxIndex) {
    return absl::DataLossError(absl::StrCat("the snapshot of entry ", index,
                                            " follows that of entry ",
                                            state_.snapshot_index));
  }
  state_.snapshot_index = index;
  state_.snapshot_term = term;
  if (index >= state_.next_index - 1) {
    Clear(index + 1);
    last_term_ = term;
  } else if (index >= first_index_) {
    MergePending();
    const uint64_t offset = OffsetOf(index + 1);
    entries_.RemovePrefix(offset - dropped_);
    dropped_ = offset;
    first_index_ = index + 1;
    while (!marks_.empty() && marks_.front().offset <= offset) {
      marks_.pop_front();
    }
    marks_.push_front({first_index_, offset});
  }
  return absl::OkStatus();
}

void RecoveredLog::Clear(uint64_t next_index) {
  dropped_ = end_offset();
  entries_ = base::Rope();
  pending_.clear();
  marks_.clear();
  first_index_ = state_.next_index = next_index;
}

void RecoveredLog::MergePending() {
  entries_.Append(pending_);
  pending_.clear();
}

uint64_t RecoveredLog::OffsetOf(uint64_t index) const {
  const auto after = std::upper_bound(
      marks_.begin(), marks_.end(), index,
      [](uint64_t wanted, const Mark& mark) { return wanted < mark.index; });
  const Mark& mark = *std::prev(after);
  const uint64_t end =
      after == marks_.end() ? dropped_ + entries_.size() : after->offset;
  std::string packed;
  entries_.CopyTo(mark.offset - dropped_, end - mark.offset, &packed);
  return mark.offset + PackedBytes(packed, index - mark.index);
}

base::Rope RecoveredLog::TakeEntries() {
  MergePending();
  return std::exchange(entries_, {});
}

}  // namespace persister
