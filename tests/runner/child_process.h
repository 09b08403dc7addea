// The parent's side of one test: the program, started again for that test; what
// it says, and how it ends.
//
// Thread safety: for a process with one thread, the runner's.
// Invariant: a child that has ended is gone, and its process group too.

#ifndef TESTS_RUNNER_CHILD_PROCESS_H_
#define TESTS_RUNNER_CHILD_PROCESS_H_

#include <poll.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/runner/failed_check.h"
#include "tests/runner/lines.h"
#include "tests/runner/pipe.h"

namespace runner {

struct ChildCommand {
  std::vector<std::string> args;      // without the program's name
  std::chrono::nanoseconds limit{0};  // then it is killed
  LineSink on_output;                 // each line of its standard output
  LineSink on_error;                  // each line of its standard error
};

struct ChildResult {
  enum class End { kExited, kSignalled, kTimedOut, kInterrupted, kNotStarted };
  End end = End::kNotStarted;
  int code = 0;  // exit status, signal, or errno
  bool ran_to_end = false;
  bool has_failed = false;  // in a check
  bool skipped = false;
  std::vector<FailedCheck> checks;  // failed ones and skips, in order
  size_t checks_cut = 0;            // how many more there were
  std::chrono::nanoseconds took{0};
  std::chrono::microseconds cpu{0};  // its own, and of those it waited for
  // In real time: by how much one of its threads woke up too late, at worst.
  std::optional<std::chrono::milliseconds> late;
};

class Child {
 public:
  using Clock = std::chrono::steady_clock;

  // Starts the program with `command.args`, as the leader of a process group.
  explicit Child(ChildCommand command);

  // REQUIRES: it has ended, by Reap().
  ~Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Not positive if it could not be started.
  pid_t pid() const { return pid_; }
  Clock::time_point start() const { return start_; }
  Clock::time_point deadline() const { return start_ + command_.limit; }

  // Adds what its owner waits for.
  void AddStreams(std::vector<pollfd>* fds) const;

  // Passes on a part of what it has said; kills it if it is past its deadline.
  void Attend();

  // Kills it and its process group; the result will say `why`.
  void Kill(ChildResult::End why);

  // True if it has ended, or was not started: then Reap() is due.
  bool HasEnded() const;

  // Kills the rest of its process group and waits for it.
  void Reap();

  // Passes on the rest of what was said, and returns the result. Called last,
  // when all processes that it has left are gone.
  ChildResult Finish();

 private:
  [[noreturn]] void Exec(pid_t parent, char** argv);
  // Returns false if there was nothing.
  bool Read();
  void ReadRecords(std::string_view bytes);
  void TakeRecord(const std::string& record);
  void TakeCheck(const std::string& fields);
  void SetEnd(int status);

  const ChildCommand command_;
  const Clock::time_point start_ = Clock::now();
  pid_t pid_ = -1;
  Pipe output_;
  Pipe error_;
  Pipe records_;
  LineSplitter output_lines_;
  LineSplitter error_lines_;
  std::string partial_record_;
  size_t record_bytes_ = 0;
  bool killed_ = false;  // result_.end then says why
  ChildResult result_;
};

}  // namespace runner

#endif  // TESTS_RUNNER_CHILD_PROCESS_H_
