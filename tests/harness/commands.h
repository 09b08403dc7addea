// The commands of the ported tests: integers and, in one test, strings.
//
// Raft sees opaque bytes; the tests compare values, by type and value, and
// print them as the course does.
//
// Thread safety: free functions without state.
// Invariant: DecodeCommand(EncodeCommand(c)) == c.

#ifndef TESTS_HARNESS_COMMANDS_H_
#define TESTS_HARNESS_COMMANDS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "base/random.h"

namespace harness {

using Command = std::variant<int64_t, std::string>;

// The bytes for Raft: a tag that tells the type, then the value.
std::string EncodeCommand(const Command& command);

// The command that gave `bytes`, or an error that says what is wrong with them.
absl::StatusOr<Command> DecodeCommand(std::string_view bytes);

// The commands whose bytes stand one after another in `bytes`: each says where
// it ends.
absl::StatusOr<std::vector<Command>> DecodeCommands(std::string_view bytes);

// As in the course's messages: 100, or a string as it is.
std::string ToString(const Command& command);

// As in the course's messages: [100 101 102].
std::string ToString(const std::vector<int64_t>& values);

// Uniform among the non-negative 63-bit integers.
int64_t RandomValue(base::Random* random);

}  // namespace harness

#endif  // TESTS_HARNESS_COMMANDS_H_
