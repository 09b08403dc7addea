#include "raft/saved_state.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "raft/checksum.h"
#include "rpc/codec.h"

namespace raft {
namespace {

// Takes a T from the front of `bytes`.
template <typename T>
absl::StatusOr<T> TakeFront(std::string_view* bytes) {
  static const size_t size = rpc::Encode(T()).size();
  const std::string_view front = bytes->substr(0, size);
  bytes->remove_prefix(front.size());
  return rpc::Decode<T>(front);
}

}  // namespace

absl::StatusOr<SavedState> DecodeSavedState(std::string_view bytes) {
  if (bytes.empty()) return SavedState();
  const auto seal = TakeFront<SavedSeal>(&bytes);
  if (!seal.ok()) return seal.status();
  if (seal->format != kSavedFormat) {
    return absl::DataLossError("it does not begin with 'RFT3'");
  }
  const std::string_view sealed = bytes;
  const auto header = TakeFront<SavedHeader>(&bytes);
  if (!header.ok()) return header.status();
  size_t count = 0;
  if (!Entries::CountWhole(bytes, &count)) {
    return absl::DataLossError("the log entries are cut short");
  }
  LogChecksum entries(header->discarded);
  entries.AppendPacked(bytes);
  const size_t header_size = sealed.size() - bytes.size();
  if (Extend(entries.value(), sealed.substr(0, header_size)) !=
      seal->checksum) {
    return absl::DataLossError("the checksum is wrong");
  }
  return SavedState{*header, Entries(count, std::string(bytes))};
}

absl::Status CheckSnapshot(const SavedHeader& header,
                           const base::Rope& snapshot) {
  if (snapshot.size() != header.snapshot_size) {
    return absl::DataLossError(absl::StrCat("the snapshot has ",
                                            snapshot.size(),
                                            " bytes, but the raft state was "
                                            "saved with one of ",
                                            header.snapshot_size));
  }
  if (ChecksumOf(snapshot) != header.snapshot_checksum) {
    return absl::DataLossError(
        "the snapshot is not the one that the raft state was saved with: its "
        "checksum is another");
  }
  return absl::OkStatus();
}

}  // namespace raft
