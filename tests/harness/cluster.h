// A cluster of Raft servers on one simulated network, for one test: the
// course's "config", with its checks, its messages and every one of its
// numbers.
//
// A test makes a cluster, calls Begin(), cuts links, crashes and restarts
// servers, checks what must hold, and calls End(). A check that fails ends the
// test at that line (failure.h); the destructor then still ends every instance
// and thread.
//
// A crash keeps only what the server had saved: the new instance gets a copy of
// the disk, taken after the network had stopped to answer for the old one. A
// crashed instance keeps its ends, which stay disabled for ever.
//
// Each life of a server has a reader, a thread that takes what the server
// applies and compares it with what all others have applied (apply_log.h). What
// it finds wrong ends the test at the next check; the reader goes on to take
// messages, so that it never blocks a Raft.
//
// Observers (observer.h) are told of all that the cluster does; an error that
// one of them finds ends the test in the same way.
//
// Thread safety: the test's main thread makes and ends the cluster, and alone
// starts, crashes, connects and disconnects servers and calls CheckOneLeader().
// All else may be called from any thread of the test.
// Lock order: mu_ is a leaf. Never held while calling an instance, the network
// or a channel; it is also what readers and checks meet at.

#ifndef TESTS_HARNESS_CLUSTER_H_
#define TESTS_HARNESS_CLUSTER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "labrpc/network.h"
#include "persister/simulated_disk.h"
#include "raft/types.h"
#include "tests/harness/apply_log.h"
#include "tests/harness/commands.h"
#include "tests/harness/environment.h"
#include "tests/harness/failure.h"
#include "tests/harness/instance.h"
#include "tests/harness/observers.h"

namespace harness {

// The tester's idea of a generous time for an election (the course's
// RaftElectionTimeout).
inline constexpr std::chrono::milliseconds kElectionTimeout(1000);

struct ClusterOptions {
  // The network delays every message a little, and loses some, if false.
  bool reliable = true;

  // Decides about single messages; their ends are named as in link.h.
  labrpc::Tap tap = nullptr;

  // What the servers run.
  MakeInstance make_instance = MakeRaft;

  // Keeps killed instances until the network has ended: for a Raft whose Kill()
  // returns before its threads have.
  bool keep_killed = false;

  // Who observes the cluster.
  MakeObservers make_observers = TheEnvironment().make_observers;

  // Every wait and time limit of the harness is divided by this, for unit tests
  // of the harness itself.
  int hurry = 1;
};

// Whether Agree() may submit its command again, when a leader took it and then
// did not commit it.
enum class Retry : bool { kNo, kYes };

class Cluster {
 public:
  // Makes a network with long delays, starts `servers` servers 0, 1, ..., and
  // then connects them all.
  explicit Cluster(int servers, ClusterOptions options = {},
                   Place place = Place::Here());

  // Ends all that runs. Fails the test, without ending it, if it took longer
  // than 120 s, or if a reader found an error that nobody has reported yet.
  ~Cluster();

  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Prints the title; what the last line reports is counted from here.
  void Begin(std::string_view title);

  // Fails if the test took longer than 120 s or a reader found an error; prints
  // the `... Passed` line if nothing failed.
  void End(Place place = Place::Here());

  // Makes each Agree() under way return 0 soon: the test is over.
  void Finish() ABSL_LOCKS_EXCLUDED(mu_);

  int size() const { return servers_; }

  // The server `steps` after `server`, going round.
  raft::ServerId Next(raft::ServerId server, int steps = 1) const {
    return (server + steps) % servers_;
  }

  // Links. Two servers can talk while both are connected. A disconnected server
  // runs on and keeps believing what it believes. Both are idempotent.
  void Connect(raft::ServerId server) ABSL_LOCKS_EXCLUDED(mu_);
  void Disconnect(raft::ServerId server) ABSL_LOCKS_EXCLUDED(mu_);
  bool IsConnected(raft::ServerId server) ABSL_LOCKS_EXCLUDED(mu_);

  // Disconnects and ends the server; what it had saved stays. Idempotent.
  void CrashServer(raft::ServerId server) ABSL_LOCKS_EXCLUDED(mu_);

  // Crashes the server if it is up, and starts it from what it has saved. It is
  // disconnected then: Connect() it.
  void StartServer(raft::ServerId server) ABSL_LOCKS_EXCLUDED(mu_);
  bool IsUp(raft::ServerId server) ABSL_LOCKS_EXCLUDED(mu_);

  // The service on that server takes nothing more from its Raft, until it is
  // told to go on or its server crashes.
  void PauseService(raft::ServerId server, bool paused)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Gives the command to that server, connected or not. One that is down is no
  // leader.
  raft::StartResult Start(raft::ServerId server, const Command& command);

