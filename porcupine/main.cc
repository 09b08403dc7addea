// linearizability --history=FILE: says whether the history in a file is
// linearizable, and if not, why. Called by `make linearizability`.

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "base/flags.h"
#include "porcupine/command.h"
#include "porcupine/outcome.h"

ABSL_FLAG(std::string, history, "",
          "the file; Jepsen's EDN if its name ends with .edn");
ABSL_FLAG(uint64_t, steps, porcupine::Budget{}.steps,
          "how many steps of the search a key may take");
ABSL_FLAG(uint64_t, mib, porcupine::Budget{}.bytes >> 20,
          "how many MiB of configurations a key may take");

int main(int argc, char** argv) {
  const absl::StatusOr<base::CommandLine> line = base::ParseFlags(argc, argv);
  if (!line.ok()) {
    return porcupine::Refuse(std::string(line.status().message()), std::cerr);
  }
  if (line->help) {
    std::cout << "linearizability --history=FILE [--steps=N] [--mib=N]; "
                 "porcupine/README.md has the format\n";
    return EXIT_SUCCESS;
  }
  return porcupine::CheckFile(absl::GetFlag(FLAGS_history),
                              {.steps = absl::GetFlag(FLAGS_steps),
                               .bytes = absl::GetFlag(FLAGS_mib) << 20},
                              std::cout, std::cerr);
}
