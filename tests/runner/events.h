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
  void TestStarts(const TestCase& test);

  // `text` was printed; within a test if one has started and not ended.
  void Output(std::string_view text);
  void Output(std::string_view text, const FailedCheck& check);

  void TestPasses(std::chrono::nanoseconds took);
  void TestIsSkipped(std::chrono::nanoseconds took);
  void TestFails(std::chrono::nanoseconds took, const Verdict& verdict,
                 const std::string& repeat);

  void RunEnds(const Counts& counts);
  // The current test was interrupted, and `not_run` were not started.
  void RunIsInterrupted(const Counts& counts, size_t not_run);

 private:
  using Clock = std::chrono::steady_clock;

  nlohmann::ordered_json Event(std::string_view action) const;
  nlohmann::ordered_json TestEvent(std::string_view action) const;
  nlohmann::ordered_json LastEvent(std::string_view action,
                                   const Counts& counts) const;
  void EndTest(nlohmann::ordered_json event, std::chrono::nanoseconds took);
  void Write(const nlohmann::ordered_json& event) const;

  const int fd_ = -1;
  const bool owned_ = false;
  const Clock::time_point start_ = Clock::now();
  RunInfo run_;
  TestCase test_;  // the current one; its name is empty between tests
};

// The list of `tests`: a line of JSON for each.
std::string ListAsJson(const std::vector<TestCase>& tests);

}  // namespace runner

#endif  // TESTS_RUNNER_EVENTS_H_
