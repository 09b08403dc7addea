// Where the configurations are: two keys of a key/value service (kvraft/),
// whose Puts name the version that they replace. So of several controllers that
// make a change at the same time one makes it.
//
// Thread safety: one call at a time; Close() from any thread.

#ifndef SHARDKV1_CONFIG_STORE_H_
#define SHARDKV1_CONFIG_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "kvraft/clerk.h"
#include "rpc/rpc.h"
#include "shardkv1/config.h"

namespace shardkv1 {

class ConfigStore {
 public:
  // The configuration that the groups and the Clerks have, and the one to which
  // a change is being made; the same if there is none.
  static constexpr char kCurrent[] = "current";
  static constexpr char kNext[] = "next";

  explicit ConfigStore(std::vector<std::shared_ptr<rpc::ClientEnd>> servers)
      : clerk_(std::move(servers)) {}

  // Returns what is there; version 0: nothing is. It asks for as long as it
  // takes: an error means Close().
  struct Stored {
    uint64_t version = 0;
    Config config = {};
  };
  absl::StatusOr<Stored> Get(const std::string& key);

  // Replaces what has that version. Returns whether `config` is there now, and
  // false if something else has been put there.
  absl::StatusOr<bool> Put(const std::string& key, const Config& config,
                           uint64_t version);

  // Ends a call in progress, and all later ones at once.
  void Close() { clerk_.Close(); }

 private:
  kvraft::Clerk clerk_;
};

}  // namespace shardkv1

#endif  // SHARDKV1_CONFIG_STORE_H_
