// A cluster of Raft servers on one simulated network, for one test: the
// course's "config", with its checks, its messages and every one of its
// numbers.
//
// A test makes a cluster, calls Begin(), cuts links, crashes and restarts
// servers (server_group.h), checks what must hold, and calls End(). A check
// that fails ends the test at that line (failure.h); the destructor then still
// ends every instance and thread.
//
// Each incarnation of a server has a reader, a thread that takes what the
// server applies and compares it with what all others have applied
// (apply_log.h). What it finds wrong ends the test at the next check; the
// reader goes on to take messages, so that it never blocks a Raft. In a cluster
// with snapshots it is also the service that takes them.
//
// Observers (observer.h) are told of all that the cluster does; an error that
// one of them finds ends the test in the same way, unless it is one of economy:
// that is reported when the test has come to its end.
//
// Thread safety: the test's main thread makes and ends the cluster, and alone
// starts, crashes, connects and disconnects servers and calls CheckOneLeader().
// All else may be called from any thread of the test.
// Lock order: mu_ is a leaf. Never held while calling an instance, the network
// or a channel; readers and checks meet at it.

#ifndef TESTS_HARNESS_RAFT_CLUSTER_H_
#define TESTS_HARNESS_RAFT_CLUSTER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "labrpc/network.h"
#include "raft/raft.h"
#include "raft/types.h"
#include "tests/harness/apply_log.h"
#include "tests/harness/commands.h"
#include "tests/harness/environment.h"
#include "tests/harness/failure.h"
#include "tests/harness/observers.h"
#include "tests/harness/server_group.h"

namespace harness {

// The tester's idea of a generous time for an election (the course's
// RaftElectionTimeout).
inline constexpr std::chrono::milliseconds kElectionTimeout(1000);

// Makes one server's Raft, as raft::Make().
using MakeRaft = std::function<std::shared_ptr<raft::Raft>(
    Ends ends, raft::ServerId me, std::shared_ptr<persister::Persister> disk,
    std::shared_ptr<raft::ApplyChannel> channel)>;

// The Raft that is linked in; its random stream follows from the run's seed.
std::shared_ptr<raft::Raft> MakeSeededRaft(
    Ends ends, raft::ServerId me, std::shared_ptr<persister::Persister> disk,
    std::shared_ptr<raft::ApplyChannel> channel);

// The course's snapshots: at 9, 19, 29, ... on every server.
bool EveryTenthIndex(raft::ServerId server, raft::Index index);

struct RaftClusterOptions {
  // The network delays every message a little, and loses some, if false.
  bool reliable = true;

  // Decides about single messages; their ends are named as in link.h.
  labrpc::Tap tap = nullptr;

  // Says whether the service on `server`, when it has applied `index`, gives
  // its Raft a snapshot. If null no service does, or takes one.
  std::function<bool(raft::ServerId server, raft::Index index)> snapshot_at =
      nullptr;

  // Bytes that a service adds to each snapshot, to make it large.
  size_t snapshot_padding = 0;

  // What the servers run.
  MakeRaft make_raft = MakeSeededRaft;

  // Keeps killed instances until the network has ended: for a Raft whose Kill()
  // returns before its threads have.
  bool keep_killed = false;

  // Makes the observers of the cluster.
  MakeObservers make_observers = TheEnvironment().make_observers;

  // Flushes of the servers' disks take time.
  bool slow_disks = TheEnvironment().slow_disks;

  // Every wait and time limit of the harness is divided by this, for unit tests
  // of the harness itself.
  int hurry = 1;
};

// Whether Agree() may submit its command again, when a leader took it and then
// did not commit it.
enum class Retry : bool { kNo, kYes };

class RaftCluster {
 public:
  // Makes a network with long delays, starts `servers` servers 0, 1, ..., and
  // then connects them all.
  explicit RaftCluster(int servers, RaftClusterOptions options = {},
                       Place place = Place::Here());

  // Ends all that runs. Fails the test, without ending it, if it took longer
  // than 120 s, or if a reader found an error that no check has reported yet.
  ~RaftCluster();

  RaftCluster(const RaftCluster&) = delete;
  RaftCluster& operator=(const RaftCluster&) = delete;

