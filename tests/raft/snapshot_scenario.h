// A scenario of part 2D: a cluster whose services take snapshots, and the
// commands that fill its logs.
//
// Thread safety: for the test's main thread.

#ifndef TESTS_RAFT_SNAPSHOT_SCENARIO_H_
#define TESTS_RAFT_SNAPSHOT_SCENARIO_H_

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

  // More than one RPC should carry.
  static constexpr size_t kLarge = 2'000'000;

  // The services take the snapshots that `snapshot_at` says, and add `padding`
  // bytes to each.
  SnapshotScenario(int servers, std::string_view title, SnapshotAt snapshot_at,
                   size_t padding = 0, Place place = Place::Here())
      : Scenario(servers, title,
                 {.snapshot_at = std::move(snapshot_at),
                  .snapshot_padding = padding},
                 place) {}

  // Has `leader` commit one command after the other, up to index `last`, and
  // waits until `servers` servers have applied them. All that a leader took
  // before and that is not lost went by here.
  void CommitUpTo(raft::Index last, raft::ServerId leader, int servers,
                  Place place = Place::Here()) {
    while (last_ < last) {
      const raft::Index index = ++last_;
      const raft::Index taken = Submit(leader, CommandAt(index), place);
      if (taken != index) {
        harness::Fail(harness::Kind::kSafety,
                      absl::StrCat("S", leader, " leads, and takes a command ",
                                   "at index ", taken, " where ", index,
                                   " is the next: up to there all is ",
                                   "committed (5.4)"),
                      place);
      }
    }
    AwaitApplied(last, CommandAt(last), servers, place);
  }

  // Has S0 lead, and commit up to `last` while `absent`, another one of three,
  // is down.
  void CommitWithout(raft::ServerId absent, raft::Index last,
                     Place place = Place::Here()) {
    Elect(0, place);
    cluster.CrashServer(absent);
    CommitUpTo(last, /*leader=*/0, /*servers=*/2, place);
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
  static int64_t CommandAt(raft::Index index) {
    return static_cast<int64_t>(100 + index);
  }

  raft::Index last_ = 0;
};

// At 5, 10, 15, ... on every server.
inline bool EveryFifthIndex(raft::ServerId /*server*/, raft::Index index) {
  return index % 5 == 0;
}

}  // namespace tests

#endif  // TESTS_RAFT_SNAPSHOT_SCENARIO_H_
