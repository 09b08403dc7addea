#include "tests/harness/service_snapshot.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace harness {
namespace {

std::string Padding(raft::Index index, size_t size) {
  std::string bytes(size, '\0');
  uint64_t value = index;
  for (char& byte : bytes) {
    value = value * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<char>(value >> 56);
  }
  return bytes;
}

}  // namespace

base::Rope MakeServiceSnapshot(base::Rope history, raft::Index index,
                               size_t padding) {
  if (padding > 0) history.Append(Padding(index, padding));
  return history;
}

absl::StatusOr<std::vector<Command>> ReadServiceSnapshot(
    const base::Rope& snapshot, size_t padding) {
  if (snapshot.size() < padding) return absl::DataLossError("cut short");
  const std::string bytes = snapshot.ToString();
  const std::string_view all = bytes;
  const size_t size = all.size() - padding;
  absl::StatusOr<std::vector<Command>> commands =
      DecodeCommands(all.substr(0, size));
  if (commands.ok() && all.substr(size) != Padding(commands->size(), padding)) {
    return absl::DataLossError("malformed: other padding");
  }
  return commands;
}

}  // namespace harness
