#include "examples/demo/apply_record.h"

#include "absl/strings/str_cat.h"

namespace tests {

using base::MutexLock;

void ApplyRecord::Restart(raft::ServerId server) {
  MutexLock lock(&mu_);
  applied_[static_cast<size_t>(server)] = 0;
}

std::optional<std::string> ApplyRecord::Add(raft::ServerId server,
                                            const raft::ApplyMsg& message) {
  MutexLock lock(&mu_);
  raft::Index& applied = applied_[static_cast<size_t>(server)];
  if (message.index != applied + 1) {
    return absl::StrCat("S", server, " applied entry ", message.index,
                        " after entry ", applied);
  }
  if (message.index > entries_.size()) {
    entries_.push_back({message.term, message.command, raft::Clock::now()});
  }
  const Entry& entry = entries_[message.index - 1];
  if (entry.term != message.term || entry.command != message.command) {
    return absl::StrCat("S", server, " applied ", message.command, " as entry ",
                        message.index, ", another server ", entry.command);
  }
  applied = message.index;
  return std::nullopt;
}

raft::Index ApplyRecord::AppliedBy(raft::ServerId server) const {
  MutexLock lock(&mu_);
  return applied_[static_cast<size_t>(server)];
}

std::optional<ApplyRecord::Entry> ApplyRecord::At(raft::Index index) const {
  MutexLock lock(&mu_);
  if (index == 0 || index > entries_.size()) return std::nullopt;
  return entries_[index - 1];
}

std::vector<ApplyRecord::Entry> ApplyRecord::All() const {
  MutexLock lock(&mu_);
  return entries_;
}

}  // namespace tests
