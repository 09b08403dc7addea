#include "raft/saved_state.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "raft/checksum.h"
#include "rpc/codec.h"

namespace raft {

size_t SavedFrontBytes() {
  static const size_t bytes =
      rpc::Encode(SavedSeal()).size() + rpc::Encode(SavedHeader()).size();
  return bytes;
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
