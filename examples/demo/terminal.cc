#include "examples/demo/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/logging.h"

namespace tests {
namespace {

// Wrapping is off too: a line too long for a window made narrower must not
// push the ones below it down.
constexpr char kTake[] = "\x1b[?25l\x1b[?7l";
constexpr char kGiveBack[] = "\x1b[?7h\x1b[?25h";
constexpr char kToEndOfLine[] = "\x1b[K";
constexpr char kToEndOfScreen[] = "\x1b[J";

// Safe in a signal handler. A terminal that has gone away takes no text.
void Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

// Ctrl-Z. The next picture hides the cursor again.
void OnStop(int) {
  const int error = errno;
  Write(kGiveBack);
  raise(SIGSTOP);
  errno = error;
}

// The attribute, not [[noreturn]]: glog has it in the type of the function.
__attribute__((noreturn)) void OnFailedCheck() {
  Write(kGiveBack);
  std::abort();
}

winsize Size() {
  winsize size = {};
  ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  return size;
}

}  // namespace

bool Terminal::CanShow(int columns, int lines) {
  const char* const type = std::getenv("TERM");
  if (isatty(STDOUT_FILENO) == 0 || type == nullptr) return false;
  if (*type == '\0' || std::string_view(type) == "dumb") return false;
  const winsize size = Size();
  return size.ws_col >= columns && size.ws_row >= lines;
}

Terminal::Terminal() {
  google::InstallFailureFunction(&OnFailedCheck);
  std::signal(SIGTSTP, &OnStop);
  Write(absl::StrCat(std::string(Size().ws_row, '\n'), kTake));
}

Terminal::~Terminal() {
  std::signal(SIGTSTP, SIG_DFL);
  Write(kGiveBack);
}

// One write for the whole picture, and no clearing before: nothing flickers.
void Terminal::Draw(const std::vector<std::string>& lines) {
  std::string picture(kTake);
  int row = 0;
  for (const std::string& line : lines) {
    // Each line is placed: a window made lower must not scroll.
    absl::StrAppend(&picture, "\x1b[", ++row, ";1H", line, kToEndOfLine);
  }
  absl::StrAppend(&picture, "\x1b[", row + 1, ";1H", kToEndOfScreen);
  Write(picture);
}

}  // namespace tests
