#include "tests/runner/failure_report.h"

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstring>
#include <iterator>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/runner/build_kind.h"
#include "tests/runner/child.h"
#include "tests/runner/go_output.h"

namespace runner {
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

// The test has failed in its checks, and nothing else went wrong.
bool FailedInCheck(const ChildResult& result) {
  return result.ran_to_end && result.code == kExitTestFailed;
}

// Exit statuses with a meaning: of sanitizers, of the simulator (sim/sim.h, a
// test compares them) and of the runner itself.
struct Status {
  int status;
  const char* way;
  const char* kind;
  const char* meaning;  // null: only when it ended
};

constexpr Status kStatuses[] = {
    {66, kSanitizer, kSafety, "a report of ThreadSanitizer"},
    {23, kSanitizer, kSafety, "a report of LeakSanitizer"},
    {kExitHung, kHang, kSafety, nullptr},
    {kExitSimDeadlock, kDeadlock, kSafety, nullptr},
    {kExitSimHung, kHang, kSafety, nullptr},
    {kExitSimTimeLimit, kHang, kSafety, nullptr},
    {kExitSimUnsupported, kCrash, kHarness, nullptr},
    {127, kCrash, kHarness, "the program could not be started again"},
};
constexpr Status kAsanStatus = {
    1, kSanitizer, kSafety,
    "a report of AddressSanitizer or UndefinedBehaviorSanitizer"};
constexpr Status kOtherStatus = {0, kCrash, kSafety, nullptr};

const Status& StatusOf(int status) {
  if (status == 1 && kBuildKind == BuildKind::kAsan) return kAsanStatus;
  const auto* const found =
      std::ranges::find(kStatuses, status, &Status::status);
  return found == std::end(kStatuses) ? kOtherStatus : *found;
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
  const char* meaning = StatusOf(result.code).meaning;
  if (meaning == nullptr) {
    meaning =
        result.ran_to_end ? "after the test's end" : "before the test's end";
  }
  return absl::StrCat("exit status ", result.code, ": ", meaning);
}

// How a process ended that has not ended in a failed check.
Status EndOf(const ChildResult& result) {
  switch (result.end) {
    case End::kNotStarted:
    case End::kInterrupted:
      return {0, kCrash, kHarness, nullptr};
    case End::kSignalled:
      return kOtherStatus;
    case End::kTimedOut:
      return {0, kHang, kSafety, nullptr};
    case End::kExited:
      break;
  }
  return StatusOf(result.code);
}

// What the first lines of reports contain; the cause begins there.
constexpr std::string_view kCauses[] = {
    "Check failed:",
    "ERROR: AddressSanitizer:",
    "ERROR: LeakSanitizer:",
    "ERROR: ThreadSanitizer:",
    "WARNING: ThreadSanitizer:",
    "runtime error:",  // of UndefinedBehaviorSanitizer
};

size_t CauseIn(const std::string& line) {
  for (const std::string_view cause : kCauses) {
    if (const size_t at = line.find(cause); at != std::string::npos) return at;
  }
  // "sim: DEADLOCK: ...": a headline of the simulator.
  const bool is_headline = line.starts_with("sim: ") && line.size() > 6 &&
                           std::isupper(static_cast<unsigned char>(line[5])) &&
                           std::isupper(static_cast<unsigned char>(line[6]));
  return is_headline ? 0 : std::string::npos;
}

// glog's lines have the place before a bracket: "... 25212 log.cc:7] Check".
std::string PlaceBefore(const std::string& line, size_t at) {
  if (at < 2 || line[at - 2] != ']') return "";
  const size_t begin = line.rfind(' ', at - 3) + 1;
  return line.substr(begin, at - 2 - begin);
}

const FailedCheck* FirstByOracle(const std::vector<FailedCheck>& checks) {
  const auto found = std::ranges::find_if(checks, [](const FailedCheck& check) {
    return check.way == kOracle && check.kind != kEconomy;
  });
  return found == checks.end() ? nullptr : &*found;
}

// The gravest kind of the checks that failed.
std::string KindOf(const std::vector<FailedCheck>& checks) {
  for (const char* kind : {kSafety, kHarness, kLiveness, kEconomy}) {
    if (std::ranges::count(checks, kind, &FailedCheck::kind) > 0) return kind;
  }
  return kSafety;
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

FailedCheck ErrorExcerpt::Cause() const {
  for (const std::string& line : lines_) {
    const size_t at = CauseIn(line);
    if (at == std::string::npos) continue;
    return {.place = PlaceBefore(line, at), .message = line.substr(at)};
  }
  return {};
}

bool MayHaveMisusedMemory(const ChildResult& result,
                          const ErrorExcerpt& error) {
  return result.end == End::kSignalled && result.code != SIGKILL &&
         error.Cause().message.empty();
}

bool HasFailed(const ChildResult& result) {
  return result.end != End::kExited || result.code != 0 || !result.ran_to_end ||
         result.has_failed;
}

Verdict Judge(const ChildResult& result, const ErrorExcerpt& error,
              std::chrono::seconds limit) {
  Verdict verdict;
  const Status end = EndOf(result);
  const FailedCheck cause = error.Cause();
  if (!FailedInCheck(result)) {
    verdict.cause =
        cause.message.empty() ? EndText(result, limit) : cause.message;
  }
  if (const FailedCheck* const by_oracle = FirstByOracle(result.checks)) {
    verdict.check = *by_oracle;
  } else if (!result.checks.empty()) {
    verdict.check = result.checks.front();
  } else {
    verdict.check = {.place = cause.place, .message = verdict.cause};
  }
  if (verdict.cause.empty()) {
    verdict.check.kind = KindOf(result.checks);
  } else {
    verdict.check.kind = end.kind;
    if (verdict.check.way != kOracle) verdict.check.way = end.way;
  }
  return verdict;
}

std::string EndReport(const ChildResult& result, const ErrorExcerpt& error,
                      std::chrono::seconds limit) {
  if (!HasFailed(result)) return "";
  std::string text;
  if (!FailedInCheck(result)) text = Indented(EndText(result, limit));
  const bool hung = result.end == End::kExited && result.code == kExitHung;
  return text + error.Text(hung ? kStacksExcerpt : kUsualExcerpt);
}

}  // namespace runner
