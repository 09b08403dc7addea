// How long each test took, as earlier runs have seen it: so the next one starts
// the longest early, and can say how long it will take.
//
// Thread safety: compatible. Several runs may save at once: the file is always
// whole, and what one of them adds may be missing.

#ifndef TESTS_RUNNER_DURATIONS_H_
#define TESTS_RUNNER_DURATIONS_H_

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace runner {

class Durations {
 public:
  using Duration = std::chrono::duration<double>;

  // Reads what is in the file `path`; that it cannot be read is no error.
  explicit Durations(std::filesystem::path path);

  std::optional<Duration> Of(const std::string& test) const;
  void Set(const std::string& test, Duration duration);

  // Writes the file if it can.
  void Save() const;

 private:
  const std::filesystem::path path_;
  std::map<std::string, Duration> durations_;
};

// The file of this program: PROGRAM.durations.
std::filesystem::path DurationsFile();

}  // namespace runner

#endif  // TESTS_RUNNER_DURATIONS_H_
