#include "tests/oracle/disk.h"

#include <utility>

#if __has_include("raft/saved_state.h")
#include "raft/saved_state.h"
#endif

namespace oracle {

#if __has_include("raft/saved_state.h")

DecodeDisk DecoderOfTheRaft() {
  return [](std::string_view bytes) -> std::optional<DiskState> {
    absl::StatusOr<raft::SavedState> saved = raft::DecodeSavedState(bytes);
    if (!saved.ok()) return std::nullopt;
    return DiskState{.current_term = saved->current_term,
                     .voted_for = saved->voted_for,
                     .base_index = saved->base_index,
                     .base_term = saved->base_term,
                     .entries = std::move(saved->entries)};
  };
}

#else

DecodeDisk DecoderOfTheRaft() { return nullptr; }

#endif

}  // namespace oracle
