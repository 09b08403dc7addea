#include "tests/harness/disk.h"

#include <utility>

#include "base/logging.h"
#include "tests/harness/environment.h"

#if __has_include("raft/saved_state.h")
#include "raft/saved_state.h"
#endif

namespace harness {

#if __has_include("raft/saved_state.h")

bool CanReadDisks() { return !TheEnvironment().opaque_disks; }

std::optional<DiskState> ReadDisk(std::string_view bytes) {
  absl::StatusOr<raft::SavedState> saved = raft::DecodeSavedState(bytes);
  if (!saved.ok()) return std::nullopt;
  return DiskState{.current_term = saved->current_term,
                   .voted_for = saved->voted_for,
                   .last_included_index = saved->last_included_index,
                   .last_included_term = saved->last_included_term,
                   .entries = std::move(saved->entries)};
}

#else

bool CanReadDisks() { return false; }

std::optional<DiskState> ReadDisk(std::string_view) {
  LOG(FATAL) << "this Raft has no raft/saved_state.h";
}

#endif

}  // namespace harness
