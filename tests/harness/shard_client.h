// A client of the sharded key/value service in a test, whose calls are recorded
// and counted. A call that cannot be completed fails the test.
//
// Thread safety: a client belongs to one thread at a time; Close() from any.

#ifndef TESTS_HARNESS_SHARD_CLIENT_H_
#define TESTS_HARNESS_SHARD_CLIENT_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "porcupine/history.h"
#include "shardkv/messages.h"
#include "tests/harness/failure.h"
#include "tests/harness/kv_history.h"
#include "tests/harness/observer.h"
#include "tests/harness/server_group.h"
#include "tests/harness/service_stage.h"
#include "tests/harness/shard_service.h"

namespace harness {

class ShardClient {
 public:
  ShardClient(ServiceStage* stage, KvHistory* history, int id, Ends ctrlers,
              shardkv::MakeEnd make_end)
      : stage_(stage),
        history_(history),
        id_(id),
        clerk_(MakeShardClerk(std::move(ctrlers), std::move(make_end))) {}

  std::string Get(const std::string& key, Place place = Place::Here());
  void Put(const std::string& key, const std::string& value,
           Place place = Place::Here());
  void Append(const std::string& key, const std::string& value,
              Place place = Place::Here());

  // Gets without being recorded; nothing if the client has been closed.
  std::optional<std::string> TryGet(const std::string& key);

  int id() const { return id_; }
  void Close() { clerk_->Close(); }

 private:
  OperationEvent Begin(porcupine::Kind kind, const std::string& key,
                       const std::string* value, Place place);
  void End(OperationEvent operation, std::string value,
           const absl::Status& error, Place place);

  ServiceStage* const stage_;
  KvHistory* const history_;
  const int id_;
  const std::unique_ptr<ShardClerk> clerk_;
};

}  // namespace harness

#endif  // TESTS_HARNESS_SHARD_CLIENT_H_
