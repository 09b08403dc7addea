#include "tests/harness/disk.h"

#include <utility>

#include "base/logging.h"
#include "tests/harness/environment.h"

#if __has_include("raft/saved_state_reader.h")
#include "raft/saved_state_reader.h"
#endif

namespace harness {

#if __has_include("raft/saved_state_reader.h")

class DiskReader::Reader : public raft::SavedStateReader {};

bool CanReadDisks() { return !TheEnvironment().opaque_disks; }

std::optional<DiskState> DiskReader::Read(const base::Rope& raft_state) {
  absl::StatusOr<raft::SavedState> saved = reader_->Read(raft_state);
  if (!saved.ok()) return std::nullopt;
  return DiskState{.current_term = saved->current_term,
                   .voted_for = saved->voted_for,
                   .last_included_index = saved->last_included_index,
                   .last_included_term = saved->last_included_term,
                   .kept = saved->kept,
                   .entries = std::move(saved->entries)};
}

#else

class DiskReader::Reader {};

bool CanReadDisks() { return false; }

std::optional<DiskState> DiskReader::Read(const base::Rope& /*raft_state*/) {
  LOG(FATAL) << "this Raft has no raft/saved_state_reader.h";
}

#endif

DiskReader::DiskReader() : reader_(std::make_unique<Reader>()) {}
DiskReader::~DiskReader() = default;

}  // namespace harness
