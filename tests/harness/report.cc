#include "tests/harness/report.h"

#include <cstdio>

#include "absl/strings/str_format.h"

namespace harness {

std::string TitleLine(std::string_view title) {
  return std::string(title) + " ...";
}

std::string PassedLine(const Costs& costs) {
  return absl::StrFormat("  ... Passed --  %4.1f  %d %4d %7d %4d",
                         costs.time.count(), costs.servers, costs.rpcs,
                         costs.bytes, costs.commits);
}

std::string ServicePassedLine(const ServiceCosts& costs) {
  return absl::StrFormat("  ... Passed --  %4.1f  %d %5d %4d",
                         costs.time.count(), costs.servers, costs.rpcs,
                         costs.operations);
}

std::string TitleLine2025(std::string_view title, bool reliable) {
  return absl::StrFormat("%s (%s network)...", title,
                         reliable ? "reliable" : "unreliable");
}

std::string ServicePassedLine2025(const ServiceCosts& costs) {
  return absl::StrFormat(
      "  ... Passed --  time %4.1fs #peers %d #RPCs %5d #Ops %4d",
      costs.time.count(), costs.servers, costs.rpcs, costs.operations);
}

void Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::chrono::milliseconds NextPause(std::chrono::milliseconds pause) {
  return pause < std::chrono::seconds(1) ? 2 * pause : pause;
}

}  // namespace harness
