// A cluster of the course's test service on rsm/, for one test: a counter that
// every server has, and the course's helpers with their numbers and messages.
//
// Thread safety: one thread makes and ends the cluster, starts, crashes,
// connects and partitions servers; all else may be called from any thread of
// the test.
// Lock order: mu_ is a leaf.

#ifndef TESTS_HARNESS_RSM_CLUSTER_H_
#define TESTS_HARNESS_RSM_CLUSTER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "labrpc/tap.h"
#include "raft/types.h"
#include "rsm/rsm.h"
#include "tests/harness/failure.h"
#include "tests/harness/rsm_service.h"
#include "tests/harness/server_group.h"
#include "tests/harness/service_cluster.h"

namespace harness {

// What the servers of an RsmCluster are asked.
enum class CounterCommand : char {
  kInc = 'i',   // adds one; the result is the new value
  kNull = 'n',  // changes nothing
  kDec = 'd',   // must never be executed: it fails the test
};

// The bytes of a command, padded to about the size that the course's has in its
// log: so its limit for the log means the same.
std::string EncodeCounterCommand(CounterCommand command);

struct RsmClusterOptions {
  int servers = 3;
  std::optional<size_t> max_raft_state = {};  // without it: no snapshots
  labrpc::Tap tap = nullptr;
};

class RsmCluster {
 public:
  explicit RsmCluster(RsmClusterOptions options = {},
                      Place place = Place::Here());
  ~RsmCluster();
  RsmCluster(const RsmCluster&) = delete;
  RsmCluster& operator=(const RsmCluster&) = delete;

  // As ServiceCluster's.
  void Begin(std::string_view title) { stage_.Begin(title); }
  void End(Place place = Place::Here()) { stage_.End(place); }
  int size() const { return stage_.size(); }
  ServiceCluster& stage() { return stage_; }

  // Submits on that server, connected or not, and waits. Ends the test if a
  // check has failed meanwhile.
  rsm::Result Submit(raft::ServerId server, CounterCommand command,
                     Place place = Place::Here()) EXCLUDES(mu_);

  // Has a connected server of `part`, or any, execute the command; the course's
  // onePartition(). Asks one after another, first the one that answered last,
  // and pauses for 50 ms after a round. Returns the counter then; nothing after
  // 10 s, unless it is kept waiting by a Submit().
  using Part = std::optional<std::set<raft::ServerId>>;
  std::optional<int64_t> One(CounterCommand command,
                             const Part& part = std::nullopt,
                             Place place = Place::Here()) EXCLUDES(mu_);

  // Has any of them add one, and returns the counter; fails if none does.
  int64_t OneInc(Place place = Place::Here()) EXCLUDES(mu_);

  // The kind of a failed check that found `value` where `expected` should be: a
  // command that was lost, and asked for again, may rightly have been executed
  // twice.
  Kind KindOfValue(int64_t value, int64_t expected) EXCLUDES(mu_);

  // Waits until that many servers have exactly this value, some 25 s at most.
  void CheckCounter(int64_t value, int servers, Place place = Place::Here())
      EXCLUDES(mu_);

  // Cuts off the server that answered last.
  raft::ServerId DisconnectLeader() EXCLUDES(mu_);
  void Connect(raft::ServerId server) { stage_.group().Connect(server); }

  // Crashes all servers; starts them all, and then connects them.
  void Shutdown() { stage_.CrashAll(); }
  void StartServers();

  // The service on that server executes nothing more, until it is told to go on
  // or the server crashes.
  void PauseService(raft::ServerId server, bool paused) EXCLUDES(mu_);

  // The newest incarnation's.
  std::shared_ptr<RsmService> RsmOf(raft::ServerId server) EXCLUDES(mu_);

  // Ends all that waits in Submit(), now and later: the test is over.
  void Abandon() EXCLUDES(mu_);

 private:
  // The counter of one incarnation of a server.
  class Counter;
  struct Slot {
    std::shared_ptr<RsmService> rsm;
    std::shared_ptr<Counter> counter;
  };

  Node MakeServer(Ends ends, raft::ServerId me,
                  std::shared_ptr<persister::Persister> disk,
                  rsm::Options options) EXCLUDES(mu_);
  static void Kill(const Slot& slot);
  std::vector<int64_t> Values() EXCLUDES(mu_);
  raft::ServerId leader() EXCLUDES(mu_);

  base::Mutex mu_;
  std::vector<Slot> slots_ ABSL_GUARDED_BY(mu_);    // by server
  raft::ServerId leader_ ABSL_GUARDED_BY(mu_) = 0;  // answered last
  int64_t lost_ ABSL_GUARDED_BY(mu_) = 0;           // increments
  bool abandoned_ ABSL_GUARDED_BY(mu_) = false;

  ServiceCluster stage_;
};

}  // namespace harness

#endif  // TESTS_HARNESS_RSM_CLUSTER_H_
