#include "tests/runner/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/write_all.h"
#include "gtest/gtest.h"
#include "tests/runner/build_kind.h"
#include "tests/runner/crash.h"
#include "tests/runner/watchdog.h"

namespace runner {
namespace {

void SendRecord(char type, std::string fields) {
  std::replace(fields.begin(), fields.end(), '\0', ' ');
  std::string record(1, type);
  record.append(fields).push_back('\0');
  base::WriteAll(kRecordFd, record);
}

void SendLateness(std::chrono::milliseconds late) {
  SendRecord(kLate, absl::StrCat(late.count()));
}

// Takes the place of GoogleTest's printer. GoogleTest calls it under a lock,
// also for checks that fail on a test's other threads.
class Reporter : public testing::EmptyTestEventListener {
 public:
  explicit Reporter(Classify classify) : classify_(std::move(classify)) {}

  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.passed()) return;
    FailedCheck check = ReadResult(result);
    classify_(&check);
    SendRecord(result.failed() ? kFailure : kSkipped,
               absl::StrCat(check.kind, "\n", check.way, "\n", check.place,
                            "\n", check.message));
  }
  void OnTestEnd(const testing::TestInfo&) override { SendRecord(kEnded, ""); }

 private:
  const Classify classify_;
};

void ReplacePrinter(const Classify& classify) {
  testing::TestEventListeners& listeners =
      testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new Reporter(classify));
}

}  // namespace

int RunAsChild(const Options& options, const Classify& classify) {
  // Again, for those the runner did not start itself: however the parent ends,
  // no process is left running.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  base::SetRunSeed(options.seed);
  // A death test's process reports to GoogleTest, and has no record pipe.
  if (options.death_test_child) return RUN_ALL_TESTS();
  fcntl(kRecordFd, F_SETFD, FD_CLOEXEC);
  // Every line is written at once, as on a terminal; a crash loses none.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  // Sanitizers have handlers of their own.
  if constexpr (kBuildKind == BuildKind::kPlain) PrintStackOnCrash();
  ReplacePrinter(classify);
  Watchdog watchdog(options.watchdog, options.is_simulated
                                          ? Watchdog::OnLate()
                                          : Watchdog::OnLate(SendLateness));
  return RUN_ALL_TESTS() == 0 ? 0 : kExitTestFailed;
}

}  // namespace runner
