#include "tests/observation.h"

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "base/write_all.h"
#include "gtest/gtest.h"
#include "tests/harness/commands.h"
#include "tests/harness/environment.h"
#include "tests/harness/recorder.h"
#include "tests/oracle/oracle.h"
#include "tests/runner/failed_check.h"
#include "tests/runner/test_list.h"

namespace tests {
namespace {

using harness::Kind;
using harness::OnError;
using harness::Recorder;

std::string ProgramName() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).filename();
}

// Nothing here includes the simulator; its program is called so.
std::string Mode() {
  return ProgramName() == "raft_sim" ? "simulated" : "real";
}

// Nor tests/isolation/: services are in other processes there.
bool SeesServices() {
  const std::string name = ProgramName();
  return name.find("_judge") == std::string::npos ||
         name.starts_with("raft_judge");
}

std::shared_ptr<Recorder> MakeRecorder(const std::string& path) {
  // Whole lines at the end of the file: the kernel keeps them apart.
  const int fd = open(
      path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
  PCHECK(fd >= 0) << "TRACE=" << path << " cannot be written";
  return std::make_shared<Recorder>([fd](const nlohmann::ordered_json& event) {
    base::WriteAll(fd, harness::EventLine(event));
  });
}

// Tells the recorder what GoogleTest knows of the test.
class TestRecorder : public testing::EmptyTestEventListener {
 public:
  TestRecorder(std::shared_ptr<Recorder> recorder,
               std::shared_ptr<Recorder::Run> run)
      : recorder_(std::move(recorder)), run_(std::move(run)) {}

  void OnTestStart(const testing::TestInfo& test) override {
    const std::string suite = test.test_suite_name();
    run_->test =
        runner::MakeTestCase(suite, test.name(), runner::InfoOfSuite(suite))
            .name;
  }
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    const runner::FailedCheck check = runner::ReadResult(result);
    recorder_->OnFailure(check.message, check.place);
  }
  void OnTestEnd(const testing::TestInfo& test) override {
    recorder_->OnTestEnd(test.result()->Passed());
  }

 private:
  const std::shared_ptr<Recorder> recorder_;
  const std::shared_ptr<Recorder::Run> run_;
};

// The recorder of that group.
std::shared_ptr<Recorder> Record(const std::shared_ptr<Recorder>& recorder,
                                 const Recorder::Run& run, int group,
                                 int servers) {
  if (group != 0) return recorder->OnGroup(group, servers);
  recorder->OnCluster(run, servers);
  return recorder;
}

std::shared_ptr<oracle::Oracle> MakeOracle(
    int servers, bool slow_disks, const OnError& on_error,
    const std::shared_ptr<Recorder>& recorder) {
  if (!harness::CanReadDisks()) {
    for (const oracle::Rule& rule : oracle::Oracle::RulesOfTheDisk()) {
      LOG(INFO) << "oracle: off: " << rule.name
                << " (the Raft has no raft/saved_state.h, or not the lab's)";
    }
  }
  oracle::Oracle::Options options;
  options.slow_disks = slow_disks;
  options.sees_services = SeesServices();
  if (!options.sees_services) {
    for (const oracle::Rule& rule : oracle::Oracle::RulesOfTheService()) {
      LOG(INFO) << "oracle: off: " << rule.name
                << " (the service is in other processes)";
    }
  }
  options.show_command = [](std::string_view bytes) {
    const absl::StatusOr<harness::Command> command =
        harness::DecodeCommand(bytes);
    return command.ok() ? harness::ToString(*command) : "?";
  };
  options.on_violation = [on_error,
                          recorder](const oracle::Violation& violation) {
    if (recorder != nullptr) {
      recorder->OnViolation(violation.rule.name, violation.rule.section,
                            violation.what);
    }
    on_error(
        {.kind = violation.rule.is_economy ? Kind::kEconomy : Kind::kSafety,
         .message = violation.ToString(),
         .by_oracle = true});
  };
  return std::make_shared<oracle::Oracle>(servers, std::move(options));
}

}  // namespace

absl::StatusOr<ObservationOptions> ReadObservationOptions(uint64_t seed,
                                                          bool slow_disks) {
  const auto setting = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  const std::string oracle = setting("ORACLE");
  if (oracle != "off" && oracle != "on" && !oracle.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("ORACLE=", oracle, " is wrong: give on or off"));
  }
  return ObservationOptions{.oracle = oracle != "off",
                            .slow_disks = slow_disks,
                            .opaque_disks = setting("RAFT_DISKS") == "opaque",
                            .trace = setting("TRACE"),
                            .seed = seed,
                            .profile = setting("SIM_PROFILE")};
}

void ObserveClusters(const ObservationOptions& options) {
  std::shared_ptr<Recorder> recorder;
  const auto run = std::make_shared<Recorder::Run>();
  if (!options.trace.empty()) {
    *run = {.test = "",
            .seed = options.seed,
            .mode = Mode(),
            .profile = options.profile};
    recorder = MakeRecorder(options.trace);
    testing::UnitTest::GetInstance()->listeners().Append(
        new TestRecorder(recorder, run));
  }
  // The recorder first: so a violation follows the event that is one.
  harness::SetEnvironment(
      {.make_observers =
           [=](int group, int servers, const OnError& on_error) {
             harness::Observers::List observers;
             if (recorder != nullptr) {
               observers.push_back(Record(recorder, *run, group, servers));
             }
             if (options.oracle) {
               observers.push_back(
                   MakeOracle(servers, options.slow_disks, on_error, recorder));
             } else {
               LOG(INFO) << "oracle: off: all rules";
             }
             return observers;
           },
       .slow_disks = options.slow_disks,
       .opaque_disks = options.opaque_disks});
}

}  // namespace tests
