// The demo's client: numbers its commands x=1, x=2, ... and sees each through
// until it is applied.
//
// Like a real one it does not know who leads: it asks the servers it can reach
// until one takes the command, and tries again when that came to nothing (so a
// command may, in principle, be applied twice; 8 of the paper has the cure).
//
// Thread safety: confined to the thread that tells the story.
// Invariant: every command in committed() was applied at the place it names.

#ifndef EXAMPLES_DEMO_CLIENT_H_
#define EXAMPLES_DEMO_CLIENT_H_

#include <chrono>
#include <string>
#include <vector>

#include "examples/demo/demo_cluster.h"
#include "examples/demo/journal.h"
#include "examples/demo/watcher.h"
#include "raft/types.h"

namespace tests {

class Client {
 public:
  struct Committed {
    std::string command;
    raft::Index index = 0;
    raft::Term term = 0;
    std::chrono::duration<double, std::milli> latency{0};  // to be applied
  };

  Client(DemoCluster* cluster, Watcher* watcher, Journal* journal)
      : cluster_(cluster), watcher_(watcher), journal_(journal) {}

  // Has the next command committed, and waits for all servers within reach to
  // apply it. Returns false if the demo has to end; a command that does not get
  // through within 20 s is a failure.
  bool CommitNext();

  const std::vector<Committed>& committed() const { return committed_; }

 private:
  // Finds a server that takes the command; not taken if there is none now.
  raft::StartResult Submit(const std::string& command);
  // Whether the command came to be applied where `taken` said, before long.
  bool WasApplied(const std::string& command, const raft::StartResult& taken);
  void Note(const std::string& command, const raft::StartResult& taken,
            raft::Clock::time_point sent);

  DemoCluster* const cluster_;
  Watcher* const watcher_;
  Journal* const journal_;
  raft::ServerId leader_ = 0;  // who took the last command: asked first
  std::vector<Committed> committed_;
};

}  // namespace tests

#endif  // EXAMPLES_DEMO_CLIENT_H_
