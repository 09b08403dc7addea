#include "tests/runner/test_run.h"

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "tests/runner/go_output.h"

namespace runner {
namespace {

// Of what a test prints this much is shown and kept, and as much of what it
// writes to standard error; of a debug log that was asked for, more.
constexpr size_t kMostOutput = 1 << 20;
constexpr size_t kMostDebugLog = 64 << 20;

size_t MostErrors() {
  const bool asked = FLAGS_v > 0 || !FLAGS_vmodule.empty();
  return asked ? kMostDebugLog : kMostOutput;
}

double LoadAverage() {
  double load = 0;
  getloadavg(&load, 1);
  return load;
}

}  // namespace

TestRun::TestRun(const Options& options, const TestCase& test, size_t index,
                 RunLog* log, Events* events)
    : options_(options),
      test_(test),
      index_(index),
      events_(events),
      transcript_(log),
      output_(
          kMostOutput,
          [this](const std::string& line) { Print(absl::StrCat(line, "\n")); }),
      debug_log_(MostErrors(), [this](const std::string& line) {
        transcript_.Keep(absl::StrCat(line, "\n"));
      }) {}

bool TestRun::HasVerdict() const {
  return state_ == State::kPassed || state_ == State::kFailed ||
         state_ == State::kSkipped;
}

TestRun::Clock::duration TestRun::Ran() const {
  return state_ == State::kRuns ? Clock::now() - start_ : took_;
}

ChildCommand TestRun::Start() {
  state_ = State::kRuns;
  start_ = Clock::now();
  events_->TestStarts(test_, index_);
  if (options_.verbose) Print(RunLine(test_.name));
  ChildCommand command;
  command.args = {
      "--child", absl::StrCat("--seed=", options_.seed),
      absl::StrCat("--watchdog_seconds=", options_.watchdog.count()),
      absl::StrCat("--gtest_filter=", test_.suite, ".", test_.test)};
  if (options_.slow_disk) command.args.emplace_back("--disk=slow");
  if (options_.test_programs) {
    command.args.push_back("--gtest_also_run_disabled_tests");
  }
  command.limit = options_.watchdog + options_.grace;
  command.on_output = [this](const std::string& line) { output_.Add(line); };
  command.on_error = [this](const std::string& line) {
    debug_log_.Add(line);
    error_.Add(line);
  };
  return command;
}

void TestRun::End(const ChildResult& result) {
  took_ = result.took;
  output_.Finish();
  debug_log_.Finish();
  if (result.end == ChildResult::End::kInterrupted) {
    state_ = State::kInterrupted;
  } else if (HasFailed(result)) {
    Fail(result);
  } else if (result.skipped) {
    Skip(result);
  } else {
    Pass(result);
  }
}

void TestRun::Pass(const ChildResult& result) {
  state_ = State::kPassed;
  if (options_.verbose) PrintVerdict("PASS", result);
  events_->TestPasses(test_, result);
}

void TestRun::Skip(const ChildResult& result) {
  state_ = State::kSkipped;
  if (options_.verbose) {
    for (const FailedCheck& check : result.checks)
      Print(Indented(check.Text()));
    PrintVerdict("SKIP", result);
  }
  events_->TestIsSkipped(test_, result);
}

// As go test: with -v the messages come as they arise, before the verdict;
// without, the verdict introduces them.
void TestRun::Fail(const ChildResult& result) {
  state_ = State::kFailed;
  const Failure failure = {
      .verdict = Judge(result, error_, options_.watchdog),
      .repeat = RepeatCommand(test_.name, options_.seed, options_.target),
      .load = LoadAverage()};
  if (!options_.verbose) PrintVerdict("FAIL", result);
  PrintChecks(result);
  const std::string end = EndReport(result, error_, options_.watchdog);
  if (!end.empty()) Print(end);
  if (MayHaveMisusedMemory(result, error_)) {
    Print(MemoryLine(test_.name, options_.target));
  }
  if (options_.verbose) {
    PrintVerdict("FAIL", result);
    // Not in `go test` without -v, whose output this then is, line for line.
    if (result.late.has_value()) {
      Print(LatenessLine(*result.late, failure.load));
    }
    Print(RepeatLine(failure.repeat));
  }
  events_->TestFails(test_, result, failure);
}

void TestRun::Print(std::string_view text) {
  transcript_.Print(text);
  events_->Output(test_, text);
}

void TestRun::PrintChecks(const ChildResult& result) {
  for (const FailedCheck& check : result.checks) {
    const std::string text = Indented(check.Text());
    transcript_.Print(text);
    events_->Output(test_, text, check);
  }
  if (result.checks_cut > 0) {
    Print(Indented(absl::StrCat("(", result.checks_cut,
                                " more failed checks are cut out)")));
  }
}

void TestRun::PrintVerdict(const char* verdict, const ChildResult& result) {
  Print(VerdictLine(verdict, test_.name, result.took));
}

}  // namespace runner
