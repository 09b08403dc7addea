#include "tests/harness/apply_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace harness {

const Command* ApplyLog::Find(const Log& log, raft::Index index) {
  return index >= 1 && index <= log.size() ? &log[index - 1] : nullptr;
}

std::optional<std::string> ApplyLog::Apply(raft::ServerId server,
                                           raft::Index index, Command command) {
  Log& own = logs_[static_cast<size_t>(server)];
  if (index == 0 || index > own.size() + 1) {
    return absl::StrCat("server ", server, " apply out of order ", index);
  }
  std::optional<std::string> conflict = FindConflict(server, index, command);
  if (conflict.has_value()) return conflict;
  if (index == own.size() + 1) own.push_back(std::move(command));
  max_index_ = std::max(max_index_, index);
  return std::nullopt;
}

std::optional<std::string> ApplyLog::Install(raft::ServerId server,
                                             std::vector<Command> commands) {
  for (size_t i = 0; i < commands.size(); ++i) {
    std::optional<std::string> conflict =
        FindConflict(server, /*index=*/i + 1, commands[i]);
    if (conflict.has_value()) return conflict;
  }
  logs_[static_cast<size_t>(server)] = std::move(commands);
  return std::nullopt;
}

std::optional<std::string> ApplyLog::FindConflict(
    raft::ServerId server, raft::Index index, const Command& command) const {
  for (size_t other = 0; other < logs_.size(); ++other) {
    const Command* theirs = Find(logs_[other], index);
    if (theirs != nullptr && *theirs != command) {
      return absl::StrCat("commit index=", index, " server=", server, " ",
                          ToString(command), " != server=", other, " ",
                          ToString(*theirs));
    }
  }
  return std::nullopt;
}

Applied ApplyLog::At(raft::Index index) const {
  Applied applied;
  for (const Log& log : logs_) {
    const Command* command = Find(log, index);
    if (command == nullptr) continue;
    if (applied.servers == 0) applied.command = *command;
    ++applied.servers;
  }
  return applied;
}

}  // namespace harness
