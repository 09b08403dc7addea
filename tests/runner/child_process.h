// The parent's side of one test: starts the program again for that test, reads
// what it says, and returns how it ended.
//
// Thread safety: for a process with one thread, the runner's. It waits in one
// poll loop, and returns only when the child and its whole process group are
// gone.

#ifndef TESTS_RUNNER_CHILD_PROCESS_H_
#define TESTS_RUNNER_CHILD_PROCESS_H_

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/runner/failed_check.h"

namespace runner {

// Cuts a stream of bytes into lines.
class LineSplitter {
 public:
  // Gets each line without its line feed.
  using Sink = std::function<void(const std::string& line)>;

  explicit LineSplitter(Sink sink) : sink_(std::move(sink)) {}

  // Passes on every line that `bytes` completes; a line of more than 64 KiB
  // in pieces.
  void Add(std::string_view bytes);

  // Passes on what is left of an unfinished line.
  void Finish();

 private:
  const Sink sink_;
  std::string partial_;
};

struct ChildCommand {
  std::vector<std::string> args;      // without the program's name
  std::chrono::nanoseconds limit{0};  // then it is killed
  LineSplitter::Sink on_output;       // each line of its standard output
  LineSplitter::Sink on_error;        // each line of its standard error
};

struct ChildResult {
  enum class End { kExited, kSignalled, kTimedOut, kInterrupted, kNotStarted };
  End end = End::kNotStarted;
  int code = 0;  // exit status, signal, or errno
  bool ran_to_end = false;
  bool skipped = false;
  std::vector<FailedCheck> checks;  // failed ones and skips, in order
  std::chrono::nanoseconds took{0};
};

// While one exists, SIGINT, SIGTERM and SIGHUP do not end this process but the
// child that RunChild() waits for, with End::kInterrupted.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

// Runs the program with `command.args` to its end.
// REQUIRES: an InterruptGuard exists, and the process has no other threads.
ChildResult RunChild(const ChildCommand& command);

}  // namespace runner

#endif  // TESTS_RUNNER_CHILD_PROCESS_H_
