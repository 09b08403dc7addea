// A client of the shard controller.
//
// A Clerk asks one server after the other until one answers as the leader, for
// as long as that takes, and remembers it. A call ends early only with an error
// that says why: the request makes no sense, there are no servers, or Close().
//
// Thread safety: one call at a time; Close() from any thread.

#ifndef SHARDCTRLER_CLERK_H_
#define SHARDCTRLER_CLERK_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rpc/rpc.h"
#include "rsm/clerk.h"
#include "shardctrler/config.h"
#include "shardctrler/messages.h"

namespace shardctrler {

class Clerk {
 public:
  explicit Clerk(std::vector<std::shared_ptr<rpc::ClientEnd>> servers);

  // The configuration of that number, or the latest one, which has all changes
  // that were completed before.
  absl::StatusOr<Config> Query(int64_t num = kLatest);

  // Changes, as in config.h. Each is executed exactly once, in a session that
  // the first one opens.
  absl::Status Join(const Groups& groups);
  absl::Status Leave(const std::vector<Gid>& gids);
  absl::Status Move(int shard, Gid gid);

  // Ends a call in progress, and all later ones at once.
  void Close();

 private:
  template <typename Args>
  absl::Status Change(const rpc::Method<Args, Reply>& method, Args args);

  rsm::Closing closing_;
  rsm::GroupClient servers_;
  rsm::ClientSession session_;
};

}  // namespace shardctrler

#endif  // SHARDCTRLER_CLERK_H_
