#include "tests/runner/runner.h"

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/runner/child_process.h"
#include "tests/runner/failure_report.h"
#include "tests/runner/go_output.h"
#include "tests/runner/run_log.h"
#include "tests/runner/test_list.h"

namespace tests {
namespace {

// One run over the selected tests.
class Runner {
 public:
  Runner(const Options& options, std::vector<TestCase> tests,
         std::unique_ptr<RunLog> log)
      : options_(options), tests_(std::move(tests)), log_(std::move(log)) {}

  // Returns the program's exit status.
  int Run();

 private:
  // Returns false if the test was interrupted.
  bool RunOne(const TestCase& test);
  ChildResult Execute(const TestCase& test, ErrorExcerpt* error);
  void PrintOutcome(const TestCase& test, const ChildResult& result,
                    const std::string& verdict, const ErrorExcerpt& error);
  int FinishInterrupted(size_t at);

  const Options& options_;
  const std::vector<TestCase> tests_;
  const std::unique_ptr<RunLog> log_;
  int passed_ = 0;
  int failed_ = 0;
};

int Runner::Run() {
  const InterruptGuard guard;
  log_->Print(
      absl::StrCat("seed ", options_.seed, ", log ", log_->path(), "\n"));
  for (size_t i = 0; i < tests_.size(); ++i) {
    if (!RunOne(tests_[i])) return FinishInterrupted(i);
  }
  log_->Print(failed_ == 0 ? "PASS\n" : "FAIL\n");
  log_->Print(CountLine(passed_, failed_));
  return failed_ == 0 ? kExitAllPassed : kExitSomeFailed;
}

bool Runner::RunOne(const TestCase& test) {
  if (options_.verbose) log_->Print(RunLine(test.name));
  ErrorExcerpt error;
  const ChildResult result = Execute(test, &error);
  if (result.end == ChildResult::End::kInterrupted) return false;
  if (HasFailed(result)) {
    ++failed_;
    PrintOutcome(test, result, "FAIL", error);
    // Not in `go test` without -v, whose output this then is, line for line.
    if (options_.verbose) {
      log_->Print(RepeatLine(test.name, options_.seed, options_.target));
    }
  } else if (result.skipped) {
    if (options_.verbose) PrintOutcome(test, result, "SKIP", error);
  } else {
    ++passed_;
    if (options_.verbose) {
      log_->Print(VerdictLine("PASS", test.name, result.took));
    }
  }
  return true;
}

ChildResult Runner::Execute(const TestCase& test, ErrorExcerpt* error) {
  ChildCommand command;
  command.args = {
      "--child", absl::StrCat("--seed=", options_.seed),
      absl::StrCat("--watchdog_seconds=", options_.watchdog.count()),
      absl::StrCat("--gtest_filter=", test.suite, ".", test.test)};
  if (options_.specimens) {
    command.args.push_back("--gtest_also_run_disabled_tests");
  }
  command.limit = options_.watchdog + options_.grace;
  command.on_output = [this](const std::string& line) {
    log_->Print(absl::StrCat(line, "\n"));
  };
  command.on_error = [this, error](const std::string& line) {
    log_->Keep(absl::StrCat(line, "\n"));
    error->Add(line);
  };
  return RunChild(command);
}

// As go test: with -v the messages come as they arise, before the verdict;
// without, the verdict is what introduces them.
void Runner::PrintOutcome(const TestCase& test, const ChildResult& result,
                          const std::string& verdict,
                          const ErrorExcerpt& error) {
  const std::string report = ReportText(result, error, options_.watchdog);
  const std::string line = VerdictLine(verdict, test.name, result.took);
  log_->Print(options_.verbose ? report + line : line + report);
}

int Runner::FinishInterrupted(size_t at) {
  log_->Print(absl::StrCat("interrupted in ", tests_[at].name, ", ",
                           tests_.size() - at - 1, " tests not run\n"));
  log_->Print(CountLine(passed_, failed_));
  return kExitInterrupted;
}

}  // namespace

int RefuseToRun(const std::string& problem) {
  std::cerr << "raft_tests: " << problem << "\n";
  return kExitNothingRun;
}

int RunTests(const Options& options) {
  absl::StatusOr<std::vector<TestCase>> tests =
      SelectTests(ListTests(options.specimens), options.run);
  if (!tests.ok()) return RefuseToRun(std::string(tests.status().message()));
  if (options.list) {
    for (const TestCase& test : *tests) std::cout << test.name << "\n";
    return kExitAllPassed;
  }
  absl::StatusOr<std::unique_ptr<RunLog>> log = RunLog::Create(options.seed);
  if (!log.ok()) return RefuseToRun(std::string(log.status().message()));
  return Runner(options, *std::move(tests), *std::move(log)).Run();
}

}  // namespace tests
