#include "tests/runner/failure_report.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/runner/build_kind.h"
#include "tests/runner/child.h"
#include "tests/runner/go_output.h"

namespace tests {
namespace {

using End = ChildResult::End;

constexpr size_t kUsualExcerpt = 60;
constexpr size_t kStacksExcerpt = 1000;  // a hung test's threads are all shown

// glog's lines begin with a letter and the date: I20261122 13:00:20.808336.
// Errors and worse are no debug log.
bool IsDebugLog(const std::string& line) {
  if (line.size() < 10 || (line[0] != 'I' && line[0] != 'W')) return false;
  return line[9] == ' ' && std::all_of(&line[1], &line[9], [](char c) {
           return std::isdigit(static_cast<unsigned char>(c)) != 0;
         });
}

bool FailedInCheck(const ChildResult& result) {
  return result.ran_to_end && result.code == kExitTestFailed;
}

// The statuses that sanitizers end a process with.
const char* StatusMeaning(int status, bool ran_to_end) {
  if (status == 66) return "a report of ThreadSanitizer";
  if (status == 23) return "a report of LeakSanitizer";
  if (status == 127) return "the program could not be started again";
  if (status == 1 && kBuildKind == BuildKind::kAsan) {
    return "a report of AddressSanitizer or UndefinedBehaviorSanitizer";
  }
  return ran_to_end ? "after the test's end" : "before the test's end";
}

std::string EndText(const ChildResult& result, std::chrono::seconds limit) {
  switch (result.end) {
    case End::kNotStarted:
      return absl::StrCat("could not be started: ", std::strerror(result.code));
    case End::kSignalled:
      return absl::StrFormat("crashed: signal %d (%s)", result.code,
                             strsignal(result.code));
    case End::kTimedOut:
      return absl::StrFormat(
          "test hung: killed after %.0f s; its watchdog did not answer either",
          std::chrono::duration<double>(result.took).count());
    case End::kInterrupted:
      return "interrupted";
    case End::kExited:
      break;
  }
  if (result.code == kExitHung) {
    return absl::StrCat("test hung: ended after ", limit.count(),
                        " s; stacks of all threads follow");
  }
  return absl::StrCat("exit status ", result.code, ": ",
                      StatusMeaning(result.code, result.ran_to_end));
}

}  // namespace

void ErrorExcerpt::Add(const std::string& line) {
  if (IsDebugLog(line)) return;
  if (lines_.size() < kStacksExcerpt) {
    lines_.emplace_back(line);
  } else {
    ++dropped_;
  }
}

std::string ErrorExcerpt::Text(size_t limit) const {
  const size_t shown = std::min(limit, lines_.size());
  std::string text;
  for (size_t i = 0; i < shown; ++i) {
    absl::StrAppend(&text, "        ", lines_[i], "\n");
  }
  const size_t cut = lines_.size() - shown + dropped_;
  if (cut > 0) {
    absl::StrAppend(&text, "        (", cut, " more lines in the log)\n");
  }
  return text;
}

bool HasFailed(const ChildResult& result) {
  return result.end != End::kExited || result.code != 0 || !result.ran_to_end;
}

std::string ReportText(const ChildResult& result, const ErrorExcerpt& error,
                       std::chrono::seconds limit) {
  std::string text;
  for (const std::string& message : result.messages) {
    absl::StrAppend(&text, Indented(message));
  }
  if (!HasFailed(result)) return text;
  if (!FailedInCheck(result)) {
    absl::StrAppend(&text, Indented(EndText(result, limit)));
  }
  const bool hung = result.end == End::kExited && result.code == kExitHung;
  return text + error.Text(hung ? kStacksExcerpt : kUsualExcerpt);
}

}  // namespace tests
