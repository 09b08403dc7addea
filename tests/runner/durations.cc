#include "tests/runner/durations.h"

#include <unistd.h>

#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace runner {

namespace fs = std::filesystem;

Durations::Durations(fs::path path) : path_(std::move(path)) {
  std::ifstream in(path_);
  std::string test;
  for (double seconds = 0; in >> test >> seconds;) {
    durations_[test] = Duration(seconds);
  }
}

std::optional<Durations::Duration> Durations::Of(
    const std::string& test) const {
  const auto found = durations_.find(test);
  if (found == durations_.end()) return std::nullopt;
  return found->second;
}

void Durations::Set(const std::string& test, Duration duration) {
  durations_[test] = duration;
}

void Durations::Save() const {
  const fs::path partial = absl::StrCat(path_.string(), ".", getpid());
  std::ofstream out(partial);
  for (const auto& [test, duration] : durations_) {
    out << test << " " << duration.count() << "\n";
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
