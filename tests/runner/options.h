// The test program's command line.
//
// main() reads it before GoogleTest sees the arguments. Options that begin with
// --gtest_ are left to GoogleTest.
//
// Thread safety: none needed; no other thread runs yet.

#ifndef TESTS_RUNNER_OPTIONS_H_
#define TESTS_RUNNER_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "tests/runner/test_list.h"

namespace runner {

struct Options {
  Selection selection;
  uint64_t seed = 0;            // the one given, or a random one
  bool verbose = true;          // as go test -v
  std::optional<int> parallel;  // how many tests run side by side
  std::string events;  // a file for events, beside the text; empty: none
  bool json = false;   // events in place of the text; the list as JSON

  bool is_simulated = false;  // the tests' processes are; sim/README.md
  bool slow_disk = false;     // for the tests: main() has them know

  bool help = false;
  bool list = false;
  bool plain_gtest = false;  // --gtest_... given: GoogleTest, in one process

  // For the program's own use and the Makefile's: hidden from --help.
  std::string target;                  // what to make, to repeat a test
  bool child = false;                  // runs the one test of --gtest_filter
  bool death_test_child = false;       // GoogleTest started it, not the runner
  bool test_programs = false;          // select from the runner's test programs
  std::chrono::seconds watchdog{150};  // a test that lasts longer has hung
  std::chrono::seconds grace{30};      // for the watchdog to do its work
};

// Reads the arguments; an error is one line that says what to do instead.
absl::StatusOr<Options> ParseOptions(int argc, char** argv);

// What --help prints.
std::string HelpText();

}  // namespace runner

#endif  // TESTS_RUNNER_OPTIONS_H_
