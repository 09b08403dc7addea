#include "shardkv1/config_store.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kvraft/messages.h"
#include "rpc/codec.h"

namespace shardkv1 {
namespace {

absl::Status ErrorOf(kvraft::Err err) {
  return absl::CancelledError(absl::StrCat("configurations: ", Name(err)));
}

}  // namespace

absl::StatusOr<ConfigStore::Stored> ConfigStore::Get(const std::string& key) {
  const kvraft::Reply reply = clerk_.GetVersioned(key);
  if (reply.err == kvraft::Err::kNoKey) return Stored();
  if (reply.err != kvraft::Err::kOk) return ErrorOf(reply.err);
  absl::StatusOr<Config> config = rpc::Decode<Config>(reply.value);
  if (!config.ok()) return config.status();
  return Stored{reply.version, *std::move(config)};
}

// When the answer was lost, the content tells whose Put was executed: another
// controller's may have the same number.
absl::StatusOr<bool> ConfigStore::Put(const std::string& key,
                                      const Config& config, uint64_t version) {
  const kvraft::Err err =
      clerk_.PutVersioned(key, rpc::Encode(config), version);
  switch (err) {
    case kvraft::Err::kOk:
      return true;
    case kvraft::Err::kVersion:
      return false;
    case kvraft::Err::kMaybe: {
      const absl::StatusOr<Stored> stored = Get(key);
      if (!stored.ok()) return stored.status();
      return stored->config == config;
    }
    default:
      return ErrorOf(err);
  }
}

}  // namespace shardkv1
