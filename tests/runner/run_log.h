// Where a run's output goes: the terminal, and a file under out/logs/ that
// keeps a copy of it together with the tests' debug log.
//
// Thread safety: compatible; the runner's only thread writes. Every line is
// written at once, so that a run that is killed leaves all that it printed.

#ifndef TESTS_RUNNER_RUN_LOG_H_
#define TESTS_RUNNER_RUN_LOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace runner {

class RunLog {
 public:
  // Creates a new file, named after the time, the kind of build and the seed,
  // in the folder logs/ beside the program's; makes that folder if necessary.
  static absl::StatusOr<std::unique_ptr<RunLog>> Create(uint64_t seed);

  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  // Writes `text` to standard output and to the file.
  void Print(std::string_view text);

  // Writes `text` to the file only.
  void Keep(std::string_view text);

  // The file's path, relative to the current directory.
  const std::string& path() const { return path_; }

 private:
  RunLog(int fd, std::string path);

  const int fd_;  // owned
  const std::string path_;
};

}  // namespace runner

#endif  // TESTS_RUNNER_RUN_LOG_H_
