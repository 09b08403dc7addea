#include "porcupine/command.h"

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "porcupine/check.h"
#include "porcupine/history.h"
#include "porcupine/read_history.h"
#include "porcupine/report.h"

namespace porcupine {
namespace {

int StatusOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return kLinearizable;
    case Outcome::kIllegal:
      return kNotLinearizable;
    case Outcome::kUnknown:
      break;
  }
  return kUndecided;
}

}  // namespace

int Refuse(const std::string& why, std::ostream& err) {
  err << "linearizability: " << why << "\n";
  return kBadInput;
}

int CheckFile(const std::string& file, const Budget& budget, std::ostream& out,
              std::ostream& err) {
  if (file.empty()) {
    return Refuse("which history? say HISTORY=file to make, or --history=file",
                  err);
  }
  const absl::StatusOr<History> history = ReadHistory(file);
  if (!history.ok())
    return Refuse(std::string(history.status().message()), err);
  // Jepsen's times are places in the file.
  const bool is_edn = absl::EndsWith(file, ".edn");
  const absl::StatusOr<Verdict> verdict = Check(
      *history,
      {.budget = budget, .unit = is_edn ? Unit::kUnknown : Unit::kNanoseconds});
  if (!verdict.ok())
    return Refuse(std::string(verdict.status().message()), err);
  out << ReportOf(*history, *verdict);
  return StatusOf(verdict->outcome);
}

}  // namespace porcupine
