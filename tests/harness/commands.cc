#include "tests/harness/commands.h"

#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "rpc/codec.h"

namespace harness {
namespace {

constexpr char kIntegerTag = 'i';
constexpr char kStringTag = 's';

// The alternative T of a command, out of the bytes after the tag.
template <typename T>
absl::StatusOr<Command> DecodeAs(std::string_view bytes) {
  absl::StatusOr<T> value = rpc::Decode<T>(bytes);
  if (!value.ok()) return value.status();
  return Command(*std::move(value));
}

// How many of `bytes` are the first command; more than there are if it is cut
// short or is none.
size_t SizeOfFirst(std::string_view bytes) {
  const absl::StatusOr<uint64_t> value =
      rpc::Decode<uint64_t>(bytes.substr(1, sizeof(uint64_t)));
  if (!value.ok()) return bytes.size() + 1;
  // The value itself, or the length of what follows.
  const size_t head = 1 + sizeof(uint64_t);
  if (bytes.front() == kIntegerTag) return head;
  return *value <= bytes.size() ? head + *value : bytes.size() + 1;
}

}  // namespace

std::string EncodeCommand(const Command& command) {
  if (const int64_t* value = std::get_if<int64_t>(&command)) {
    return kIntegerTag + rpc::Encode(*value);
  }
  return kStringTag + rpc::Encode(std::get<std::string>(command));
}

absl::StatusOr<Command> DecodeCommand(std::string_view bytes) {
  if (bytes.empty()) return absl::DataLossError("empty command");
  const char tag = bytes.front();
  bytes.remove_prefix(1);
  if (tag == kIntegerTag) return DecodeAs<int64_t>(bytes);
  if (tag == kStringTag) return DecodeAs<std::string>(bytes);
  return absl::DataLossError("malformed: unknown type of command");
}

absl::StatusOr<std::vector<Command>> DecodeCommands(std::string_view bytes) {
  std::vector<Command> commands;
  while (!bytes.empty()) {
    const size_t size = SizeOfFirst(bytes);
    absl::StatusOr<Command> command = DecodeCommand(bytes.substr(0, size));
    if (!command.ok()) return command.status();
    commands.push_back(*std::move(command));
    bytes.remove_prefix(size);
  }
  return commands;
}

std::string ToString(const Command& command) {
  if (const int64_t* value = std::get_if<int64_t>(&command)) {
    return absl::StrCat(*value);
  }
  return std::get<std::string>(command);
}

std::string ToString(const std::vector<int64_t>& values) {
  return absl::StrCat("[", absl::StrJoin(values, " "), "]");
}

int64_t RandomValue(base::Random* random) {
  return random->Between(0, std::numeric_limits<int64_t>::max());
}

}  // namespace harness
