// The lines of a run's output, as `go test` writes them.
//
// Thread safety: free functions without state. Each result but that of
// RepeatCommand() ends with a line feed.

#ifndef TESTS_RUNNER_GO_OUTPUT_H_
#define TESTS_RUNNER_GO_OUTPUT_H_

#include <chrono>
#include <cstdint>
#include <string>

namespace runner {

// "=== RUN   TestBasicAgree2B".
std::string RunLine(const std::string& name);

// "--- PASS: TestBasicAgree2B (1.15s)"; verdict is PASS, FAIL or SKIP.
std::string VerdictLine(const std::string& verdict, const std::string& name,
                        std::chrono::nanoseconds took);

// A message under a test: its first line indented by four blanks, those that
// follow by eight.
std::string Indented(const std::string& message);

// The command that runs `name` again under the same seed, for a shell; `target`
// is what to make, quoted where it must be.
std::string RepeatCommand(const std::string& name, uint64_t seed,
                          const std::string& target);

// That command as a line under a test.
std::string RepeatLine(const std::string& command);

// By how much threads were late while a test ran in real time, and the load
// average of the machine, as a line under that test.
std::string LatenessLine(std::chrono::milliseconds late, double load);

// "    if memory was misused, this says where: make asan RAFT=x RUN='^TestX$'",
// where `target` is as for RepeatCommand().
std::string MemoryLine(const std::string& name, const std::string& target);

// "3 passed, 1 failed".
std::string CountLine(int passed, int failed);

}  // namespace runner

#endif  // TESTS_RUNNER_GO_OUTPUT_H_
