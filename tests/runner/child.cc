#include "tests/runner/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/runner/build_kind.h"
#include "tests/runner/run_log.h"
#include "tests/runner/test_list.h"
#include "tests/runner/watchdog.h"

namespace tests {
namespace {

std::string MessageOf(const testing::TestPartResult& result) {
  std::string message = result.message();
  // GoogleTest's word for a failure that is no comparison.
  constexpr char kFailed[] = "Failed\n";
  if (message.starts_with(kFailed)) message.erase(0, std::strlen(kFailed));
  return message;
}

// "raft_2a_test.cc:33", or empty.
std::string PlaceOf(const testing::TestPartResult& result) {
  if (result.file_name() == nullptr) return "";
  std::string file = result.file_name();
  file.erase(0, file.rfind('/') + 1);
  return absl::StrCat(file, ":", result.line_number());
}

// The message of a check, behind the place where it stands.
std::string Describe(const testing::TestPartResult& result) {
  const std::string place = PlaceOf(result);
  return absl::StrCat(place, place.empty() ? "" : ": ", MessageOf(result));
}

void SendRecord(char kind, std::string text) {
  std::replace(text.begin(), text.end(), '\0', ' ');
  std::string record(1, kind);
  record.append(text).push_back('\0');
  WriteAll(kRecordFd, record);
}

// Takes the place of GoogleTest's printer. GoogleTest calls it under a lock,
// also for checks that fail on a test's other threads.
class Reporter : public testing::EmptyTestEventListener {
 public:
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed()) SendRecord(kFailure, Describe(result));
    if (result.skipped()) SendRecord(kSkipped, Describe(result));
  }
  void OnTestEnd(const testing::TestInfo&) override { SendRecord(kEnded, ""); }
};

void ReplacePrinter() {
  testing::TestEventListeners& listeners =
      testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new Reporter);
}

// Makes a crash print its stack. Sanitizers have handlers of their own; SIGABRT
// is left alone because a failed CHECK has printed its stack already, SIGTERM
// because it should just end the process.
void PrintStackOnCrash() {
  if constexpr (kBuildKind != BuildKind::kPlain) return;
  google::InstallFailureSignalHandler();
  signal(SIGABRT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
}

}  // namespace

int RunAsChild(const Options& options) {
  // Again, for those the runner did not start itself: whatever kills the
  // parent, no process stays behind.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  base::SetRunSeed(options.seed);
  // A death test's process reports to GoogleTest, and has no record pipe.
  if (options.death_test_child) return RUN_ALL_TESTS();
  fcntl(kRecordFd, F_SETFD, FD_CLOEXEC);
  // Every line leaves at once, as on a terminal; a crash loses none.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  PrintStackOnCrash();
  ReplacePrinter();
  Watchdog watchdog(options.watchdog);
  return RUN_ALL_TESTS() == 0 ? 0 : kExitTestFailed;
}

}  // namespace tests
