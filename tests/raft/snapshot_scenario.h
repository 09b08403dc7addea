// A scenario of part 2D: a cluster whose services take snapshots, and the
// commands that fill its logs.
//
// Thread safety: for the test's main thread.

#ifndef TESTS_RAFT_SNAPSHOT_SCENARIO_H_
#define TESTS_RAFT_SNAPSHOT_SCENARIO_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/harness/scenario.h"

namespace tests {

class SnapshotScenario : public harness::Scenario {
 public:
  using Place = harness::Place;
  using SnapshotAt = decltype(harness::RaftClusterOptions::snapshot_at);

  // The services take the snapshots that `snapshot_at` says.
  SnapshotScenario(int servers, std::string_view title, SnapshotAt snapshot_at,
                   Place place = Place::Here())
      : Scenario(servers, title, {.snapshot_at = std::move(snapshot_at)},
                 place) {}

  // From now on commands are so large that a snapshot of three of them is
  // larger than an RPC should be, or of ordinary size again.
  void TakeLargeCommands(bool large) { large_ = large; }

  // Has `leader` commit one command after the other, up to index `last`, and
  // waits until `servers` servers have applied them. All that a leader took
  // before and that is not lost went by here.
  void CommitUpTo(raft::Index last, raft::ServerId leader, int servers,
                  Place place = Place::Here()) {
    while (commands_.size() < last) {
      const raft::Index index = commands_.size() + 1;
      commands_.push_back(CommandFor(index));
      const raft::Index taken = Submit(leader, commands_.back(), place);
      if (taken != index) {
        harness::Fail(harness::Kind::kSafety,
                      absl::StrCat("S", leader, " leads, and takes a command ",
                                   "at index ", taken, " where ", index,
                                   " is the next: up to there all is ",
                                   "committed (5.4)"),
                      place);
      }
    }
    AwaitApplied(last, commands_.back(), servers, place);
  }

  // Waits until the disks of these servers have a snapshot up to `index`.
  void AwaitSnapshots(raft::Index index,
                      const std::vector<raft::ServerId>& servers,
                      Place place = Place::Here()) {
    for (const raft::ServerId server : servers) {
      Require(
          absl::StrCat("S", server, " to save a snapshot up to index ", index),
          "its service gave it one (7)",
          [&] { return cluster.SnapshotIndexOnDisk(server) == index; }, place);
    }
  }

 private:
  harness::Command CommandFor(raft::Index index) const {
    const auto value = static_cast<int64_t>(100 + index);
    if (!large_) return value;
    return absl::StrCat(value, std::string(900'000, 'x'));
  }

  bool large_ = false;
  std::vector<harness::Command> commands_;  // [i] is at index i + 1
};

// At 5, 10, 15, ... on every server.
inline bool EveryFifthIndex(raft::ServerId /*server*/, raft::Index index) {
  return index % 5 == 0;
}

}  // namespace tests

#endif  // TESTS_RAFT_SNAPSHOT_SCENARIO_H_
