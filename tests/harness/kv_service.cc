#include "tests/harness/kv_service.h"

#include <utility>

#include "kvraft/clerk.h"
#include "kvraft/server.h"

namespace harness {
namespace {

class LocalClerk : public KvClerk {
 public:
  explicit LocalClerk(Ends servers) : clerk_(std::move(servers)) {}

  absl::StatusOr<std::string> Get(const std::string& key) override {
    return clerk_.Get(key);
  }
  absl::Status Put(const std::string& key, const std::string& value) override {
    return clerk_.Put(key, value);
  }
  absl::Status Append(const std::string& key,
                      const std::string& value) override {
    return clerk_.Append(key, value);
  }
  kvraft::Reply GetVersioned(const std::string& key) override {
    return clerk_.GetVersioned(key);
  }
  kvraft::Err PutVersioned(const std::string& key, const std::string& value,
                           uint64_t version) override {
    return clerk_.PutVersioned(key, value, version);
  }
  uint64_t revision() const override { return clerk_.revision(); }
  void Close() override { clerk_.Close(); }

 private:
  kvraft::Clerk clerk_;
};

}  // namespace

std::unique_ptr<KvClerk> MakeKvClerk(Ends servers) {
  return std::make_unique<LocalClerk>(std::move(servers));
}

bool ClerksShareNothing() { return false; }

Node MakeKvServer(Ends ends, raft::ServerId me,
                  std::shared_ptr<persister::Persister> disk,
                  rsm::Options options) {
  const auto server = std::make_shared<kvraft::Server>(
      std::move(ends), me, std::move(disk), std::move(options));
  return {.services = server->Services(),
          .kill = [server] { server->Kill(); },
          .rest = server};
}

}  // namespace harness
