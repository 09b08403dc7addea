// The demo's five servers and the network between them.
//
// The life of a server is that of the tests' harness, without its checks: new
// ends and a copy of its disk for each life, a thread that plays the service
// and reads the apply channel.
//
// Thread safety: View(), Submit() and the counters may be called from any
// thread; StartServer() to Crash() by one thread at a time.
// Lock order: mu_ -> Persister, and in the constructor -> Network; a running
// server is never called under it.
// Always true: two servers reach each other only if both are Link::kUp.

#ifndef EXAMPLES_DEMO_DEMO_CLUSTER_H_
#define EXAMPLES_DEMO_DEMO_CLUSTER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "examples/demo/apply_record.h"
#include "examples/demo/ballots.h"
#include "examples/demo/journal.h"
#include "examples/demo/view.h"
#include "labrpc/network.h"
#include "persister/simulated_disk.h"
#include "raft/raft.h"

namespace tests {

class DemoCluster {
 public:
  // Five servers that are not running yet. A wrong delivery becomes a failure
  // in the journal, which must outlive the cluster.
  explicit DemoCluster(Journal* journal);
  // Crashes what still runs.
  ~DemoCluster();
  DemoCluster(const DemoCluster&) = delete;
  DemoCluster& operator=(const DemoCluster&) = delete;

  // Starts a server from what its disk holds, and connects it. Returns what it
  // remembered: its line before anybody has told it anything.
  // REQUIRES: it is not running.
  ServerView StartServer(raft::ServerId server);

  // Cuts a running server off from all others; it runs on.
  void CutOff(raft::ServerId server);

  // Undoes CutOff().
  void Rejoin(raft::ServerId server);

  // Ends a server; its disk alone remains.
  void Crash(raft::ServerId server);

  // Gives a command to that server, as raft::Raft::Start().
  raft::StartResult Submit(raft::ServerId server, const std::string& command)
      EXCLUDES(mu_);

  // Looks at every server.
  ClusterView View() const EXCLUDES(mu_);

  const ApplyRecord& applied() const { return applied_; }
  Ballots& ballots() { return ballots_; }

  // RPCs sent so far, and the bytes of arguments and replies.
  int64_t RpcCount() const { return network_.GetTotalCount(); }
  int64_t RpcBytes() const { return network_.GetTotalBytes(); }

 private:
  using Ends = std::vector<std::shared_ptr<rpc::ClientEnd>>;
  struct Machine {
    std::shared_ptr<raft::Raft> raft;  // null while it is down
    std::shared_ptr<persister::SimulatedDisk> disk;
    Ends ends;  // of its present life; of the next one while it is down
    Link link = Link::kCrashed;
  };

  Ends MakeEnds(raft::ServerId server);
  std::shared_ptr<persister::SimulatedDisk> DetachDisk(raft::ServerId server)
      EXCLUDES(mu_);
  // Notes the link and switches all ends from and to the server accordingly.
  void SetLink(raft::ServerId server, Link link) EXCLUDES(mu_);
  Machine Get(raft::ServerId server) const EXCLUDES(mu_);
  ServerView Look(raft::ServerId server) const EXCLUDES(mu_);
  // The body of a reader thread: the service, which executes by recording.
  void ReadLoop(raft::ServerId server, raft::ApplyChannel* channel);

  // Synchronised by themselves. The network goes first when the cluster ends,
  // so that nothing observes any more.
  Journal* const journal_;
  ApplyRecord applied_;
  Ballots ballots_;
  labrpc::Network network_;

  mutable base::Mutex mu_;
  std::vector<Machine> machines_ ABSL_GUARDED_BY(mu_);  // by ServerId

  // Belongs to the thread that starts and crashes servers.
  std::vector<std::thread> readers_;  // by ServerId
};

}  // namespace tests

#endif  // EXAMPLES_DEMO_DEMO_CLUSTER_H_
