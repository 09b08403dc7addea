#include "raft/saved_state_reader.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "rpc/codec.h"

namespace raft {
namespace {

size_t SealBytes() {
  static const size_t size = rpc::Encode(SavedSeal()).size();
  return size;
}

}  // namespace

absl::StatusOr<SavedState> SavedStateReader::Read(const base::Rope& bytes) {
  std::string front;
  bytes.CopyTo(0, std::min(bytes.size(), SavedFrontBytes()), &front);
  base::Rope log = bytes;
  log.RemovePrefix(front.size());
  absl::StatusOr<SavedState> state =
      bytes.empty() ? SavedState() : ReadSealed(front, std::move(log));
  if (bytes.empty() || !state.ok()) *this = SavedStateReader();
  return state;
}

absl::StatusOr<SavedState> SavedStateReader::ReadSealed(std::string_view front,
                                                        base::Rope log) {
  const auto seal = rpc::Decode<SavedSeal>(front.substr(0, SealBytes()));
  if (!seal.ok()) return seal.status();
  if (seal->format != kSavedFormat) {
    return absl::DataLossError("it does not begin with 'RFT3'");
  }
  const std::string_view header_bytes = front.substr(SealBytes());
  const auto header = rpc::Decode<SavedHeader>(header_bytes);
  if (!header.ok()) return header.status();

  const size_t kept_bytes = KeepShared(*header, log);
  SavedState state{*header, ends_.size(), {}};
  std::string fresh;
  log.CopyTo(kept_bytes, log.size() - kept_bytes, &fresh);
  size_t count = 0;
  if (!Entries::CountWhole(fresh, &count)) {
    return absl::DataLossError("the log entries are cut short");
  }
  checksum_.AppendPacked(fresh);
  if (Extend(checksum_.value(), header_bytes) != seal->checksum) {
    return absl::DataLossError("the checksum is wrong");
  }
  state.entries = Entries(count, fresh);
  size_t end = kept_bytes;
  for (const EntryView entry : state.entries) {
    end += Entries::kHeaderBytes + entry.command.size();
    ends_.push_back(end);
  }
  header_ = *header;
  log_ = std::move(log);
  return state;
}

size_t SavedStateReader::KeepShared(const SavedHeader& header,
                                    const base::Rope& log) {
  const bool follows =
      header.last_included_index == header_.last_included_index &&
      header.last_included_term == header_.last_included_term &&
      header.discarded == header_.discarded;
  const size_t shared = follows ? SharedPrefix(log_, log) : 0;
  ends_.erase(std::upper_bound(ends_.begin(), ends_.end(), shared),
              ends_.end());
  if (ends_.empty()) {
    checksum_ = LogChecksum(header.discarded);
    return 0;
  }
  if (ends_.back() < log_.size()) {
    log_.Truncate(ends_.back());
    checksum_.Truncate(log_);
  }
  return ends_.back();
}

}  // namespace raft
