// storage_kill --dir=DIR --rounds=N --seed=N: runs the kill scenario
// (kill_scenario.h), and says what happened. Called by `make storage-kill`.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/flags.h"
#include "base/logging.h"
#include "tests/storage/kill_scenario.h"

ABSL_FLAG(std::string, dir, "out/storage_kill",
          "a directory, which is deleted before and after");
ABSL_FLAG(std::string, rounds, "", "how many rounds; 500 if it is empty");
ABSL_FLAG(std::string, seed, "", "1 if it is empty");

namespace {

constexpr int kUsage = 2;
constexpr int kDefaultRounds = 500;

int Refuse(const std::string& problem) {
  std::cerr << "storage_kill: " << problem << "\n";
  return kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  FLAGS_minloglevel = google::GLOG_ERROR;  // torn batches are many here
  google::InitGoogleLogging(argv[0]);
  const absl::StatusOr<base::CommandLine> line = base::ParseFlags(argc, argv);
  if (!line.ok()) return Refuse(std::string(line.status().message()));
  int rounds = kDefaultRounds;
  const std::string text = absl::GetFlag(FLAGS_rounds);
  if (!text.empty() && (!absl::SimpleAtoi(text, &rounds) || rounds < 1)) {
    return Refuse(absl::StrCat("bad number of rounds \"", text, "\""));
  }
  uint64_t seed = 1;
  if (!absl::GetFlag(FLAGS_seed).empty()) {
    const auto parsed = base::ParseSeed(absl::GetFlag(FLAGS_seed));
    if (!parsed.ok()) return Refuse(std::string(parsed.status().message()));
    seed = *parsed;
  }
  const std::string directory = absl::GetFlag(FLAGS_dir);
  std::filesystem::remove_all(directory);
  const storage_test::KillRun run =
      storage_test::RunKillScenario(directory, seed, rounds);
  std::cout << run.rounds << " kills, " << run.while_opening
            << " of them while the directory was opened, " << run.torn
            << " in the middle of a batch: " << run.durable
            << " changes were durable, " << run.found_later
            << " more were found\n";
  if (!run.problem.empty()) {
    std::cout << run.problem << "; " << directory << " has it\n";
    return EXIT_FAILURE;
  }
  std::filesystem::remove_all(directory);
  return EXIT_SUCCESS;
}
