// The lines of a run's output, as `go test` writes them.
//
// Who calls it: the runner. Thread safety: free functions without state; each
// result ends with a line feed.

#ifndef TESTS_RUNNER_GO_OUTPUT_H_
#define TESTS_RUNNER_GO_OUTPUT_H_

#include <chrono>
#include <cstdint>
#include <string>

namespace tests {

// "=== RUN   TestBasicAgree2B".
std::string RunLine(const std::string& name);

// "--- PASS: TestBasicAgree2B (1.15s)"; verdict is PASS, FAIL or SKIP.
std::string VerdictLine(const std::string& verdict, const std::string& name,
                        std::chrono::nanoseconds took);

// A message under a test: its first line indented by four blanks, those that
// follow by eight.
std::string Indented(const std::string& message);

// The command that runs `name` again under the same seed, indented; `target` is
// what to make.
std::string RepeatLine(const std::string& name, uint64_t seed,
                       const std::string& target);

// "3 passed, 1 failed".
std::string CountLine(int passed, int failed);

}  // namespace tests

#endif  // TESTS_RUNNER_GO_OUTPUT_H_
