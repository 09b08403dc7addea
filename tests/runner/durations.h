// How long each test took, as earlier runs have seen it: so the next one starts
// the longest early, runs what sleeps beside what computes, and can say how
// long it will take.
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

struct Took {
  std::chrono::duration<double> time{0};
  std::chrono::duration<double> cpu{0};
};

class Durations {
 public:
  // Reads what is in the file `path`; that it cannot be read is no error.
  explicit Durations(std::filesystem::path path);

  std::optional<Took> Of(const std::string& test) const;
  void Set(const std::string& test, const Took& took);

  // Writes the file if it can.
  void Save() const;

 private:
  const std::filesystem::path path_;
  std::map<std::string, Took> tests_;
};

// The file of this program: PROGRAM.durations.
std::filesystem::path DurationsFile();

}  // namespace runner

#endif  // TESTS_RUNNER_DURATIONS_H_
