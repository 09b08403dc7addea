// Moves the shards from one configuration to the next, all at the same time.
//
// Each step is asked for until it is answered, however long that takes, for the
// groups may be down. It may be repeated, by this controller or another.
//
// Thread safety: one thread makes and ends it. Lock order: mu_ is a leaf.

#ifndef SHARDKV1_CHANGE_H_
#define SHARDKV1_CHANGE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "rpc/rpc.h"
#include "rsm/clerk.h"
#include "shardkv1/config.h"
#include "shardkv1/group_clients.h"

namespace shardkv1 {

class Change {
 public:
  // Starts a thread for each shard that moves. It has the clients for itself;
  // when they are closed, the threads end.
  Change(const Config& from, const Config& to,
         std::shared_ptr<ClosableClients> clients);
  ~Change();  // Waits for the threads.
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

  // Waits until all threads have ended, but no longer than that.
  bool Await(std::chrono::milliseconds duration) EXCLUDES(mu_);

  // Whether every shard has moved; all threads have ended.
  bool HasSucceeded() EXCLUDES(mu_);

  // Closes the clients: the change has been finished by another controller. So
  // a call that a server would never answer ends too.
  void Stop();

 private:
  // Null: the shard comes from no group, or goes to none.
  struct Move {
    int32_t shard = 0;
    rsm::GroupClient* from = nullptr;
    rsm::GroupClient* to = nullptr;
  };

  bool Run(const Move& move);
  bool Copy(const Move& move);
  template <typename Args, typename Reply>
  std::optional<Reply> Ask(rsm::GroupClient* group,
                           const rpc::Method<Args, Reply>& method,
                           const Args& args);

  const int64_t num_;
  const std::shared_ptr<ClosableClients> clients_;

  base::Mutex mu_;
  base::CondVar ended_;
  size_t running_ ABSL_GUARDED_BY(mu_) = 0;  // threads
  bool failed_ ABSL_GUARDED_BY(mu_) = false;

  std::vector<std::thread> threads_;
};

}  // namespace shardkv1

#endif  // SHARDKV1_CHANGE_H_
