// A client of the sharded key/value service.
//
// A Clerk asks the group that serves the key's shard by the configuration that
// it knows, one server after the other, and remembers which one leads. Where
// the shard is not, or no server answers as the leader, it pauses, asks the
// controller for the latest configuration, and goes on, for as long as that
// takes. A call ends early only with an error that says why: it is above the
// limits, or Close().
//
// Thread safety: one call at a time; Close() from any thread.

#ifndef SHARDKV_CLERK_H_
#define SHARDKV_CLERK_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rpc/rpc.h"
#include "rsm/clerk.h"
#include "shardctrler/clerk.h"
#include "shardctrler/config.h"
#include "shardkv/messages.h"

namespace shardkv {

class Clerk {
 public:
  // `ctrlers` lead to the servers of the controller, the ends that `make_end`
  // makes to those of the groups.
  Clerk(std::vector<std::shared_ptr<rpc::ClientEnd>> ctrlers, MakeEnd make_end)
      : make_end_(std::move(make_end)), ctrler_(std::move(ctrlers)) {}

  // A write is executed exactly once, in a session that the first one to its
  // shard opens. The value is "" if the key does not exist.
  absl::StatusOr<std::string> Get(const std::string& key);
  absl::Status Put(const std::string& key, const std::string& value);
  absl::Status Append(const std::string& key, const std::string& value);

  // The revision of the last answer (messages.h); 0: it has none.
  uint64_t revision() const { return revision_; }

  // Ends a call in progress, and all later ones at once.
  void Close();

 private:
  template <typename Args, typename Reply>
  Reply Call(const rpc::Method<Args, Reply>& method, int shard,
             const Args& args, bool* maybe);
  rsm::GroupClient* GroupOf(int shard);
  absl::Status Write(PutAppendArgs args);

  const MakeEnd make_end_;
  rsm::Closing closing_;
  shardctrler::Clerk ctrler_;
  bool is_configured_ = false;
  shardctrler::Config config_;  // then the latest one it knows
  std::map<std::vector<std::string>, rsm::GroupClient> groups_;  // by servers
  std::array<rsm::ClientSession, shardctrler::kShards> sessions_;
  uint64_t revision_ = 0;
};

}  // namespace shardkv

#endif  // SHARDKV_CLERK_H_
