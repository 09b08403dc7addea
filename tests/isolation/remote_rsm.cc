// rsm::Rsm for tests in which it runs in other processes, one for each server.
// Its state machine stays here: what a server has executed, and in which order,
// the tests see themselves.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "base/mutex.h"
#include "labrpc/timer_queue.h"
#include "rpc/codec.h"
#include "rsm/rsm.h"
#include "rsm/state_machine.h"
#include "tests/harness/rsm_service.h"
#include "tests/isolation/raft_process.h"
#include "tests/isolation/remote.h"
#include "tests/isolation/remote_service.h"
#include "tests/isolation/service_wire.h"
#include "tests/isolation/wire.h"

namespace isolation {
namespace {

// Leads to the machine, as if it were one more peer.
//
// Thread safety: safe.
class MachineEnd : public rpc::ClientEnd {
 public:
  explicit MachineEnd(std::unique_ptr<rsm::StateMachine> machine)
      : machine_(std::move(machine)) {}

  void Close() override { executor_.Shutdown(); }

 protected:
  std::optional<std::string> CallFrame(std::string_view /*method*/,
                                       rpc::Frame /*args*/) override {
    LOG(FATAL) << "the machine is called for another process only";
  }

  void CallFrameAsync(std::string_view method, rpc::Frame args,
                      DoneBytes done) override {
    executor_.After(
        std::chrono::seconds(0),
        [this, method = std::string(method), args = std::move(args).ToString(),
         done = std::move(done)] { done(Execute(method, args)); });
  }

 private:
  std::string Execute(const std::string& method, const std::string& args) {
    if (method == kMachineApply.name) return machine_->Apply(args);
    if (method == kMachineSnapshot.name) return machine_->Snapshot().ToString();
    CHECK(method == kMachineRestore.name)
        << "the process under test asks a machine for " << method;
    const absl::Status status = machine_->Restore(args);
    CHECK(status.ok()) << "the process under test restores no snapshot: "
                       << status.message();
    return "";
  }

  const std::unique_ptr<rsm::StateMachine> machine_;
  labrpc::TimerQueue executor_;  // one call after another
};

class RemoteRsm : public harness::RsmService {
 public:
  explicit RemoteRsm(RemoteServer server) : server_(std::move(server)) {}
  ~RemoteRsm() override { Kill(); }

  rsm::Result Submit(std::string_view command) override {
    return Decode(server_.remote().Ask(Kind::kSubmit, "", command));
  }

  void SubmitAsync(std::string_view command, rsm::Rsm::Done done) override {
    server_.remote().AskAsync(
        Kind::kSubmit, "", command,
        [done = std::move(done)](
            const std::optional<std::string>& answer) mutable {
          done(Decode(answer));
        });
  }

  void Kill() override EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    if (!std::exchange(is_killed_, true)) server_.Kill();
  }

 private:
  static rsm::Result Decode(const std::optional<std::string>& bytes) {
    if (!bytes.has_value()) return {rsm::Outcome::kLost, ""};
    auto answer = DecodeOrDie<SubmitAnswer>(*bytes);
    CHECK(answer.outcome <= rsm::Outcome::kTooLarge)
        << "the process under test: Submit() returns no Outcome";
    return {answer.outcome, std::move(answer.value)};
  }

  const RemoteServer server_;

  base::Mutex mu_;  // a second caller of Kill() waits for the first
  bool is_killed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace
}  // namespace isolation

namespace harness {

RsmNode MakeRsmNode(Ends ends, raft::ServerId me,
                    std::shared_ptr<persister::Persister> disk,
                    std::unique_ptr<rsm::StateMachine> machine,
                    rsm::Options options) {
  ends.push_back(std::make_shared<isolation::MachineEnd>(std::move(machine)));
  const isolation::RemoteServer server(
      {.what = isolation::MakeArgs::What::kRsm, .me = me}, std::move(ends),
      std::move(disk), std::move(options));
  return {.rsm = std::make_shared<isolation::RemoteRsm>(server),
          .node = {.services = server.Services(),
                   .kill = nullptr,
                   .rest = nullptr,
                   .raft = server.Raft()}};
}

}  // namespace harness
