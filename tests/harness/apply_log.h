// What every server has applied in this test, and the checks of an applier:
// no gaps, and no two servers with different commands at one index.
//
// The logs belong to the test and not to the running instances: they survive a
// crash, so a restarted server that applies everything again is compared with
// what it applied before. Applying an index twice is allowed, if it is the same
// command. A delivery that fails a check is not recorded, so that the course's
// `committed values do not match` cannot arise any more.
//
// Thread safety: none of its own; RaftCluster guards it with mu_.
// Invariants:
// 1. No two logs differ at an index that both have.
// 2. Each log is without gaps, from index 1 on.

#ifndef TESTS_HARNESS_APPLY_LOG_H_
#define TESTS_HARNESS_APPLY_LOG_H_

#include <optional>
#include <string>
#include <vector>

#include "raft/types.h"
#include "tests/harness/commands.h"

namespace harness {

// How many servers have applied an index, and what.
struct Applied {
  int servers = 0;
  Command command;  // meaningless if servers is 0
};

class ApplyLog {
 public:
  // Empty logs of that many servers.
  explicit ApplyLog(int servers) : logs_(static_cast<size_t>(servers)) {}

  // Server `server` delivers `command` at `index`. Returns what is wrong with
  // that, in the course's words, and then records nothing; nullopt if all is
  // well.
  std::optional<std::string> Apply(raft::ServerId server, raft::Index index,
                                   Command command);

  // Server `server` goes on from a snapshot of the first commands: these are
  // all that it has applied now. Returns and records as Apply().
  std::optional<std::string> Install(raft::ServerId server,
                                     std::vector<Command> commands);

  // The servers that have applied `index` so far, running or not.
  Applied At(raft::Index index) const;

  // The highest index that any server has applied; 0 if none has.
  raft::Index max_index() const { return max_index_; }

 private:
  using Log = std::vector<Command>;  // index 1 stands at offset 0

  // What is wrong if `server` applies that, after another server or before.
  std::optional<std::string> FindConflict(raft::ServerId server,
                                          raft::Index index,
                                          const Command& command) const;

  // Null if the log does not have that index.
  static const Command* Find(const Log& log, raft::Index index);

  std::vector<Log> logs_;  // by server
  raft::Index max_index_ = 0;
};

}  // namespace harness

#endif  // TESTS_HARNESS_APPLY_LOG_H_
