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
  // Without `prints` nothing goes to standard output.
  static absl::StatusOr<std::unique_ptr<RunLog>> Create(uint64_t seed,
                                                        bool prints);

  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  // Writes `text` to the file and shows it.
  void Print(std::string_view text);

  // Writes `text` to the file only.
  void Keep(std::string_view text);

  // Writes `text` to standard output only.
  void Show(std::string_view text);

  // True if a person watches: standard output is a terminal.
  bool is_watched() const { return is_watched_; }

  // Shows a line below what was printed, until there is more to print or
  // another line to show. REQUIRES: is_watched().
  void ShowStatus(const std::string& line);
  void EraseStatus();

  // A file for what is to follow in this one later: returns its descriptor.
  int NewPart() const;

  // Adds all of a part to the file, and closes the part.
  void AddPart(int part);

  // The file's path, relative to the current directory.
  const std::string& path() const { return path_; }

 private:
  RunLog(int fd, std::string path, bool prints);

  const int fd_;  // owned
  const std::string path_;
  const bool prints_;
  const bool is_watched_;
  std::string status_;  // the line that is shown
};

}  // namespace runner

#endif  // TESTS_RUNNER_RUN_LOG_H_
