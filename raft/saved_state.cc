#include "raft/saved_state.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "rpc/codec.h"

namespace raft {

absl::StatusOr<SavedState> DecodeSavedState(std::string_view bytes) {
  if (bytes.empty()) return SavedState();
  static const size_t header_size = rpc::Encode(SavedHeader()).size();
  if (bytes.size() < header_size) {
    return absl::DataLossError("the saved raft state is cut short");
  }
  const auto header = rpc::Decode<SavedHeader>(bytes.substr(0, header_size));
  if (!header.ok()) return header.status();
  std::string packed(bytes.substr(header_size));
  size_t count = 0;
  if (!Entries::CountWhole(packed, &count)) {
    return absl::DataLossError("the saved log entries are cut short");
  }
  return SavedState{.current_term = header->current_term,
                    .voted_for = header->voted_for,
                    .last_included_index = header->last_included_index,
                    .last_included_term = header->last_included_term,
                    .entries = Entries(count, std::move(packed))};
}

}  // namespace raft
