#include "tests/runner/events.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/write_all.h"
#include "tests/runner/build_kind.h"

namespace runner {
namespace {

using Json = nlohmann::ordered_json;

std::string Now() {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E6SZ", absl::Now(),
                          absl::UTCTimeZone());
}

// To the millisecond.
double Seconds(std::chrono::nanoseconds duration) {
  const std::chrono::duration<double, std::milli> milliseconds = duration;
  return std::round(milliseconds.count()) / 1000;
}

void SetIfNotEmpty(Json* event, const char* name, const std::string& value) {
  if (!value.empty()) (*event)[name] = value;
}

Json Event(std::string_view action) {
  return {{"Time", Now()}, {"Action", action}};
}

Json TestEvent(std::string_view action, const TestCase& test) {
  Json event = Event(action);
  event["Test"] = test.name;
  return event;
}

void SetFields(Json* event, const TestCase& test) {
  SetIfNotEmpty(event, "Lab", test.info.lab);
  SetIfNotEmpty(event, "Part", test.info.part);
  (*event)["Origin"] = OriginName(test.info.origin);
}

void SetFailure(Json* event, const FailedCheck& check) {
  (*event)["Kind"] = check.kind;
  (*event)["Way"] = check.way;
  SetIfNotEmpty(event, "Place", check.place);
  (*event)["Message"] = check.message;
}

// What a test prints need not be UTF-8.
std::string Line(const Json& event) {
  return event.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false,
                    Json::error_handler_t::replace) +
         "\n";
}

}  // namespace

Events::~Events() {
  if (owned_) close(fd_);
}

absl::StatusOr<std::unique_ptr<Events>> Events::ToFile(
    const std::string& path) {
  const int fd = open(
      path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
  if (fd >= 0) return std::make_unique<Events>(fd, /*owned=*/true);
  return absl::UnavailableError(absl::StrCat("cannot write events to \"", path,
                                             "\": ", std::strerror(errno)));
}

void Events::RunStarts(const RunInfo& run, size_t tests) {
  run_ = run;
  Json event = Event("start");
  event["Seed"] = run.seed;
  event["Log"] = run.log;
  event["Build"] = KindName(kBuildKind);
  event["Tests"] = tests;
  Write(event);
}

void Events::TestStarts(const TestCase& test, size_t index) {
  Json event = TestEvent("run", test);
  SetFields(&event, test);
  event["Index"] = index;
  Write(event);
}

void Events::Output(std::string_view text) {
  Json event = Event("output");
  event["Output"] = text;
  Write(event);
}

void Events::Output(const TestCase& test, std::string_view text) {
  Json event = TestEvent("output", test);
  event["Output"] = text;
  Write(event);
}

void Events::Output(const TestCase& test, std::string_view text,
                    const FailedCheck& check) {
  Json event = TestEvent("output", test);
  event["Output"] = text;
  SetFailure(&event, check);
  Write(event);
}

void Events::TestPasses(const TestCase& test, const ChildResult& result) {
  EndTest(TestEvent("pass", test), test, result);
}

void Events::TestIsSkipped(const TestCase& test, const ChildResult& result) {
  EndTest(TestEvent("skip", test), test, result);
}

void Events::TestFails(const TestCase& test, const ChildResult& result,
                       const Failure& failure) {
  Json event = TestEvent("fail", test);
  SetFailure(&event, failure.verdict.check);
  SetIfNotEmpty(&event, "Cause", failure.verdict.cause);
  event["Repeat"] = failure.repeat;
  if (result.late.has_value()) {
    event["Late"] = Seconds(*result.late);
    event["Load"] = failure.load;
  }
  EndTest(std::move(event), test, result);
}

void Events::EndTest(Json event, const TestCase& test,
                     const ChildResult& result) {
  SetFields(&event, test);
  event["Elapsed"] = Seconds(result.took);
  event["Cpu"] = Seconds(result.cpu);
  Write(event);
}

void Events::RunEnds(const Counts& counts) {
  Write(LastEvent(counts.failed == 0 ? "pass" : "fail", counts));
}

void Events::RunIsInterrupted(const Counts& counts,
                              const std::vector<std::string>& interrupted,
                              size_t not_run) {
  Json event = LastEvent("fail", counts);
  event["Way"] = "interrupted";
  event["Interrupted"] = absl::StrJoin(interrupted, ", ");
  event["NotRun"] = not_run;
  Write(event);
}

Json Events::LastEvent(std::string_view action, const Counts& counts) const {
  Json event = Event(action);
  event["Elapsed"] = Seconds(Clock::now() - start_);
  event["Passed"] = counts.passed;
  event["Failed"] = counts.failed;
  event["Skipped"] = counts.skipped;
  event["Seed"] = run_.seed;
  event["Log"] = run_.log;
  return event;
}

void Events::Write(const Json& event) const {
  if (fd_ >= 0) base::WriteAll(fd_, Line(event));
}

std::string ListAsJson(const std::vector<TestCase>& tests) {
  std::string text;
  for (const TestCase& test : tests) {
    text += Line({{"Test", test.name},
                  {"Suite", test.suite},
                  {"Lab", test.info.lab},
                  {"Part", test.info.part},
                  {"Origin", OriginName(test.info.origin)}});
  }
  return text;
}

}  // namespace runner
