// The test program's command line.
//
// Who calls it: main(), once, before GoogleTest sees the arguments. Options
// that begin with --gtest_ are left to GoogleTest.
//
// Thread safety: none needed; no other thread runs yet.

#ifndef TESTS_RUNNER_OPTIONS_H_
#define TESTS_RUNNER_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace tests {

struct Options {
  std::string run;      // regular expression over the names; empty: all
  uint64_t seed = 0;    // the one given, or a random one
  bool verbose = true;  // as go test -v

  bool help = false;
  bool list = false;
  bool plain_gtest = false;  // --gtest_... given: GoogleTest, in one process

  // For the program's own use and the Makefile's: hidden from --help.
  std::string target;                  // `make` what, to run a test again
  bool child = false;                  // runs the one test of --gtest_filter
  bool death_test_child = false;       // GoogleTest started it, not the runner
  bool specimens = false;              // select from the runner's test subjects
  std::chrono::seconds watchdog{150};  // a test that lasts longer has hung
  std::chrono::seconds grace{30};      // for the watchdog to do its work
};

// Reads the arguments; an error is one line that says what to do instead.
absl::StatusOr<Options> ParseOptions(int argc, char** argv);

// What --help prints.
std::string HelpText();

}  // namespace tests

#endif  // TESTS_RUNNER_OPTIONS_H_
