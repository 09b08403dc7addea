// The program run on the test programs of tests/programs/test_programs.cc, for
// the runner's own tests.
//
// Thread safety: free functions without state; a run waits for its program.

#ifndef TESTS_UNIT_RUNNER_PROGRAM_RUN_H_
#define TESTS_UNIT_RUNNER_PROGRAM_RUN_H_

#include <functional>
#include <string>

namespace runner {

struct Outcome {
  int status = -1;
  std::string log;     // what is in the file that the first line names
  std::string output;  // what is between the first line and PASS or FAIL
  std::string end;     // from there
  std::string all;
};

// This program's path.
std::string Program();

bool Has(const std::string& text, const std::string& part);

std::string FileContent(const std::string& path);

// The part of `text` between the first `before` and the next line's end; empty
// if there is no such thing.
std::string RestOfLine(const std::string& text, const std::string& before);

using LineWatcher = std::function<void(const std::string& line)>;

// Runs the program under a shell; standard error is mixed in. `watcher` sees
// each line as it comes.
Outcome RunProgram(const std::string& args, const LineWatcher& watcher = {});

// Runs test programs one after another under seed 7 and takes the output
// apart. Durations read (T), and what the machine was like (M).
Outcome RunTestPrograms(const std::string& run,
                        const std::string& more_args = "",
                        const LineWatcher& watcher = {});

// The lines under a test that failed with -v.
std::string Repeat(const std::string& name);

}  // namespace runner

#endif  // TESTS_UNIT_RUNNER_PROGRAM_RUN_H_
