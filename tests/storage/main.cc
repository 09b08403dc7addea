// storage_seeds --seed=N --seeds=N: runs the disk scenario (disk_scenario.h)
// with each of these seeds, and says what happened. Called by
// `make storage-seeds`.

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "base/flags.h"
#include "base/logging.h"
#include "tests/storage/disk_scenario.h"

ABSL_FLAG(std::string, seed, "", "the first seed; 1 if it is empty");
ABSL_FLAG(std::string, seeds, "", "how many seeds; 10000 if it is empty");

namespace {

constexpr int kUsage = 2;

int Refuse(const absl::Status& status) {
  std::cerr << "storage_seeds: " << status.message() << "\n";
  return kUsage;
}

// The number that a flag has, or another if it is empty.
absl::StatusOr<uint64_t> NumberOr(const std::string& text, uint64_t otherwise) {
  if (text.empty()) return otherwise;
  return base::ParseSeed(text);
}

int RunSeeds(uint64_t first, uint64_t count) {
  storage_test::DiskRun sum;
  uint64_t failed = 0;
  for (uint64_t seed = first; seed - first < count; ++seed) {
    const storage_test::DiskRun run = storage_test::RunDiskScenario(seed);
    sum.incarnations += run.incarnations;
    sum.refused += run.refused;
    sum.failures += run.failures;
    sum.torn += run.torn;
    if (run.problem.empty()) continue;
    ++failed;
    std::cout << "seed " << seed << ": " << run.problem << "\n";
  }
  std::cout << count << " seeds, " << failed << " failed: " << sum.incarnations
            << " incarnations, " << sum.torn << " torn batches, "
            << sum.failures << " failed operations, " << sum.refused
            << " damaged directories refused\n";
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  FLAGS_minloglevel = google::GLOG_ERROR;  // torn batches are many here
  google::InitGoogleLogging(argv[0]);
  const absl::StatusOr<base::CommandLine> line = base::ParseFlags(argc, argv);
  if (!line.ok()) return Refuse(line.status());
  const auto first = NumberOr(absl::GetFlag(FLAGS_seed), 1);
  if (!first.ok()) return Refuse(first.status());
  const auto count = NumberOr(absl::GetFlag(FLAGS_seeds), 10'000);
  if (!count.ok()) return Refuse(count.status());
  return RunSeeds(*first, *count);
}