  // Prints the title; what the last line reports is counted from here.
  void Begin(std::string_view title);

  // Fails if the test took longer than 120 s, or a reader or an observer found
  // an error; prints the `... Passed` line if nothing failed.
  void End(Place place = Place::Here());

  // Makes each Agree() under way return 0 soon: the test is over.
  void Finish() EXCLUDES(mu_);

  int size() const { return servers_; }

  // The server `steps` after `server`, wrapping around.
  raft::ServerId Next(raft::ServerId server, int steps = 1) const {
    return (server + steps) % servers_;
  }

  // Servers and links, as in server_group.h. StartServer() leaves the server
  // disconnected.
  void StartServer(raft::ServerId server) { group_.Start(server); }
  void CrashServer(raft::ServerId server) { group_.Crash(server); }
  // Crashes the server if it is up, starts it from its disk and connects it.
  void Restart(raft::ServerId server) {
    StartServer(server);
    Connect(server);
  }
  bool IsUp(raft::ServerId server) const { return group_.IsUp(server); }
  void Connect(raft::ServerId server) { group_.Connect(server); }
  void Disconnect(raft::ServerId server) { group_.Disconnect(server); }
  bool IsConnected(raft::ServerId server) const {
    return group_.IsConnected(server);
  }

  // The service on that server takes nothing more from its Raft, until it is
  // told to go on or its server crashes.
  void PauseService(raft::ServerId server, bool paused) EXCLUDES(mu_);

  // Gives the command to that server, connected or not. One that is down is no
  // leader.
  raft::StartResult Start(raft::ServerId server, const Command& command);

  // What that server says of itself; {0, false} if it is down.
  raft::State GetState(raft::ServerId server);

  // All that server says of itself, for views; nothing is told to observers. A
  // default value if it is down.
  raft::Status GetStatus(raft::ServerId server);

  // Sleeps half a second, then returns the leader of the highest term among the
  // connected servers. Tries again up to 10 times while there is none. Fails if
  // a term has two leaders.
  raft::ServerId CheckOneLeader(Place place = Place::Here());

  // Returns the term of all connected servers; fails if they differ.
  raft::Term CheckTerms(Place place = Place::Here());

  // Fails if a connected server believes that it leads.
  void CheckNoLeader(Place place = Place::Here());

  // Returns how many servers have applied `index`, connected or not, up or
  // down, and what; the course's nCommitted(). Fails if a reader found an
  // error.
  Applied CommittedAt(raft::Index index, Place place = Place::Here());

  // Waits until at least `servers` servers have applied `index`, and returns
  // the command. Fails after some 30 s. Returns nothing as soon as a server's
  // term is above `start_term`, if that is given: the test cannot expect
  // success any more.
  std::optional<Command> Wait(
      raft::Index index, int servers,
      std::optional<raft::Term> start_term = std::nullopt,
      Place place = Place::Here());

  // Has the cluster commit `command`, and waits until at least `servers`
  // servers have applied it; returns its index. The course's one(). Looks for a
  // leader among the connected servers, and gives it 2 s to commit; then fails
  // at once (kNo), or starts again (kYes: the command may commit twice). Fails
  // after 10 s. Returns 0 after Finish().
  raft::Index Agree(const Command& command, int servers, Retry retry,
                    Place place = Place::Here());

  // What the network does from now on.
  void SetReliable(bool yes);
  void SetLongReordering(bool yes);

  // Lets a message go on that the tap holds; false if there is none.
  bool Release(uint64_t call) { return network_.Release(call); }

  // RPCs that arrived at this incarnation of the server; all RPCs sent, and
  // their bytes, of the whole test.
  int64_t RpcCount(raft::ServerId server) const {
    return group_.RpcCount(server);
  }
  int64_t RpcTotal() const { return network_.GetTotalCount(); }
  int64_t BytesTotal() const { return network_.GetTotalBytes(); }

  // The largest raft state and the largest snapshot on any server's disk.
  size_t LogSize() const;
  size_t SnapshotSize() const;

