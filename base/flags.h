// The command line of a program: sets the flags that it defines (ABSL_FLAG).
//
// Not absl::ParseCommandLine(): that ends the program itself, with another exit
// status than ours and without a word on stray arguments.
//
// Thread safety: none needed; called in main(), before any thread starts.

#ifndef BASE_FLAGS_H_
#define BASE_FLAGS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace base {

struct FlagOptions {
  // Arguments that begin so belong to a library, and are left alone.
  std::string foreign_prefix;
  // Ends the message about an argument that is no flag.
  std::string stray_hint;
};

struct CommandLine {
  bool help = false;     // --help, -help or -h was given
  bool foreign = false;  // an argument with the foreign prefix was given
};

// An error is one line that says what to do instead.
absl::StatusOr<CommandLine> ParseFlags(int argc, char** argv,
                                       const FlagOptions& options = {});

// An error about the command line: `problem`, and where to read more.
absl::Status FlagError(const std::string& problem);

// The value of a flag that holds a seed; a random one if it is empty.
absl::StatusOr<uint64_t> ParseSeed(const std::string& text);

}  // namespace base

#endif  // BASE_FLAGS_H_
