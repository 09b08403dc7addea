#include "tests/runner/run_log.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "base/write_all.h"
#include "tests/runner/build_kind.h"

namespace runner {
namespace {

namespace fs = std::filesystem;

// The program is out/<kind>/raft_tests, the logs are out/logs/.
fs::path LogFolder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return program.parent_path().parent_path() / "logs";
}

std::string BaseName(uint64_t seed) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y%m%d-%H%M%S", &utc);
  return absl::StrCat(text, "-", KindName(kBuildKind), "-seed", seed);
}

// Returns an open file that did not exist before, or -1 with errno. Two runs
// may start in the same second: the later one gets a number.
int OpenNew(const fs::path& folder, const std::string& base, int access,
            fs::path* path) {
  for (int attempt = 1;; ++attempt) {
    const std::string suffix = attempt == 1 ? "" : absl::StrCat("-", attempt);
    *path = folder / absl::StrCat(base, suffix, ".log");
    const int fd = open(path->c_str(),
                        access | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunLog>> RunLog::Create(uint64_t seed,
                                                       bool prints) {
  const fs::path folder = LogFolder();
  std::error_code ignored;
  fs::create_directories(folder, ignored);  // the open below tells what failed
  fs::path path;
  const int fd = OpenNew(folder, BaseName(seed), O_WRONLY, &path);
  if (fd < 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot create the log ", path.string(), " (",
                     std::strerror(errno), "); make that folder writable"));
  }
  const fs::path here = fs::current_path(ignored);
  return std::unique_ptr<RunLog>(
      new RunLog(fd, path.lexically_proximate(here).string(), prints));
}

RunLog::RunLog(int fd, std::string path, bool prints)
    : fd_(fd),
      path_(std::move(path)),
      prints_(prints),
      is_watched_(prints && isatty(STDOUT_FILENO) != 0) {}

RunLog::~RunLog() {
  EraseStatus();
  close(fd_);
}

void RunLog::Print(std::string_view text) {
  // The file first: writing to a closed pipe may be the last thing we do.
  Keep(text);
  Show(text);
}

void RunLog::Keep(std::string_view text) { base::WriteAll(fd_, text); }

void RunLog::Show(std::string_view text) {
  if (!prints_ || text.empty()) return;
  EraseStatus();
  base::WriteAll(STDOUT_FILENO, text);
}

void RunLog::ShowStatus(const std::string& line) {
  // A line that is too long for the terminal could not be erased.
  winsize size = {};
  ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  const size_t width = size.ws_col == 0 ? 80 : size.ws_col;
  const std::string status = line.substr(0, width - 1);
  if (status == status_) return;
  EraseStatus();
  base::WriteAll(STDOUT_FILENO, status);
  status_ = status;
}

void RunLog::EraseStatus() {
  if (!status_.empty()) base::WriteAll(STDOUT_FILENO, "\r\x1b[K");
  status_.clear();
}

int RunLog::NewPart() const {
  const fs::path folder = LogFolder();
  fs::path path;
  const int part = OpenNew(folder, ".part", O_RDWR, &path);
  PCHECK(part >= 0) << "no room in " << folder;
  unlink(path.c_str());
  return part;
}

void RunLog::AddPart(int part) {
  std::array<char, 64 << 10> buffer;
  lseek(part, 0, SEEK_SET);
  ssize_t count = 0;
  while ((count = read(part, buffer.data(), buffer.size())) > 0) {
    Keep({buffer.data(), static_cast<size_t>(count)});
  }
  close(part);
}

}  // namespace runner
