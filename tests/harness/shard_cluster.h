// The sharded key/value service (shardkv/), for one test: a controller of three
// servers and three groups of three, all on one network; the course's "config"
// of it, with its checks, messages and numbers.
//
// A failed check in any thread ends the test at once, and says where each group
// was: a Clerk never gives up, so most failures are calls that do not return.
//
// Thread safety: one thread makes and ends the cluster, starts and crashes
// servers; all else may be called from any thread of the test.
// Lock order: mu_ is a leaf.

#ifndef TESTS_HARNESS_SHARD_CLUSTER_H_
#define TESTS_HARNESS_SHARD_CLUSTER_H_

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
#include "shardctrler/config.h"
#include "shardkv/messages.h"
#include "tests/harness/closing.h"
#include "tests/harness/ctrler_client.h"
#include "tests/harness/environment.h"
#include "tests/harness/failure.h"
#include "tests/harness/kv_history.h"
#include "tests/harness/service_group.h"
#include "tests/harness/service_stage.h"
#include "tests/harness/shard_client.h"
#include "tests/harness/shard_service.h"

namespace harness {

class ShardCluster {
 public:
  static constexpr int kGroups = 3;
  static constexpr int kServers = 3;  // of a group, and of the controller

  struct Options {
    bool reliable = true;
    std::optional<size_t> max_raft_state = {};  // without it: no snapshots
    bool keeps_all = true;  // at the end all keys can still be read
    labrpc::Tap tap = nullptr;
    MakeObservers make_observers = TheEnvironment().make_observers;
  };

  // Starts all servers; no group has joined.
  explicit ShardCluster(const Options& options, Place place = Place::Here());

  // Ends all that runs.
  ~ShardCluster();
  ShardCluster(const ShardCluster&) = delete;
  ShardCluster& operator=(const ShardCluster&) = delete;

  // As ServiceStage's. End() checks too that the history is linearizable, that
  // each write was executed once, and, if all servers are up, AwaitRest().
  void Begin(std::string_view title) { stage_.Begin(title); }
  void End(Place place = Place::Here());
  ServiceStage& stage() { return stage_; }
  KvHistory& history() { return history_; }

  // Groups are 0, 1, 2 here; the controller knows them by these numbers.
  static shardctrler::Gid GidOf(int group) { return 100 + group; }
  ServiceGroup& group(int group) {
    return *groups_[static_cast<size_t>(group)];
  }
  ServiceGroup& ctrlers() { return ctrlers_; }
  CtrlerClient& ctrler() { return *ctrler_; }

  // One change of the controller, with all of these groups.
  void Join(const std::vector<int>& groups, Place place = Place::Here());
  void Leave(const std::vector<int>& groups, Place place = Place::Here());

  // A server keeps its disk, and no more.
  void StartServer(int group, raft::ServerId server);
  void ShutdownServer(int group, raft::ServerId server);
  void StartGroup(int group);
  void ShutdownGroup(int group);

  std::shared_ptr<ShardClient> MakeClient() { return MakeClient(&ctrlers_); }

  // Another controller, of which no group knows; at most one. A client of it,
  // and one that asks it for the groups.
  CtrlerClient* StartOtherCtrlers();
  std::shared_ptr<ShardClient> MakeClientOfOther() {
    return MakeClient(other_ctrlers_.get());
  }

  // Runs `body` on a thread of `threads`.
  void Spawn(TestThreads* threads, std::function<void()> body);

  // Fails unless Get() returns that value.
  void Check(ShardClient* client, const std::string& key,
             const std::string& value, Place place = Place::Here());

  // The same by a new client, if Clerks share nothing: for a test whose End()
  // reads no keys.
  void CheckLasting(const std::string& key, const std::string& value,
                    Place place = Place::Here());

  // The course's checklogs(): no raft state is much larger than the limit, and
  // without a limit there are no snapshots.
  void CheckLogs(Place place = Place::Here());

  // The bytes on all disks of the groups.
  size_t TotalBytes();

  // What that server knows of its group; nothing if it is down.
  std::optional<shardkv::Moves> MovesOf(int group, raft::ServerId server)
      EXCLUDES(mu_);

  // Waits until all groups are at the latest configuration, each shard is at
  // its owner, and nothing of it is anywhere else. All servers must be up.
  void AwaitRest(Place place = Place::Here());

  // Where each group is: a line for each server.
  std::string Describe();

 private:
  // The ends from a server to the controller, by name; they end with it.
  struct Slot {
    std::function<std::optional<shardkv::Moves>()> moves;
    std::vector<std::string> ctrler_ends;
  };

  ServiceGroup::MakeService ObservedCtrlers();
  std::unique_ptr<ServiceGroup> MakeGroup(int group, const Options& options);
  Node MakeServer(int group, Ends ends, raft::ServerId me,
                  std::shared_ptr<persister::Persister> disk,
                  rsm::Options options) EXCLUDES(mu_);
  std::shared_ptr<rpc::ClientEnd> MakeEnd(const std::string& server,
                                          std::string* name = nullptr);
  Ends MakeEndsTo(const ServiceGroup& ctrlers,
                  std::vector<std::string>* names = nullptr);
  std::shared_ptr<ShardClient> MakeClient(ServiceGroup* ctrlers);
  std::shared_ptr<CtrlerClient> MakeCtrlerClient(const ServiceGroup& ctrlers);
  OnMoves Watch(shardctrler::Gid gid, raft::ServerId server, rsm::Hooks* hooks);
  void Found(const std::optional<std::string>& error);
  bool IsAtRest(int group, int64_t num);
  bool AllAreUp();
  void OnFailure();

  const std::optional<size_t> max_raft_state_;
  const bool keeps_all_;
  KvHistory history_{/*reads_log=*/false};
  const std::unique_ptr<ShardRules> judge_ = MakeShardRules();
  Closing closing_;
  std::atomic<int> ends_made_ = 0;
  std::atomic<int> clients_made_ = 0;

  base::Mutex mu_;
  std::map<std::pair<int, raft::ServerId>, Slot> slots_ ABSL_GUARDED_BY(mu_);

  ServiceStage stage_;
  ServiceGroup ctrlers_;
  std::vector<std::unique_ptr<ServiceGroup>> groups_;
  std::unique_ptr<ServiceGroup> other_ctrlers_;
  std::shared_ptr<CtrlerClient> ctrler_;
  std::shared_ptr<CtrlerClient> other_ctrler_;
};

}  // namespace harness

#endif  // TESTS_HARNESS_SHARD_CLUSTER_H_
