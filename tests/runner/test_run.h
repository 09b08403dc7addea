// One test of a run: what is printed of it and what events tell, from its start
// to its verdict. The test's text is in order within itself; when it is printed
// decides the transcript, while events are written as things happen.
//
// Thread safety: compatible; the runner's only thread uses it.

#ifndef TESTS_RUNNER_TEST_RUN_H_
#define TESTS_RUNNER_TEST_RUN_H_

#include <chrono>
#include <cstddef>
#include <string_view>

#include "tests/runner/child_process.h"
#include "tests/runner/events.h"
#include "tests/runner/failure_report.h"
#include "tests/runner/lines.h"
#include "tests/runner/options.h"
#include "tests/runner/run_log.h"
#include "tests/runner/test_list.h"
#include "tests/runner/transcript.h"

namespace runner {

class TestRun {
 public:
  using Clock = std::chrono::steady_clock;
  enum class State { kWaits, kRuns, kPassed, kFailed, kSkipped, kInterrupted };

  // All must outlive it. `index` is its place in the running order.
  TestRun(const Options& options, const TestCase& test, size_t index,
          RunLog* log, Events* events);

  const TestCase& test() const { return test_; }
  State state() const { return state_; }
  bool HasVerdict() const;

  // How long it has run so far, or ran.
  Clock::duration Ran() const;

  // Says that the test starts; returns what its process is to be.
  ChildCommand Start();

  // Says how it ended, unless it was interrupted.
  void End(const ChildResult& result);

  // It is this test's turn to be printed.
  void Release() { transcript_.Release(); }

 private:
  void Pass(const ChildResult& result);
  void Skip(const ChildResult& result);
  void Fail(const ChildResult& result);

  void Print(std::string_view text);
  void PrintChecks(const ChildResult& result);
  void PrintVerdict(const char* verdict, const ChildResult& result);

  const Options& options_;
  const TestCase& test_;
  const size_t index_;
  Events* const events_;
  Transcript transcript_;
  LineLimit output_;
  LineLimit debug_log_;
  ErrorExcerpt error_;
  State state_ = State::kWaits;
  Clock::time_point start_;
  Clock::duration took_{0};
};

}  // namespace runner

#endif  // TESTS_RUNNER_TEST_RUN_H_
