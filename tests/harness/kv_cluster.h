// A cluster of the key/value service (kvraft/), for one test: the course's
// "config" of lab 3, with its checks, messages and numbers.
//
// A test makes a cluster, calls Begin(), makes clients and threads that use
// them, cuts links, crashes and restarts servers, and calls End(). What the
// clients do is recorded from the moment that they begin it, and what the
// servers execute; CheckHistory() finds out whether that was linearizable.
//
// A failed check in any thread ends the test at once: calls of clients end, and
// with them the threads.
//
// Thread safety: one thread makes and ends the cluster, starts, crashes and
// partitions servers; all else may be called from any thread of the test. A
// client belongs to one thread at a time.
// Lock order: mu_ is a leaf.

#ifndef TESTS_HARNESS_KV_CLUSTER_H_
#define TESTS_HARNESS_KV_CLUSTER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "kvraft/messages.h"
#include "porcupine/history.h"
#include "raft/raft.h"
#include "raft/types.h"
#include "rsm/rsm.h"
#include "tests/harness/environment.h"
#include "tests/harness/failure.h"
#include "tests/harness/kv_history.h"
#include "tests/harness/kv_service.h"
#include "tests/harness/observer.h"
#include "tests/harness/service_cluster.h"

namespace harness {

// The tester's idea of a generous time for an election.
inline constexpr std::chrono::milliseconds kKvElectionTimeout(1000);

class KvCluster;

// A Clerk of either year, whose calls are recorded and counted. A call that the
// Clerk cannot complete fails the test.
class KvClient {
 public:
  // Calls of 2022.
  std::string Get(const std::string& key, Place place = Place::Here());
  void Put(const std::string& key, const std::string& value,
           Place place = Place::Here());
  void Append(const std::string& key, const std::string& value,
              Place place = Place::Here());

  // Calls of 2025; a Put may return kOk, kNoKey, kVersion and kMaybe.
  kvraft::Reply GetVersioned(const std::string& key,
                             Place place = Place::Here());
  kvraft::Err PutVersioned(const std::string& key, const std::string& value,
                           uint64_t version, Place place = Place::Here());

  // Of the last line's ops, as from the course's speed tests.
  void DoNotCount() { counts_ = false; }

  // Lets the client reach exactly those servers, or all.
  void Connect(const std::set<raft::ServerId>& servers);
  void ConnectAll();

  int id() const { return id_; }

 private:
  friend class KvCluster;

  KvClient(KvCluster* cluster, int id, Ends servers);
  // The event refers to key and value.
  OperationEvent Begin(porcupine::Kind kind, const std::string& key,
                       const std::string* value,
                       std::optional<uint64_t> version, Place place);
  void End(OperationEvent operation, const kvraft::Reply& reply,
           const absl::Status& error, Place place);
  void Write(porcupine::Kind kind, const std::string& key,
             const std::string& value, Place place);

  KvCluster* const cluster_;
  const int id_;
  bool counts_ = true;
  const std::unique_ptr<KvClerk> clerk_;
};

class KvCluster {
 public:
  struct Options {
    int servers = 5;
    bool reliable = true;
    Year year = Year::k2022;
    std::optional<size_t> max_raft_state = {};  // without it: no snapshots
    labrpc::Tap tap = nullptr;
    rsm::MakeRaft make_raft = raft::Make;  // what the servers stand on
    MakeObservers make_observers = TheEnvironment().make_observers;
  };

  explicit KvCluster(Options options, Place place = Place::Here());

  // Ends all that runs. If the test has failed, says too whether the history
  // was linearizable.
  ~KvCluster();
  KvCluster(const KvCluster&) = delete;
  KvCluster& operator=(const KvCluster&) = delete;

  // As ServiceCluster's. End() checks the history too.
  void Begin(std::string_view title) { stage_.Begin(title); }
  void End(Place place = Place::Here());

  int size() const { return stage_.size(); }
  ServiceCluster& stage() { return stage_; }
  KvHistory& history() { return history_; }

  // A client that can reach all servers, or those; its Clerk knows them in a
  // random order.
  std::shared_ptr<KvClient> MakeClient() EXCLUDES(mu_);
  std::shared_ptr<KvClient> MakeClient(const std::set<raft::ServerId>& servers)
      EXCLUDES(mu_);

  // Runs `body` on a thread of `threads`.
  void Spawn(TestThreads* threads, std::function<void()> body);

  // Runs `body` with clients 0, 1, ..., on threads of their own, and waits.
  using ClientBody = std::function<void(int number, KvClient* client)>;
  void SpawnClientsAndWait(int clients, const ClientBody& body);

  // Gets the key, and fails unless that is its value.
  void Check(KvClient* client, const std::string& key, const std::string& value,
             Place place = Place::Here());

  // Fails unless all that was done up to now is linearizable.
  void CheckHistory(Place place = Place::Here());

 private:
  friend class KvClient;

  Node MakeServer(Ends ends, raft::ServerId me,
                  std::shared_ptr<persister::Persister> disk,
                  rsm::Options options);
  void ReadAllKeys(Place place);
  void CloseClients() EXCLUDES(mu_);
  void TellVerdict(const KvHistory::Verdict& verdict);

  const Place place_;  // of the test, for what fails at its end
  KvHistory history_;
  bool history_reported_ = false;  // the main thread's

  base::Mutex mu_;
  base::Random random_ ABSL_GUARDED_BY(mu_);
  int clients_made_ ABSL_GUARDED_BY(mu_) = 0;
  bool clients_closed_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::weak_ptr<KvClient>> clients_ ABSL_GUARDED_BY(mu_);

  ServiceCluster stage_;
};

}  // namespace harness

#endif  // TESTS_HARNESS_KV_CLUSTER_H_
