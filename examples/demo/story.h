// The story that the demo tells, in six acts, and the check of what it claims.
//
// The story decides what is done to the cluster: who is cut off, crashed and
// restarted, and what the client sends. What follows from it is only observed;
// each act waits until it was, and a wait in vain is a failure in the journal.
//
// Thread safety: confined to one thread.

#ifndef EXAMPLES_DEMO_STORY_H_
#define EXAMPLES_DEMO_STORY_H_

#include <functional>
#include <string>
#include <vector>

#include "examples/demo/client.h"
#include "examples/demo/demo_cluster.h"
#include "examples/demo/journal.h"
#include "examples/demo/view.h"
#include "examples/demo/watcher.h"
#include "raft/types.h"

namespace tests {

class Story {
 public:
  // `speed`: how much faster than usual the pauses between the steps go by.
  Story(DemoCluster* cluster, Watcher* watcher, Journal* journal, double speed)
      : cluster_(cluster),
        watcher_(watcher),
        journal_(journal),
        speed_(speed),
        client_(cluster, watcher, journal) {}

  // Tells it. Returns false if it had to end early or a claim does not hold;
  // the journal says which, unless it was interrupted.
  bool Tell();

  // What became of the client's commands, and how many went to the leader that
  // was cut off.
  const std::vector<Client::Committed>& committed() const {
    return client_.committed();
  }
  size_t doomed() const { return doomed_.size(); }

 private:
  // The acts. Each returns false if the story has to end.
  bool Elect();
  bool Replicate();
  bool CutOffLeader();
  bool RejoinOldLeader();
  bool CrashFollower();
  bool RestartIt();
  bool CheckClaims();

  // Cuts the leader off and gives it the first command that cannot commit.
  bool CutOffWhoLeads();
  // Gives the next one to the old leader; false if it does not lead any more.
  bool Doom();
  bool AwaitNewLeader();
  bool Commit(int commands);

  // Waits until `holds`; if that takes too long, `claim` is the failure.
  bool Await(const std::string& claim,
             const std::function<bool(const ClusterView&)>& holds);
  // Gives the reader time. Returns false if the story has to end.
  bool Pause(double seconds);
  // The name of a server, and a look at it now.
  ServerView Look(raft::ServerId server) const;

  DemoCluster* const cluster_;
  Watcher* const watcher_;
  Journal* const journal_;
  const double speed_;

  Client client_;
  raft::ServerId old_leader_ = raft::kNobody;  // the one that is cut off
  raft::Term old_term_ = 0;                    // which it led
  std::vector<std::string> doomed_;            // what it took meanwhile
  raft::ServerId victim_ = raft::kNobody;      // the one that crashes
  ServerView before_crash_;
};

}  // namespace tests

#endif  // EXAMPLES_DEMO_STORY_H_
