// A client of the sharded key/value service of 2025.
//
// A Clerk asks the group that serves the key's shard by the configuration that
// it knows. Where the shard is not, or no server answers as the leader, it
// pauses, reads the current configuration, and goes on, for as long as that
// takes. A call ends early only with an error that says why: it is above the
// limits, or Close().
//
// Thread safety: one call at a time; Close() from any thread.

#ifndef SHARDKV1_CLERK_H_
#define SHARDKV1_CLERK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rpc/rpc.h"
#include "rsm/clerk.h"
#include "shardkv1/config.h"
#include "shardkv1/config_store.h"
#include "shardkv1/group_clients.h"
#include "shardkv1/messages.h"

namespace shardkv1 {

class Clerk {
 public:
  // `store` leads to the servers that have the configurations, the ends that
  // `make_end` makes to those of the groups.
  Clerk(std::vector<std::shared_ptr<rpc::ClientEnd>> store, MakeEnd make_end);

  Reply Get(const std::string& key);

  // Names the version that it replaces, 0 for none. kVersion, kNoKey: it was
  // certainly not executed, by any group; kMaybe: unknown.
  Reply Put(const std::string& key, const std::string& value, uint64_t version);

  // Ends a call in progress, and all later ones at once.
  void Close();

 private:
  template <typename Args>
  Reply Call(const rpc::Method<Args, Reply>& method, const Args& args,
             bool* maybe);

  rsm::Closing closing_;
  ConfigStore store_;
  GroupClients groups_;
  Config config_;  // the latest one it knows; num 0: none
};

}  // namespace shardkv1

#endif  // SHARDKV1_CLERK_H_
