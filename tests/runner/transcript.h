// What a run prints of one test: at once if it is that test's turn, else kept
// until it is.
//
// Thread safety: compatible; the runner's only thread writes.

#ifndef TESTS_RUNNER_TRANSCRIPT_H_
#define TESTS_RUNNER_TRANSCRIPT_H_

#include <string>
#include <string_view>

#include "tests/runner/run_log.h"

namespace runner {

class Transcript {
 public:
  explicit Transcript(RunLog* log) : log_(log) {}
  ~Transcript();
  Transcript(const Transcript&) = delete;
  Transcript& operator=(const Transcript&) = delete;

  // Writes `text` to standard output and to the log.
  void Print(std::string_view text);

  // Writes `text` to the log only.
  void Keep(std::string_view text);

  // It is this test's turn: writes what was kept.
  void Release();

 private:
  RunLog* const log_;
  bool released_ = false;
  std::string text_;  // for standard output
  int part_ = -1;     // a file that holds what is for the log; -1: nothing is
};

}  // namespace runner

#endif  // TESTS_RUNNER_TRANSCRIPT_H_
