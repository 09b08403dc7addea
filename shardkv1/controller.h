// The controller of 2025: a library in a client, which changes the
// configuration and moves the shards by calls to their groups. No server runs
// for it; what must outlive it is in a key/value service (config_store.h).
//
// A change is posted as the next configuration before anything moves, and as
// the current one when everything has moved. So a controller that is started
// after another has died finishes what that one has begun. Several may run at
// the same time, cut-off ones among them: one of them wins the next number, and
// every step can be repeated.
//
// Thread safety: one call at a time; Close() from any thread.

#ifndef SHARDKV1_CONTROLLER_H_
#define SHARDKV1_CONTROLLER_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rpc/rpc.h"
#include "shardkv1/config.h"
#include "shardkv1/config_store.h"
#include "shardkv1/group_clients.h"
#include "shardkv1/messages.h"

namespace shardkv1 {

class Controller {
 public:
  // `store` leads to the servers that have the configurations, the ends that
  // `make_end` makes to those of the groups.
  Controller(std::vector<std::shared_ptr<rpc::ClientEnd>> store,
             MakeEnd make_end);

  // Makes this the first configuration; the groups have its shards already. An
  // error if there is another one.
  absl::Status InitConfig(const Config& config);

  // Finishes a change that another controller has left. Before any other call
  // but InitConfig().
  absl::Status InitController();

  // The current configuration.
  absl::StatusOr<Config> Query();

  // Makes `next`, which must follow the current configuration, the current one.
  // Returns when the groups that lose all their shards by that are not needed
  // any more, however long it takes. An error if another change was made
  // instead: then this one was not, unless another controller finishes it.
  absl::Status ChangeConfigTo(const Config& next);

  // Ends a call in progress, and all later ones at once.
  void Close();

 private:
  struct Posted {
    ConfigStore::Stored next;
    ConfigStore::Stored current;
  };

  absl::StatusOr<Posted> Read();
  absl::Status Carry(const ConfigStore::Stored& current, const Config& next);

  ConfigStore store_;
  ClientsForChanges clients_;
};

}  // namespace shardkv1

#endif  // SHARDKV1_CONTROLLER_H_
