#include "tests/unit/runner/program_run.h"

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/runner/build_kind.h"

namespace runner {
namespace {

// Reads the log of a run that printed `output`, and removes it.
std::string TakeLog(const std::string& output) {
  const std::string path = RestOfLine(output, ", log ");
  if (path.empty()) return "";
  std::string content = FileContent(path);
  std::filesystem::remove(path);
  return content;
}

// Replaces durations like (3.06s) by (T).
std::string WithoutTimes(std::string text) {
  for (size_t at = text.find(" ("); at != std::string::npos;
       at = text.find(" (", at + 1)) {
    const size_t end = text.find_first_not_of("0123456789.", at + 2);
    if (end != at + 2 && text.compare(end, 2, "s)") == 0) {
      text.replace(at, end + 2 - at, " (T)");
    }
  }
  // What a machine was like while a test failed.
  constexpr char kMachine[] = "    machine: ";
  for (size_t at = text.find(kMachine); at != std::string::npos;
       at = text.find(kMachine, at + 1)) {
    const size_t begin = at + sizeof(kMachine) - 1;
    text.replace(begin, text.find('\n', begin) - begin, "(M)");
  }
  return text;
}

}  // namespace

std::string Program() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string FileContent(const std::string& path) {
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

std::string RestOfLine(const std::string& text, const std::string& before) {
  const size_t at = text.find(before);
  if (at == std::string::npos) return "";
  const size_t begin = at + before.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

Outcome RunProgram(const std::string& args, const LineWatcher& watcher) {
  Outcome outcome;
  // exec: so that the process is the program, not a shell around it.
  FILE* const pipe = popen(
      absl::StrCat("exec '", Program(), "' ", args, " 2>&1").c_str(), "r");
  char buffer[4096];
  while (std::fgets(buffer, sizeof(buffer), pipe) != nullptr) {
    outcome.all += buffer;
    if (watcher) watcher(buffer);
  }
  const int status = pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  outcome.log = TakeLog(outcome.all);
  return outcome;
}

Outcome RunTestPrograms(const std::string& run, const std::string& more_args,
                        const LineWatcher& watcher) {
  Outcome outcome =
      RunProgram(absl::StrCat("--test_programs --parallel=1 --seed=7 --run='",
                              run, "' ", more_args),
                 watcher);
  std::string text = WithoutTimes(outcome.all);
  EXPECT_EQ(text.rfind("seed 7, log ", 0), 0u) << text;
  text.erase(0, text.find('\n') + 1);
  // The verdict is before the count, except after an interrupt.
  size_t end = text.rfind('\n', text.find(" passed, ")) + 1;
  const std::string verdict = end < 5 ? "" : text.substr(end - 5, 5);
  if (verdict == "PASS\n" || verdict == "FAIL\n") end -= 5;
  outcome.output = text.substr(0, end);
  outcome.end = text.substr(end);
  return outcome;
}

std::string Repeat(const std::string& name) {
  return absl::StrCat("    machine: (M)\n    repeat: make ",
                      MakeTarget(kBuildKind), " RUN='^", name, "$' SEED=7\n");
}

}  // namespace runner