  // The last index that the snapshot on that server's disk covers, or 0.
  // REQUIRES: its service gave it that one.
  raft::Index SnapshotIndexOnDisk(raft::ServerId server) const;

  const Observers& observers() const { return observers_; }

 private:
  using Clock = std::chrono::steady_clock;

  // What Begin() found.
  struct Baseline {
    Clock::time_point time;
    int64_t rpcs = 0;
    int64_t bytes = 0;
    raft::Index max_index = 0;
  };

  // One incarnation of a server.
  struct Member {
    raft::ServerId server;
    int incarnation;
    std::shared_ptr<raft::Raft> raft;  // null while it is down
  };

  // Takes what one incarnation applies.
  class Reader;

  // What runs on a machine.
  struct Slot {
    int incarnation = 0;
    std::shared_ptr<raft::Raft> raft;  // null while it is down
    bool paused = false;               // its service takes nothing
  };

  // raft_cluster.cc
  Node MakeNode(Ends ends, raft::ServerId me,
                std::shared_ptr<persister::Persister> disk) EXCLUDES(mu_);
  void KillNode(raft::ServerId server) EXCLUDES(mu_);
  labrpc::Observer MakePacketObserver() const;
  Member MemberOf(raft::ServerId server) EXCLUDES(mu_);
  std::vector<Member> Connected() EXCLUDES(mu_);
  raft::State StateOf(const Member& member);
  raft::Index MaxIndex() EXCLUDES(mu_);
  bool TookTooLong();
  bool Finished() EXCLUDES(mu_);
  template <typename Duration>
  Duration Hurried(Duration duration) const {
    return duration / options_.hurry;
  }
  void Sleep(std::chrono::milliseconds duration) const;

  // raft_cluster_reader.cc
  std::shared_ptr<void> MakeReader(raft::ServerId server,
                                   std::shared_ptr<raft::Raft> raft,
                                   std::shared_ptr<raft::ApplyChannel> channel,
                                   const base::Rope& saved);
  void AwaitService(raft::ServerId server) EXCLUDES(mu_);
  void Record(raft::ServerId server, const raft::ApplyMsg& message)
      EXCLUDES(mu_);
  std::optional<raft::Index> RecordSnapshot(raft::ServerId server,
                                            const base::Rope& snapshot,
                                            std::optional<raft::Index> index)
      EXCLUDES(mu_);
  void FoundApplyError(const std::string& error) EXCLUDES(mu_);

  // raft_cluster_checks.cc
  void FoundError(Failure error) EXCLUDES(mu_);
  void CheckError(Place place) EXCLUDES(mu_);
  void ReportExpense(Place place) EXCLUDES(mu_);
  bool AnyTermAbove(raft::Term term);
  std::optional<raft::Index> Submit(const Command& command, int* position);
  bool AwaitAgreement(raft::Index index, const Command& command, int servers,
                      Place place);

  Slot& SlotLocked(raft::ServerId server) REQUIRES(mu_) {
    return slots_[static_cast<size_t>(server)];
  }

  // Immutable after construction.
  const int servers_;
  const RaftClusterOptions options_;
  const Place place_;  // of the test, for what fails at its end
  const Clock::time_point created_;

  // Both are synchronized by themselves. The observers may be told of saves by
  // instances that outlive this cluster.
  const Observers observers_;
  labrpc::Network network_;

  // Confined to the test's main thread.
  base::Random random_;
  std::vector<std::shared_ptr<raft::Raft>> killed_;  // with keep_killed only
  Baseline baseline_;
  bool time_limit_reported_ = false;

  base::Mutex mu_;
  base::CondVar service_resumed_;
  std::vector<Slot> slots_ ABSL_GUARDED_BY(mu_);  // by server
  ApplyLog log_ ABSL_GUARDED_BY(mu_);
  std::optional<Failure> error_ ABSL_GUARDED_BY(mu_);  // the first one
  bool error_reported_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<Failure> expense_ ABSL_GUARDED_BY(mu_);  // to be reported
  bool finished_ ABSL_GUARDED_BY(mu_) = false;

  ServerGroup group_;
};

}  // namespace harness

#endif  // TESTS_HARNESS_RAFT_CLUSTER_H_
