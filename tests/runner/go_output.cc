#include "tests/runner/go_output.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace runner {

std::string RunLine(const std::string& name) {
  return absl::StrCat("=== RUN   ", name, "\n");
}

std::string VerdictLine(const std::string& verdict, const std::string& name,
                        std::chrono::nanoseconds took) {
  return absl::StrFormat("--- %s: %s (%.2fs)\n", verdict, name,
                         std::chrono::duration<double>(took).count());
}

std::string Indented(const std::string& message) {
  // A line feed at the end is none of the message's lines.
  const size_t end = message.find_last_not_of('\n') + 1;
  return absl::StrCat(
      "    ",
      absl::StrReplaceAll(message.substr(0, end), {{"\n", "\n        "}}),
      "\n");
}

std::string RepeatCommand(const std::string& name, uint64_t seed,
                          const std::string& target) {
  return absl::StrFormat("make %s RUN='^%s$' SEED=%d", target, name, seed);
}

std::string RepeatLine(const std::string& command) {
  return absl::StrCat("    repeat: ", command, "\n");
}

std::string LatenessLine(std::chrono::milliseconds late, double load) {
  return absl::StrFormat(
      "    machine: a thread woke up %d ms late, load average %.2f\n",
      late.count(), load);
}

std::string MemoryLine(const std::string& name, const std::string& target) {
  std::string raft;  // " RAFT=my\\ folder", as it is typed in a shell
  const size_t begin = target.find(" RAFT=");
  if (begin != std::string::npos) {
    size_t end = begin + 1;
    while (end < target.size() &&
           (target[end] != ' ' || target[end - 1] == '\\')) {
      ++end;
    }
    raft = target.substr(begin, end - begin);
  }
  return absl::StrFormat(
      "    if memory was misused, this says where: make asan%s RUN='^%s$'\n",
      raft, name);
}

std::string CountLine(int passed, int failed) {
  return absl::StrFormat("%d passed, %d failed\n", passed, failed);
}

}  // namespace runner
