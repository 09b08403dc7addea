// What a group's leader has to do besides serving: bring the group to the next
// configuration, get the shards that are coming, and have those deleted that
// have come.
//
// One thread, which works while its server leads. In each round it derives from
// the replicated state alone what there is to do, and starts what is not under
// way; so a new leader takes over without being told, and nothing is forgotten.
// It waits for no group and for no log: calls and entries are asynchronous, and
// their outcomes wake it, as each change of the state does. Each server of the
// controller is asked for the next configuration, and answers when it has one.
//
// A new leader first commits an entry of its own (5.4.2): until then it may
// not know what is committed, and no client need ever send it something that
// would do it. Other groups may be waiting for that very knowledge.
//
// Thread safety: safe. Lock order: mu_ is a leaf.

#ifndef SHARDKV_MANAGER_H_
#define SHARDKV_MANAGER_H_

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "raft/types.h"
#include "rpc/rpc.h"
#include "rsm/rsm.h"
#include "shardkv/group.h"
#include "shardkv/messages.h"

namespace shardkv {

class Manager {
 public:
  // `ctrlers` lead to the servers of the controller.
  Manager(std::vector<std::shared_ptr<rpc::ClientEnd>> ctrlers,
          MakeEnd make_end)
      : ctrlers_(std::move(ctrlers)), make_end_(std::move(make_end)) {}

  // Starts the thread. Stop() before `rsm` is killed; it must outlive that.
  void Start(rsm::Rsm* rsm);

  // Ends the thread, and calls of its that are under way. Outcomes of entries
  // may still arrive. Idempotent; one thread at a time.
  void Stop() EXCLUDES(mu_);

  // The state machine's: the state is this now.
  void OnMoves(const Transfers& moves) EXCLUDES(mu_);

  // That state.
  Transfers transfers() const EXCLUDES(mu_);

  // A part of a shard that is leaving.
  PullReply Read(const PullArgs& args) const EXCLUDES(mu_);

 private:
  using Clock = std::chrono::steady_clock;

  // What there is to do.
  struct Task {
    enum class Kind : uint8_t { kCommit, kQuery, kTake, kPull, kConfirm };
    Kind kind = Kind::kCommit;
    // kQuery: the number to ask for, and the server to ask.
    MoveId move = {};
    raft::Term term = 0;  // kCommit
    auto operator<=>(const Task&) const = default;
  };
  // How far that is.
  struct Progress {
    bool running = false;
    // When it is to be started; while it runs, when it is to be started again
    // all the same.
    Clock::time_point due = {};
    size_t attempts = 0;  // that were in vain
  };

  void Run() EXCLUDES(mu_);
  bool AwaitRound() EXCLUDES(mu_);
  std::vector<Task> TasksLocked(raft::Term term) const REQUIRES(mu_);
  std::vector<std::pair<Task, size_t>> TakeDue(raft::State state) EXCLUDES(mu_);
  void Start(const Task& task, size_t attempts);
  void Query(const Task& task);
  shardctrler::Config next() const EXCLUDES(mu_);
  template <typename T>
  T Find(std::map<MoveId, T> Transfers::*moves, const MoveId& move) const
      EXCLUDES(mu_);
  void Pull(const Task& task, size_t attempts);
  void Confirm(const Task& task, size_t attempts);
  void Submit(const Task& task, const Command& command) EXCLUDES(mu_);
  // The task is no longer under way; it is due again after `pause` unless it is
  // done.
  void End(const Task& task, bool in_vain, Clock::duration pause = {})
      EXCLUDES(mu_);
  void EndCall(const Task& task, size_t servers) EXCLUDES(mu_);
  std::shared_ptr<rpc::ClientEnd> EndOf(const Source& source, size_t attempts)
      EXCLUDES(mu_);

  const std::vector<std::shared_ptr<rpc::ClientEnd>> ctrlers_;
  const MakeEnd make_end_;
  rsm::Rsm* rsm_ = nullptr;  // set by Start()

  mutable base::Mutex mu_;
  base::CondVar woken_;
  bool wake_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  Transfers moves_ ABSL_GUARDED_BY(mu_);
  // Earlier ones, which the thread frees: a shard may take it long.
  std::vector<Transfers> outdated_ ABSL_GUARDED_BY(mu_);
  // The newest that the controller has answered.
  shardctrler::Config next_ ABSL_GUARDED_BY(mu_);
  raft::Term committed_term_ ABSL_GUARDED_BY(mu_) = 0;  // an entry of it has
  std::map<Task, Progress> tasks_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::shared_ptr<rpc::ClientEnd>> ends_
      ABSL_GUARDED_BY(mu_);  // by server name

  std::thread thread_;
};

}  // namespace shardkv

#endif  // SHARDKV_MANAGER_H_
