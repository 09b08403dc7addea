#include "tests/runner/runner.h"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tests/runner/children.h"
#include "tests/runner/durations.h"
#include "tests/runner/events.h"
#include "tests/runner/go_output.h"
#include "tests/runner/run_log.h"
#include "tests/runner/schedule.h"
#include "tests/runner/test_list.h"
#include "tests/runner/test_run.h"

namespace runner {
namespace {

// One run over the selected tests.
class Runner {
 public:
  Runner(const Options& options, std::vector<TestCase> tests,
         std::unique_ptr<RunLog> log, std::unique_ptr<Events> events);

  // Returns the program's exit status.
  int Run();

 private:
  void StartMore();
  void End(size_t index, const ChildResult& result);
  // Prints the tests that have ended up to the first that has not, and that
  // one as far as it has come.
  void Release();
  Counts Count() const;
  int Finish();
  int FinishInterrupted();
  void ShowStatus();
  void Print(std::string_view text);

  const Options& options_;
  const std::vector<TestCase> tests_;
  const std::unique_ptr<RunLog> log_;
  const std::unique_ptr<Events> events_;
  Durations durations_;
  Schedule schedule_;
  std::vector<std::unique_ptr<TestRun>> runs_;
  size_t released_ = 0;  // the number of those that were printed, or are just
  Children children_;
};

// A test that computes little for its time. On a busy machine all take long, so
// that it must be little in itself too.
bool Sleeps(const Took& took) {
  constexpr std::chrono::milliseconds kLittle(300);
  return took.cpu < kLittle && took.cpu < took.time / 4;
}

// What is known of a test before it runs.
Schedule::Test Known(const TestCase& test, const Durations& durations) {
  const bool is_unit = test.info.origin == Origin::kUnit;
  const std::optional<Took> took = durations.Of(test.name);
  if (!took.has_value()) return {.is_timed = !is_unit, .computes = is_unit};
  return {.is_timed = !is_unit,
          .computes = is_unit && !Sleeps(*took),
          .duration = took->time};
}

std::vector<Schedule::Test> Known(const std::vector<TestCase>& tests,
                                  const Durations& durations) {
  std::vector<Schedule::Test> known;
  for (const TestCase& test : tests) known.push_back(Known(test, durations));
  return known;
}

// Simulated tests never sleep, and their drivers run many programs already.
Schedule::Limits LimitsFor(const Options& options) {
  if (options.parallel.has_value()) {
    return Schedule::LimitsOf(*options.parallel);
  }
  return options.is_simulated ? Schedule::LimitsOf(1)
                              : Schedule::DefaultLimits();
}

Runner::Runner(const Options& options, std::vector<TestCase> tests,
               std::unique_ptr<RunLog> log, std::unique_ptr<Events> events)
    : options_(options),
      tests_(std::move(tests)),
      log_(std::move(log)),
      events_(std::move(events)),
      durations_(DurationsFile()),
      schedule_(Known(tests_, durations_), LimitsFor(options)),
      children_(/*several=*/LimitsFor(options).at_once > 1) {
  for (size_t i = 0; i < tests_.size(); ++i) {
    runs_.push_back(std::make_unique<TestRun>(options_, tests_[i], i,
                                              log_.get(), events_.get()));
  }
}

int Runner::Run() {
  events_->RunStarts({.seed = options_.seed, .log = log_->path()},
                     tests_.size());
  Print(absl::StrCat("seed ", options_.seed,
                     options_.slow_disk ? ", DISK=slow" : "", ", log ",
                     log_->path(), "\n"));
  while (!schedule_.AllHaveEnded()) {
    if (children_.interrupted()) return FinishInterrupted();
    Release();
    StartMore();
    if (log_->is_watched()) ShowStatus();
    children_.Wait(std::chrono::seconds(1));
  }
  return Finish();
}

void Runner::StartMore() {
  while (const std::optional<size_t> next = schedule_.Next()) {
    const size_t index = *next;
    children_.Start(
        runs_[index]->Start(),
        [this, index](const ChildResult& result) { End(index, result); });
  }
}

void Runner::End(size_t index, const ChildResult& result) {
  TestRun& run = *runs_[index];
  run.End(result);
  schedule_.End(index);
  if (!run.HasVerdict()) return;
  durations_.Set(run.test().name, {.time = result.took, .cpu = result.cpu});
}

void Runner::Release() {
  for (; released_ <= schedule_.head() && released_ < runs_.size();
       ++released_) {
    runs_[released_]->Release();
  }
}

Counts Runner::Count() const {
  Counts counts;
  for (const auto& run : runs_) {
    if (run->state() == TestRun::State::kPassed) ++counts.passed;
    if (run->state() == TestRun::State::kFailed) ++counts.failed;
    if (run->state() == TestRun::State::kSkipped) ++counts.skipped;
  }
  return counts;
}

int Runner::Finish() {
  Release();
  const Counts counts = Count();
  Print(counts.failed == 0 ? "PASS\n" : "FAIL\n");
  Print(CountLine(counts.passed, counts.failed));
  events_->RunEnds(counts);
  // One test alone, as in `make stress`, tells too little.
  if (tests_.size() > 1 && !options_.is_simulated) durations_.Save();
  return counts.failed == 0 ? kExitAllPassed : kExitSomeFailed;
}

int Runner::FinishInterrupted() {
  children_.EndAll();
  std::vector<std::string> interrupted;
  size_t not_run = 0;
  for (const auto& run : runs_) {
    run->Release();
    if (run->state() == TestRun::State::kInterrupted) {
      interrupted.push_back(run->test().name);
    }
    if (run->state() == TestRun::State::kWaits) ++not_run;
  }
  const Counts counts = Count();
  Print(absl::StrCat("interrupted", interrupted.empty() ? "" : " in ",
                     absl::StrJoin(interrupted, ", "), ", ", not_run,
                     " tests not run\n"));
  Print(CountLine(counts.passed, counts.failed));
  events_->RunIsInterrupted(counts, interrupted, not_run);
  return kExitInterrupted;
}

void Runner::ShowStatus() {
  using Seconds = std::chrono::duration<double>;
  size_t ended = 0;
  std::vector<Seconds> ran;
  std::vector<std::string> running;
  for (const auto& run : runs_) {
    ran.emplace_back(run->Ran());
    if (run->HasVerdict()) ++ended;
    if (run->state() != TestRun::State::kRuns) continue;
    running.push_back(
        absl::StrFormat("%s (%.0f s)", run->test().name, ran.back().count()));
  }
  const std::optional<Seconds> rest = schedule_.Rest(ran);
  const std::string left =
      rest.has_value() ? absl::StrFormat(", about %.0f s left", rest->count())
                       : "";
  log_->ShowStatus(absl::StrFormat("%d of %d done%s; running: %s", ended,
                                   runs_.size(), left,
                                   absl::StrJoin(running, ", ")));
}

void Runner::Print(std::string_view text) {
  log_->Print(text);
  events_->Output(text);
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
  absl::StatusOr<std::unique_ptr<RunLog>> log =
      RunLog::Create(options.seed, /*prints=*/!options.json);
  if (!log.ok()) return RefuseToRun(std::string(log.status().message()));
  return Runner(options, *std::move(tests), *std::move(log), *std::move(events))
      .Run();
}

}  // namespace runner
