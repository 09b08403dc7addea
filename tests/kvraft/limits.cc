#include "tests/kvraft/limits.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace tests {

using harness::Fail;
using harness::Kind;

void CheckLogSize(harness::KvCluster* cluster, harness::Place place) {
  // Operations take a majority. Another server has their entries a moment
  // before it has applied and can trim them; on a busy machine, a while before.
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  size_t size = cluster->stage().LogSize();
  while (size > 8 * kMaxRaftState && std::chrono::steady_clock::now() < limit) {
    cluster->stage().Sleep(std::chrono::milliseconds(5), place);
    size = cluster->stage().LogSize();
  }
  if (size <= 8 * kMaxRaftState) return;
  Fail(Kind::kEconomy,
       absl::StrCat("logs were not trimmed (", size, " > 8*", kMaxRaftState,
                    ")"),
       place);
}

void CheckSnapshotSize(harness::KvCluster* cluster, size_t most,
                       harness::Place place) {
  const size_t size = cluster->stage().SnapshotSize();
  if (size <= most) return;
  Fail(Kind::kEconomy,
       absl::StrCat("snapshot too large (", size, " > ", most, ")"), place);
}

void CheckSpeed(std::chrono::nanoseconds operation, harness::Place place) {
  constexpr std::chrono::nanoseconds kMost =
      std::chrono::nanoseconds(std::chrono::milliseconds(100)) / 3;
  if (operation <= kMost) return;
  const auto text = [](std::chrono::nanoseconds duration) {
    return absl::FormatDuration(absl::FromChrono(duration));
  };
  Fail(Kind::kLiveness,
       absl::StrCat("Operations completed too slowly ", text(operation),
                    "/op > ", text(kMost), "/op"),
       place);
}

}  // namespace tests
