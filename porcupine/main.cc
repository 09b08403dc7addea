// linearizability --history=FILE: says whether the history in a file is
// linearizable, and if not, why. Called by `make linearizability`.

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "base/flags.h"
#include "porcupine/check.h"
#include "porcupine/read_history.h"
#include "porcupine/report.h"

ABSL_FLAG(std::string, history, "",
          "the file; Jepsen's EDN if its name ends with .edn");
ABSL_FLAG(uint64_t, steps, porcupine::Budget{}.steps,
          "how many steps of the search a key may take");
ABSL_FLAG(uint64_t, mib, porcupine::Budget{}.bytes >> 20,
          "how many MiB of configurations a key may take");

namespace {

constexpr int kBadInput = 2;

int Refuse(const std::string& why) {
  std::cerr << "linearizability: " << why << "\n";
  return kBadInput;
}

int StatusOf(porcupine::Outcome outcome) {
  switch (outcome) {
    case porcupine::Outcome::kOk:
      return EXIT_SUCCESS;
    case porcupine::Outcome::kIllegal:
      return 1;
    case porcupine::Outcome::kUnknown:
      break;
  }
  return 3;
}

}  // namespace

int main(int argc, char** argv) {
  const absl::StatusOr<base::CommandLine> line = base::ParseFlags(argc, argv);
  if (!line.ok()) return Refuse(std::string(line.status().message()));
  if (line->help) {
    std::cout << "linearizability --history=FILE [--steps=N] [--mib=N]; "
                 "porcupine/README.md has the format\n";
    return EXIT_SUCCESS;
  }
  const std::string file = absl::GetFlag(FLAGS_history);
  if (file.empty()) {
    return Refuse("which history? say HISTORY=file to make, or --history=file");
  }
  const absl::StatusOr<porcupine::History> history =
      porcupine::ReadHistory(file);
  if (!history.ok()) return Refuse(std::string(history.status().message()));
  porcupine::Options options;
  options.budget.steps = absl::GetFlag(FLAGS_steps);
  options.budget.bytes = absl::GetFlag(FLAGS_mib) << 20;
  const absl::StatusOr<porcupine::Verdict> verdict =
      porcupine::Check(*history, options);
  if (!verdict.ok()) return Refuse(std::string(verdict.status().message()));
  std::cout << porcupine::ReportOf(*history, *verdict);
  return StatusOf(verdict->outcome);
}
