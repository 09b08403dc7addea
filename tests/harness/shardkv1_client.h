// Clients of the sharded key/value service of 2025 in a test: one that reads
// and writes, whose calls are recorded and counted, and a controller.
//
// Thread safety: a client belongs to one thread at a time; Close() from any.

#ifndef TESTS_HARNESS_SHARDKV1_CLIENT_H_
#define TESTS_HARNESS_SHARDKV1_CLIENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "kvraft/messages.h"
#include "labrpc/network.h"
#include "porcupine/history.h"
#include "rpc/rpc.h"
#include "shardkv1/config.h"
#include "shardkv1/messages.h"
#include "tests/harness/failure.h"
#include "tests/harness/kv_history.h"
#include "tests/harness/server_group.h"
#include "tests/harness/service_stage.h"
#include "tests/harness/shardkv1_service.h"

namespace harness {

// The ends of one client, which can be cut off from everything.
//
// Thread safety: safe. Lock order: mu_ -> the network's.
class ClientLinks {
 public:
  // `name` is the client's alone.
  ClientLinks(labrpc::Network* network, std::string name)
      : network_(network), name_(std::move(name)) {}

  std::shared_ptr<rpc::ClientEnd> MakeEnd(const std::string& server)
      EXCLUDES(mu_);
  void Connect(bool connected) EXCLUDES(mu_);

 private:
  labrpc::Network* const network_;
  const std::string name_;

  base::Mutex mu_;
  bool connected_ ABSL_GUARDED_BY(mu_) = true;
  std::vector<std::string> ends_ ABSL_GUARDED_BY(mu_);  // their names
};

// A call that the Clerk cannot complete fails the test.
class ShardKV1Client {
 public:
  ShardKV1Client(ServiceStage* stage, KvHistory* history, int id,
                 const std::vector<std::string>& store);

  // With the names and types of kvraft's. A Put may return kOk, kNoKey,
  // kVersion and kMaybe.
  kvraft::Reply GetVersioned(const std::string& key,
                             Place place = Place::Here());
  kvraft::Err PutVersioned(const std::string& key, const std::string& value,
                           uint64_t version, Place place = Place::Here());

  // Of the last line's ops.
  void DoNotCountPuts() { counts_puts_ = false; }
  void DoNotCount() { counts_gets_ = counts_puts_ = false; }

  int id() const { return id_; }
  void Close() { clerk_->Close(); }

 private:
  kvraft::Reply End(size_t operation, shardkv1::Reply reply, Place place);

  ServiceStage* const stage_;
  KvHistory* const history_;
  const int id_;
  bool counts_gets_ = true;
  bool counts_puts_ = true;
  const std::shared_ptr<ClientLinks> links_;
  const std::unique_ptr<ShardKV1Clerk> clerk_;
};

// A controller, as a client of its own.
class ShardKV1Controller {
 public:
  using Config = shardkv1::Config;

  ShardKV1Controller(ServiceStage* stage, int id,
                     const std::vector<std::string>& store);

  absl::Status InitConfig(const Config& config) {
    return library_->InitConfig(config);
  }
  absl::Status InitController() { return library_->InitController(); }
  absl::Status ChangeConfigTo(const Config& next) {
    return library_->ChangeConfigTo(next);
  }

  // If clients share nothing, it fails unless another controller is told of
  // that configuration, too, or of a later one: it could answer all by itself.
  absl::StatusOr<Config> Query(Place place = Place::Here());

  // Cuts it off from everything, or lets it reach all servers.
  void Connect(bool connected) { links_->Connect(connected); }

  void Close();

 private:
  ServiceStage* const stage_;
  const std::shared_ptr<ClientLinks> links_;
  const std::unique_ptr<ShardKV1Library> library_;
  const std::unique_ptr<ShardKV1Library> other_;  // null if all is shared
};

}  // namespace harness

#endif  // TESTS_HARNESS_SHARDKV1_CLIENT_H_
