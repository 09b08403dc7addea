// The key/value service for tests in which it runs in other processes: each
// server of it and each Clerk has one of its own, so that they share nothing
// but what goes over the tests' network.

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/logging.h"
#include "kvraft/messages.h"
#include "rsm/rsm.h"
#include "tests/harness/kv_log.h"
#include "tests/harness/kv_service.h"
#include "tests/isolation/remote_service.h"
#include "tests/isolation/service_wire.h"
#include "tests/isolation/wire.h"

namespace isolation {
namespace {

class RemoteKvClerk : public harness::KvClerk {
 public:
  explicit RemoteKvClerk(Ends servers)
      : clerk_(MakeArgs::What::kClerk, std::move(servers)) {}

  absl::StatusOr<std::string> Get(const std::string& key) override {
    ClerkAnswer answer = Call({.method = ClerkCall::Method::kGet, .key = key});
    if (answer.failed) return absl::UnknownError(answer.error);
    return std::move(answer.value);
  }
  absl::Status Put(const std::string& key, const std::string& value) override {
    return Write(ClerkCall::Method::kPut, key, value);
  }
  absl::Status Append(const std::string& key,
                      const std::string& value) override {
    return Write(ClerkCall::Method::kAppend, key, value);
  }

  kvraft::Reply GetVersioned(const std::string& key) override {
    ClerkAnswer answer =
        Call({.method = ClerkCall::Method::kGetVersioned, .key = key});
    return {.err = answer.err,
            .value = std::move(answer.value),
            .version = answer.version};
  }
  kvraft::Err PutVersioned(const std::string& key, const std::string& value,
                           uint64_t version) override {
    return Call({ClerkCall::Method::kPutVersioned, key, value, version}).err;
  }

  // What it says of the log, nothing here could compare with the log.
  uint64_t revision() const override { return 0; }

  void Close() override { clerk_.Close(); }

 private:
  ClerkAnswer Call(const ClerkCall& call) {
    auto answer = clerk_.Ask<ClerkAnswer>(call);
    CHECK(answer.err <= kvraft::Err::kClosed)
        << "the process under test: a Clerk returns no Err";
    return answer;
  }

  absl::Status Write(ClerkCall::Method method, const std::string& key,
                     const std::string& value) {
    const ClerkAnswer answer = Call({method, key, value});
    return answer.failed ? absl::UnknownError(answer.error) : absl::OkStatus();
  }

  const RemoteClerk clerk_;
};

}  // namespace
}  // namespace isolation

namespace harness {

std::unique_ptr<KvClerk> MakeKvClerk(Ends servers) {
  return std::make_unique<isolation::RemoteKvClerk>(std::move(servers));
}

bool ClerksShareNothing() { return true; }

Node MakeKvServer(Ends ends, raft::ServerId me,
                  std::shared_ptr<persister::Persister> disk,
                  rsm::Options options) {
  return isolation::NodeOf(isolation::RemoteServer(
      {.what = isolation::MakeArgs::What::kServer, .me = me}, std::move(ends),
      std::move(disk), std::move(options)));
}

// kv_log.h: no entry is seen here.
bool CanReadLog() { return false; }

KvExecution ReadExecution(std::string_view, std::string_view) {
  LOG(FATAL) << "the log is in other processes";
}

std::string ShowKvCommand(std::string_view) { return ""; }

}  // namespace harness
