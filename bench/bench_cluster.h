// A cluster for benchmarks: servers on one reliable network, each with its
// disk, its apply channel and its consumer. No GoogleTest, no oracle.
//
// Every case makes its own. Nothing consumes at first: the case starts
// the consumers (Consumer) before the first command.
//
// Thread safety: one thread uses it; the consumers have threads of their own.
// Always true: two servers reach each other unless one of them is cut off.

#ifndef BENCH_BENCH_CLUSTER_H_
#define BENCH_BENCH_CLUSTER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bench/bench_directory.h"
#include "bench/commands.h"
#include "bench/consumer.h"
#include "bench/peers.h"
#include "labrpc/network.h"
#include "persister/files/posix_files.h"
#include "persister/simulated_disk.h"
#include "raft/raft.h"
#include "tests/harness/server_group.h"

namespace bench {

// What no case should ever need; a run that does is given up.
inline constexpr std::chrono::seconds kPatience(60);

class BenchCluster {
 public:
  struct Options {
    int servers = 3;
    size_t command_bytes = 16;
    // A service that wants throughput has a deep channel; 0 would be the
    // course's rendezvous, a thread switch for each command.
    size_t channel_capacity = 8192;
    uint64_t window = kLargeWindow;  // of SubmitMany()
    Snapshots snapshots = {};
    // Flushes of the simulated disks take 0 to 50 ms (persister/slow_disk.h).
    bool slow_disks = false;
    // Each server has a FileStorage, all on one disk; it cannot be restarted.
    bool in_files = false;
    labrpc::Observer observer = nullptr;
    labrpc::Tap tap = nullptr;
  };

  explicit BenchCluster(const Options& options);
  ~BenchCluster();
  BenchCluster(const BenchCluster&) = delete;
  BenchCluster& operator=(const BenchCluster&) = delete;

  int size() const { return static_cast<int>(servers_.size()); }
  raft::Raft& raft(raft::ServerId server) { return *At(server).raft; }
  Consumer& consumer(raft::ServerId server) { return *At(server).consumer; }
  std::shared_ptr<persister::SimulatedDisk> CopyDisk(raft::ServerId server) {
    return group_.CopyDisk(server);
  }
  const labrpc::Network& network() const { return network_; }
  labrpc::Network& network() { return network_; }

  // The largest raft state on a disk.
  size_t StateSize() const;

  // Has every server's deliveries taken by a thread, but for those of `except`.
  void RunConsumers(raft::ServerId except = raft::kNobody);

  // A leader: of the highest term above `above`, among the servers that are not
  // cut off.
  struct Leader {
    raft::ServerId server;
    raft::Term term;
  };
  std::optional<Leader> FindLeader(raft::Term above = 0);

  // Waits until there is one and all others that are not cut off follow its
  // term; looks every millisecond. Nothing if there is none for a minute.
  std::optional<raft::ServerId> AwaitLeader();

  // Gives the next command to `leader`; false if that leads no more, or had led
  // in between (the command then stands elsewhere).
  bool Submit(raft::ServerId leader);

  // Submits `count` commands as fast as the leader takes them, with at most
  // Options::window outstanding: taken, but not delivered at the leader. False
  // if that ceased to lead, or delivers no more.
  bool SubmitMany(raft::ServerId leader, uint64_t count);

  // Waits until every server that is not cut off has delivered all commands
  // submitted so far; false if that does not happen.
  bool AwaitDelivered();

  uint64_t submitted() const { return submitted_; }

  void CutOff(raft::ServerId server) { group_.Disconnect(server); }
  void Rejoin(raft::ServerId server) { group_.Connect(server); }

  // A server that is down counts as cut off. It starts again from its disk, and
  // its deliveries are taken by a thread.
  void Crash(raft::ServerId server) { group_.Crash(server); }
  void Restart(raft::ServerId server);

 private:
  struct Server {
    std::shared_ptr<raft::Raft> raft;
    std::unique_ptr<Consumer> consumer;
  };

  Server& At(raft::ServerId server) {
    return servers_[static_cast<size_t>(server)];
  }
  std::shared_ptr<raft::Raft> MakeRaft(
      harness::Ends ends, raft::ServerId me,
      std::shared_ptr<persister::Persister> disk,
      std::shared_ptr<raft::ApplyChannel> channel);
  harness::Node MakeNode(harness::Ends ends, raft::ServerId me,
                         std::shared_ptr<persister::Persister> disk);
  bool AllFollow(const Leader& leader);

  const Options options_;
  labrpc::Network network_;
  Commands commands_;
  uint64_t submitted_ = 0;
  std::optional<BenchDirectory> directory_;  // in_files
  persister::PosixFiles files_;
  std::vector<Server> servers_;
  harness::ServerGroup group_;
};

}  // namespace bench

#endif  // BENCH_BENCH_CLUSTER_H_
