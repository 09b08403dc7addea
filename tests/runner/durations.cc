#include "tests/runner/durations.h"

#include <unistd.h>

#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace runner {

namespace fs = std::filesystem;

Durations::Durations(fs::path path) : path_(std::move(path)) {
  using Seconds = std::chrono::duration<double>;
  std::ifstream in(path_);
  std::string test;
  double time = 0;
  double cpu = 0;
  while (in >> test >> time >> cpu) {
    tests_[test] = {.time = Seconds(time), .cpu = Seconds(cpu)};
  }
}

std::optional<Took> Durations::Of(const std::string& test) const {
  const auto found = tests_.find(test);
  if (found == tests_.end()) return std::nullopt;
  return found->second;
}

void Durations::Set(const std::string& test, const Took& took) {
  tests_[test] = took;
}

void Durations::Save() const {
  const fs::path partial = absl::StrCat(path_.string(), ".", getpid());
  std::ofstream out(partial);
  for (const auto& [test, took] : tests_) {
    out << test << " " << took.time.count() << " " << took.cpu.count() << "\n";
  }
  out.close();
  std::error_code ignored;
  if (out) fs::rename(partial, path_, ignored);
  fs::remove(partial, ignored);
}

fs::path DurationsFile() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).concat(".durations");
}

}  // namespace runner
