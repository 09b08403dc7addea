// The sharded key/value service of 2025 (shardkv1/), for one test: the server
// that has the configurations, groups of three servers that come and go, and
// clients, all on one network.
//
// A failed check in any thread ends the test at once, and says where each group
// was: Clerks and controllers never give up, so most failures are calls that do
// not return.
//
// Thread safety: safe, but for making and ending it; a group is started and
// shut down by one thread at a time.
// Lock order: mu_ is a leaf.

#ifndef TESTS_HARNESS_SHARDKV1_CLUSTER_H_
#define TESTS_HARNESS_SHARDKV1_CLUSTER_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "labrpc/network.h"
#include "shardkv1/config.h"
#include "shardkv1/messages.h"
#include "tests/harness/closing.h"
#include "tests/harness/environment.h"
#include "tests/harness/failure.h"
#include "tests/harness/kv_history.h"
#include "tests/harness/service_group.h"
#include "tests/harness/service_stage.h"
#include "tests/harness/shardkv1_client.h"
#include "tests/harness/shardkv1_service.h"

namespace harness {

class ShardKV1Cluster {
 public:
  static constexpr int kServers = 3;  // of a group

  struct Options {
    bool reliable = true;
    std::optional<size_t> max_raft_state = {};  // without it: no snapshots
    bool keeps_all = true;  // at the end all keys can still be read
    labrpc::Tap tap = nullptr;
    MakeObservers make_observers = TheEnvironment().make_observers;
  };

  // Starts the server that has the configurations; there is none yet.
  explicit ShardKV1Cluster(Options options, Place place = Place::Here());

  // Ends all that runs.
  ~ShardKV1Cluster();
  ShardKV1Cluster(const ShardKV1Cluster&) = delete;
  ShardKV1Cluster& operator=(const ShardKV1Cluster&) = delete;

  // As ServiceStage's. End() checks too that the history is linearizable.
  void Begin(std::string_view title) { stage_.Begin(title); }
  void End(Place place = Place::Here());
  ServiceStage& stage() { return stage_; }

  // Starts the servers of the group, with the disks that they had, if any.
  void StartGroup(shardkv1::Gid gid) EXCLUDES(mu_);
  void ShutdownGroup(shardkv1::Gid gid);
  // REQUIRES: it has been started, perhaps long ago.
  ServiceGroup& group(shardkv1::Gid gid) EXCLUDES(mu_);
  static std::vector<std::string> ServersOf(shardkv1::Gid gid);

  std::shared_ptr<ShardKV1Client> MakeClient();
  std::shared_ptr<ShardKV1Controller> MakeController();

  // Fails unless all that was done up to now is linearizable.
  void CheckHistory(Place place = Place::Here());

  // Where each group is: a line for each server.
  std::string Describe() EXCLUDES(mu_);

 private:
  using Groups = std::map<shardkv1::Gid, std::shared_ptr<ServiceGroup>>;
  using Statuses = std::function<std::optional<shardkv1::ShardStatuses>()>;

  std::shared_ptr<ServiceGroup> MakeGroup(shardkv1::Gid gid);
  Node MakeServer(shardkv1::Gid gid, Ends ends, raft::ServerId me,
                  std::shared_ptr<persister::Persister> disk,
                  rsm::Options options) EXCLUDES(mu_);
  Groups AllGroups() EXCLUDES(mu_);
  void ReadAllKeys(Place place);
  std::optional<shardkv1::ShardStatuses> StatusesOf(shardkv1::Gid gid,
                                                    raft::ServerId server)
      EXCLUDES(mu_);
  void OnFailure();

  const Options options_;
  KvHistory history_{/*reads_log=*/false};
  Closing closing_;
  std::atomic<int> clients_made_ = 0;

  base::Mutex mu_;
  ServiceStage stage_;
  ServiceGroup store_;
  Groups groups_ ABSL_GUARDED_BY(mu_);
  std::map<std::pair<shardkv1::Gid, raft::ServerId>, Statuses> statuses_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace harness

#endif  // TESTS_HARNESS_SHARDKV1_CLUSTER_H_
