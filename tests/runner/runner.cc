#include "tests/runner/runner.h"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/runner/child_process.h"
#include "tests/runner/events.h"
#include "tests/runner/failure_report.h"
#include "tests/runner/go_output.h"
#include "tests/runner/run_log.h"
#include "tests/runner/test_list.h"

namespace runner {
namespace {

// One run over the selected tests.
class Runner {
 public:
  Runner(const Options& options, std::vector<TestCase> tests,
         std::unique_ptr<RunLog> log, std::unique_ptr<Events> events)
      : options_(options),
        tests_(std::move(tests)),
        log_(std::move(log)),
        events_(std::move(events)) {}

  // Returns the program's exit status.
  int Run();

 private:
  // Returns false if the test was interrupted.
  bool RunOne(const TestCase& test);
  ChildResult Execute(const TestCase& test, ErrorExcerpt* error);
  void Pass(const TestCase& test, const ChildResult& result);
  void Skip(const TestCase& test, const ChildResult& result);
  void Fail(const TestCase& test, const ChildResult& result,
            const ErrorExcerpt& error);
  int FinishInterrupted(size_t at);

  // Prints to the log, and standard output unless events take its place.
  void Show(std::string_view text);
  void Print(std::string_view text);
  void PrintChecks(const ChildResult& result);
  void PrintVerdict(const char* verdict, const TestCase& test,
                    const ChildResult& result);

  const Options& options_;
  const std::vector<TestCase> tests_;
  const std::unique_ptr<RunLog> log_;
  const std::unique_ptr<Events> events_;
  Counts counts_;
};

int Runner::Run() {
  const InterruptGuard guard;
  events_->RunStarts({.seed = options_.seed, .log = log_->path()},
                     tests_.size());
  Print(absl::StrCat("seed ", options_.seed, ", log ", log_->path(), "\n"));
  for (size_t i = 0; i < tests_.size(); ++i) {
    if (!RunOne(tests_[i])) return FinishInterrupted(i);
  }
  Print(counts_.failed == 0 ? "PASS\n" : "FAIL\n");
  Print(CountLine(counts_.passed, counts_.failed));
  events_->RunEnds(counts_);
  return counts_.failed == 0 ? kExitAllPassed : kExitSomeFailed;
}

bool Runner::RunOne(const TestCase& test) {
  events_->TestStarts(test);
  if (options_.verbose) Print(RunLine(test.name));
  ErrorExcerpt error;
  const ChildResult result = Execute(test, &error);
  if (result.end == ChildResult::End::kInterrupted) return false;
  if (HasFailed(result)) {
    Fail(test, result, error);
  } else if (result.skipped) {
    Skip(test, result);
  } else {
    Pass(test, result);
  }
  return true;
}

ChildResult Runner::Execute(const TestCase& test, ErrorExcerpt* error) {
  ChildCommand command;
  command.args = {
      "--child", absl::StrCat("--seed=", options_.seed),
      absl::StrCat("--watchdog_seconds=", options_.watchdog.count()),
      absl::StrCat("--gtest_filter=", test.suite, ".", test.test)};
  if (options_.test_programs) {
    command.args.push_back("--gtest_also_run_disabled_tests");
  }
  command.limit = options_.watchdog + options_.grace;
  command.on_output = [this](const std::string& line) {
    Print(absl::StrCat(line, "\n"));
  };
  command.on_error = [this, error](const std::string& line) {
    log_->Keep(absl::StrCat(line, "\n"));
    error->Add(line);
  };
  return RunChild(command);
}

void Runner::Pass(const TestCase& test, const ChildResult& result) {
  ++counts_.passed;
  if (options_.verbose) PrintVerdict("PASS", test, result);
  events_->TestPasses(result.took);
}

void Runner::Skip(const TestCase& test, const ChildResult& result) {
  ++counts_.skipped;
  if (options_.verbose) {
    for (const FailedCheck& check : result.checks)
      Print(Indented(check.Text()));
    PrintVerdict("SKIP", test, result);
  }
  events_->TestIsSkipped(result.took);
}

// As go test: with -v the messages come as they arise, before the verdict;
// without, the verdict introduces them.
void Runner::Fail(const TestCase& test, const ChildResult& result,
                  const ErrorExcerpt& error) {
  ++counts_.failed;
  if (!options_.verbose) PrintVerdict("FAIL", test, result);
  PrintChecks(result);
  const std::string end = EndReport(result, error, options_.watchdog);
  if (!end.empty()) Print(end);
  const std::string repeat =
      RepeatCommand(test.name, options_.seed, options_.target);
  if (options_.verbose) {
    PrintVerdict("FAIL", test, result);
    // Not in `go test` without -v, whose output this then is, line for line.
    Print(RepeatLine(repeat));
  }
  events_->TestFails(result.took, Judge(result, error, options_.watchdog),
                     repeat);
}

int Runner::FinishInterrupted(size_t at) {
  const size_t not_run = tests_.size() - at - 1;
  Print(absl::StrCat("interrupted in ", tests_[at].name, ", ", not_run,
                     " tests not run\n"));
  Print(CountLine(counts_.passed, counts_.failed));
  events_->RunIsInterrupted(counts_, not_run);
  return kExitInterrupted;
}

void Runner::Show(std::string_view text) {
  if (options_.json) {
    log_->Keep(text);
  } else {
    log_->Print(text);
  }
}

void Runner::Print(std::string_view text) {
  Show(text);
  events_->Output(text);
}

void Runner::PrintChecks(const ChildResult& result) {
  for (const FailedCheck& check : result.checks) {
    const std::string text = Indented(check.Text());
    Show(text);
    events_->Output(text, check);
  }
}

void Runner::PrintVerdict(const char* verdict, const TestCase& test,
                          const ChildResult& result) {
  Print(VerdictLine(verdict, test.name, result.took));
}

absl::StatusOr<std::unique_ptr<Events>> OpenEvents(const Options& options) {
  if (options.json && !options.events.empty()) {
    return absl::InvalidArgumentError(
        "--events adds events to the text, --json replaces it: give one");
  }
  if (!options.events.empty()) return Events::ToFile(options.events);
  if (!options.json) return std::make_unique<Events>();
  return std::make_unique<Events>(STDOUT_FILENO, /*owned=*/false);
}

int PrintList(const Options& options, const std::vector<TestCase>& tests) {
  if (options.json) {
    std::cout << ListAsJson(tests);
    return kExitAllPassed;
  }
  for (const TestCase& test : tests) std::cout << test.name << "\n";
  return kExitAllPassed;
}

}  // namespace

int RefuseToRun(const std::string& problem) {
  std::cerr << "raft_tests: " << problem << "\n";
  return kExitNothingRun;
}

int RunTests(const Options& options) {
  absl::StatusOr<std::vector<TestCase>> tests =
      SelectTests(ListTests(options.test_programs), options.selection);
  if (!tests.ok()) return RefuseToRun(std::string(tests.status().message()));
  if (options.list) return PrintList(options, *tests);
  absl::StatusOr<std::unique_ptr<Events>> events = OpenEvents(options);
  if (!events.ok()) return RefuseToRun(std::string(events.status().message()));
  absl::StatusOr<std::unique_ptr<RunLog>> log = RunLog::Create(options.seed);
  if (!log.ok()) return RefuseToRun(std::string(log.status().message()));
  return Runner(options, *std::move(tests), *std::move(log), *std::move(events))
      .Run();
}

}  // namespace runner