  // What that server says of itself; {0, false} if it is down.
  raft::State GetState(raft::ServerId server);

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

  // RPCs that arrived at this life of the server; all RPCs sent, and their
  // bytes, of the whole test.
  int64_t RpcCount(raft::ServerId server) const;
  int64_t RpcTotal() const { return network_.GetTotalCount(); }
  int64_t BytesTotal() const { return network_.GetTotalBytes(); }

  const Observers& observers() const { return observers_; }

 private:
  using Clock = std::chrono::steady_clock;

  // A machine that one instance after the other runs on.
  struct Machine {
    std::shared_ptr<Instance> instance;  // null while it is down
    std::shared_ptr<persister::SimulatedDisk> disk;
    bool connected = false;
    bool paused = false;            // its service takes nothing
    int life = 0;                   // counts the instances
    std::vector<std::string> ends;  // of this life, by the server they lead to
  };

  // Takes what one life of a server applies.
  struct Reader {
    std::shared_ptr<ApplyChannel> channel;
    std::thread thread;
  };

  // What Begin() found.
  struct Baseline {
    Clock::time_point time;
    int64_t rpcs = 0;
    int64_t bytes = 0;
    raft::Index max_index = 0;
  };

  // One life of a server.
  struct Member {
    raft::ServerId server;
    int life;
    std::shared_ptr<Instance> instance;  // null while it is down
  };

  // cluster.cc
  labrpc::Observer MakeObserver() const;
  raft::Index MaxIndex() ABSL_LOCKS_EXCLUDED(mu_);
  bool TookTooLong();
  bool Finished() ABSL_LOCKS_EXCLUDED(mu_);
  template <typename Duration>
  Duration Hurried(Duration duration) const {
    return duration / options_.hurry;
  }
  void Sleep(std::chrono::milliseconds duration) const;

  // cluster_servers.cc
  static std::string NameOf(raft::ServerId server);
  std::vector<std::shared_ptr<rpc::ClientEnd>> MakeEnds(raft::ServerId server)
      ABSL_LOCKS_EXCLUDED(mu_);
  std::shared_ptr<persister::SimulatedDisk> DetachDisk(raft::ServerId server)
      ABSL_LOCKS_EXCLUDED(mu_);
  void WatchDisk(const Member& member, persister::SimulatedDisk* disk);
  Member MemberOf(raft::ServerId server) ABSL_LOCKS_EXCLUDED(mu_);
  raft::State StateOf(const Member& member);
  std::vector<Member> Connected() ABSL_LOCKS_EXCLUDED(mu_);
  void ForgetInstance(raft::ServerId server) ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<std::string> LinksLocked(raft::ServerId server,
                                       bool only_to_connected)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReadLoop(raft::ServerId server, ApplyChannel* channel);
  void AwaitService(raft::ServerId server) ABSL_LOCKS_EXCLUDED(mu_);
  void Record(raft::ServerId server, const raft::ApplyMsg& message)
      ABSL_LOCKS_EXCLUDED(mu_);
  void EndReader(raft::ServerId server);

  // cluster_checks.cc
  void FoundError(Failure error) ABSL_LOCKS_EXCLUDED(mu_);
  void CheckError(Place place) ABSL_LOCKS_EXCLUDED(mu_);
  bool AnyTermAbove(raft::Term term);
  std::optional<raft::Index> Submit(const Command& command, int* position);
  bool AwaitAgreement(raft::Index index, const Command& command, int servers,
                      Place place);

  Machine& MachineLocked(raft::ServerId server)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return machines_[static_cast<size_t>(server)];
  }

  // Immutable after construction.
  const int servers_;
  const ClusterOptions options_;
  const Place place_;  // of the test, for what fails at its end
  const Clock::time_point created_;

  // Both are synchronized by themselves. The observers may be told of saves by
  // instances that outlive this cluster.
  const Observers observers_;
  labrpc::Network network_;

  // Confined to the test's main thread.
  base::Random random_;
  std::vector<Reader> readers_;  // by server; those that are down have none
  std::vector<std::shared_ptr<Instance>> killed_;  // with keep_killed only
  Baseline baseline_;
  bool time_limit_reported_ = false;

  base::Mutex mu_;
  base::CondVar service_resumed_;
  std::vector<Machine> machines_ ABSL_GUARDED_BY(mu_);  // by server
  ApplyLog log_ ABSL_GUARDED_BY(mu_);
  std::optional<Failure> error_ ABSL_GUARDED_BY(mu_);  // the first one
  bool error_reported_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace harness

#endif  // TESTS_HARNESS_CLUSTER_H_
