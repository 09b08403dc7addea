// The stage of a test of a replicated service: servers of it on one simulated
// network, whose Rafts are observed as those of a RaftCluster; the first error
// that anything finds; and what a test of services prints about itself.
//
// It knows no service: a factory makes it, with the options for its Rsm.
// Clusters of one service (kv_cluster.h, rsm_cluster.h) stand on it.
//
// When a check has failed anywhere, in a thread of the test or in an observer,
// or the test has taken 120 s, it ends: waits here give up, and so must those
// of the test's threads (Options::on_failure).
//
// Thread safety: one thread makes and ends it, starts, crashes, connects and
// partitions; all else may be called from any thread of the test.
// Lock order: mu_ is a leaf.

#ifndef TESTS_HARNESS_SERVICE_CLUSTER_H_
#define TESTS_HARNESS_SERVICE_CLUSTER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "labrpc/network.h"
#include "raft/raft.h"
#include "raft/types.h"
#include "rsm/rsm.h"
#include "tests/harness/environment.h"
#include "tests/harness/failure.h"
#include "tests/harness/observers.h"
#include "tests/harness/server_group.h"

namespace harness {

// The year whose lines a test prints.
enum class Year { k2022, k2025 };

class ServiceCluster {
 public:
  // Makes what runs on machine `me`. Its Rsm gets `options`: they have the Raft
  // and what the service applies observed.
  using MakeService = std::function<Node(
      Ends ends, raft::ServerId me, std::shared_ptr<persister::Persister> disk,
      rsm::Options options)>;

  struct Options {
    int servers = 3;
    bool reliable = true;
    Year year = Year::k2022;
    std::optional<size_t> max_raft_state = {};  // the course's maxraftstate
    MakeService make_service;
    ShowCommand show_command = nullptr;  // for views
    labrpc::Tap tap = nullptr;
    // Ends at once what the test's threads wait for: a check has failed. Runs
    // on a thread of its own, at most once, and not after the destructor.
    std::function<void()> on_failure = [] {};
    MakeObservers make_observers = TheEnvironment().make_observers;
  };

  // Makes a network, starts servers 0, 1, ..., and connects them all.
  explicit ServiceCluster(Options options, Place place = Place::Here());

  // Ends all that runs. Fails the test, without ending it, if it took longer
  // than 120 s, or if an error was found that no check has reported yet.
  ~ServiceCluster();
  ServiceCluster(const ServiceCluster&) = delete;
  ServiceCluster& operator=(const ServiceCluster&) = delete;

  // Prints the title; what the last line reports is counted from here.
  void Begin(std::string_view title);

  // Fails if the test took longer than 120 s or an error was found; prints the
  // `... Passed` line if nothing failed.
  void End(Place place = Place::Here());

  int size() const { return options_.servers; }
  bool reliable() const { return options_.reliable; }
  Year year() const { return options_.year; }
  ServerGroup& group() { return group_; }
  labrpc::Network& network() { return network_; }
  const Observers& observers() const { return observers_; }

  // Servers and links, as in server_group.h. Start() leaves a server
  // disconnected.
  void StartAll();
  void CrashAll();
  void ConnectAll();  // undivided, too
  void Partition(const std::set<raft::ServerId>& one,
                 const std::set<raft::ServerId>& other);

  // The lowest server that takes itself for the leader, connected or not.
  std::optional<raft::ServerId> Leader();
  raft::State GetState(raft::ServerId server);
  // Null while it is down.
  std::shared_ptr<raft::Raft> RaftOf(raft::ServerId server) EXCLUDES(mu_);

  // Divides the servers into a majority without the leader, and the rest: the
  // course's make_partition. Server 0 counts as the leader if there is none.
  struct Parts {
    std::set<raft::ServerId> majority;
    std::set<raft::ServerId> minority;  // with the leader
  };
  Parts PartitionFromLeader();

  // The largest raft state and the largest snapshot on any server's disk.
  size_t LogSize() const;
  size_t SnapshotSize() const;

  // An operation has been completed; the last line says how many were.
  void CountOperation() { ++operations_; }

  // Sleeps; ends the test if meanwhile a check has failed.
  void Sleep(std::chrono::milliseconds duration, Place place = Place::Here())
      EXCLUDES(mu_);

  // Records what anything but a check of the calling thread has found: ends the
  // test. An expense ends nothing, and is reported at the end.
  void FoundError(Failure error) EXCLUDES(mu_);

  // A check of a thread of the test has failed, and is reported: ends the test.
  void CheckHasFailed() EXCLUDES(mu_);
  bool HasFailed() EXCLUDES(mu_);

  // Ends the calling thread's share of the test if a check has failed.
  void CheckError(Place place = Place::Here()) EXCLUDES(mu_);

 private:
  using Clock = std::chrono::steady_clock;
  class ObservedRaft;

  struct Baseline {
    Clock::time_point time;
    int64_t rpcs = 0;
    int64_t operations = 0;
  };

  // What runs on a machine.
  struct Slot {
    int incarnation = 0;
    std::shared_ptr<raft::Raft> raft;  // null while it is down
  };

  labrpc::Observer MakePacketObserver() const;
  Node MakeNode(Ends ends, raft::ServerId me,
                std::shared_ptr<persister::Persister> disk) EXCLUDES(mu_);
  rsm::Options MakeRsmOptions(raft::ServerId me, int incarnation);
  Slot SlotOf(raft::ServerId server) EXCLUDES(mu_);
  void SetRaft(raft::ServerId server, std::shared_ptr<raft::Raft> raft)
      EXCLUDES(mu_);
  void AwaitFailure() EXCLUDES(mu_);
  bool TookTooLong();
  void ReportExpense(Place place) EXCLUDES(mu_);

  // Immutable after construction.
  const Options options_;
  const Place place_;  // of the test, for what fails at its end
  const Clock::time_point created_;

  // Synchronized by themselves.
  const Observers observers_;
  labrpc::Network network_;
  std::atomic<int64_t> operations_ = 0;

  // Confined to the test's main thread.
  Baseline baseline_;
  bool time_limit_reported_ = false;

  base::Mutex mu_;
  base::CondVar failed_or_ended_;
  std::vector<Slot> slots_ ABSL_GUARDED_BY(mu_);       // by server
  std::optional<Failure> error_ ABSL_GUARDED_BY(mu_);  // the first one
  std::optional<Failure> expense_ ABSL_GUARDED_BY(mu_);
  bool has_failed_ ABSL_GUARDED_BY(mu_) = false;
  bool reported_ ABSL_GUARDED_BY(mu_) = false;  // what has failed
  bool ended_ ABSL_GUARDED_BY(mu_) = false;

  ServerGroup group_;
  std::thread failure_watcher_;
};

}  // namespace harness

#endif  // TESTS_HARNESS_SERVICE_CLUSTER_H_
