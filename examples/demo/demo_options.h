// The demo's command line.
//
// Thread safety: none needed; read once, before any other thread runs.

#ifndef EXAMPLES_DEMO_DEMO_OPTIONS_H_
#define EXAMPLES_DEMO_DEMO_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace tests {

struct DemoOptions {
  uint64_t seed = 0;   // the one given, or a random one
  bool plain = false;  // one line per event, also on a terminal
  double speed = 1;    // of the story, not of Raft
  bool help = false;
};

// Reads the arguments; an error is one line that says what to do instead.
absl::StatusOr<DemoOptions> ParseDemoOptions(int argc, char** argv);

// What --help prints.
std::string DemoHelp();

}  // namespace tests

#endif  // EXAMPLES_DEMO_DEMO_OPTIONS_H_
