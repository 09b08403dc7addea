// A run as data, in the format of `go test -json`: one JSON object per line.
// tests/runner/README.md describes the events and their fields.
//
// Thread safety: compatible; the runner's only thread writes. Every line is
// written whole and at once, so that a run that is killed leaves whole lines.

#ifndef TESTS_RUNNER_EVENTS_H_
#define TESTS_RUNNER_EVENTS_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/runner/child_process.h"
#include "tests/runner/failed_check.h"
#include "tests/runner/failure_report.h"
#include "tests/runner/test_list.h"

namespace runner {

struct RunInfo {
  uint64_t seed = 0;
  std::string log;
};

struct Counts {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
};

// What the event of a failed test says besides.
struct Failure {
  Verdict verdict;
  std::string repeat;  // the command
  double load = 0;     // the machine's load average
};

class Events {
 public:
  // Writes nowhere.
  Events() = default;
  // Writes to `fd`, which it closes if `owned`.
  Events(int fd, bool owned) : fd_(fd), owned_(owned) {}
  ~Events();
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // Events that go to the file `path`, which is made or emptied.
  static absl::StatusOr<std::unique_ptr<Events>> ToFile(
      const std::string& path);

  void RunStarts(const RunInfo& run, size_t tests);
  // `index` is its place in the running order.
  void TestStarts(const TestCase& test, size_t index);

  // `text` was printed, outside of a test or in one.
  void Output(std::string_view text);
  void Output(const TestCase& test, std::string_view text);
  void Output(const TestCase& test, std::string_view text,
              const FailedCheck& check);

  void TestPasses(const TestCase& test, const ChildResult& result);
  void TestIsSkipped(const TestCase& test, const ChildResult& result);
  void TestFails(const TestCase& test, const ChildResult& result,
                 const Failure& failure);

  void RunEnds(const Counts& counts);
  // The tests `interrupted` were running, and `not_run` were not started.
  void RunIsInterrupted(const Counts& counts,
                        const std::vector<std::string>& interrupted,
                        size_t not_run);

 private:
  using Clock = std::chrono::steady_clock;

  nlohmann::ordered_json LastEvent(std::string_view action,
                                   const Counts& counts) const;
  void EndTest(nlohmann::ordered_json event, const TestCase& test,
               const ChildResult& result);
  void Write(const nlohmann::ordered_json& event) const;

  const int fd_ = -1;
  const bool owned_ = false;
  const Clock::time_point start_ = Clock::now();
  RunInfo run_;
};

// The list of `tests`: a line of JSON for each.
std::string ListAsJson(const std::vector<TestCase>& tests);

}  // namespace runner

#endif  // TESTS_RUNNER_EVENTS_H_
