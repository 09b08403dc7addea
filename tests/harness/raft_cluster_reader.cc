// What the servers' services do: take what is applied, and have it checked.

#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tests/harness/raft_cluster.h"

namespace harness {

// One incarnation's apply channel, and the thread that reads it.
class RaftCluster::Reader {
 public:
  Reader(RaftCluster* cluster, raft::ServerId server,
         std::shared_ptr<raft::ApplyChannel> channel)
      : cluster_(cluster),
        server_(server),
        channel_(std::move(channel)),
        thread_([this] { ReadLoop(); }) {}

  // A Raft that is killed need not close its channel, so this does.
  ~Reader() {
    channel_->Close();
    thread_.join();
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

 private:
  void ReadLoop() {
    while (true) {
      cluster_->AwaitService(server_);
      const std::optional<raft::ApplyMsg> message = channel_->Receive();
      if (!message.has_value()) return;
      if (message->kind == raft::ApplyMsg::Kind::kCommand) {
        cluster_->Record(server_, *message);
      }
    }
  }

  RaftCluster* const cluster_;
  const raft::ServerId server_;
  const std::shared_ptr<raft::ApplyChannel> channel_;
  std::thread thread_;
};

std::shared_ptr<void> RaftCluster::MakeReader(
    raft::ServerId server, std::shared_ptr<raft::ApplyChannel> channel) {
  return std::make_shared<Reader>(this, server, std::move(channel));
}

void RaftCluster::PauseService(raft::ServerId server, bool paused) {
  base::MutexLock lock(&mu_);
  SlotLocked(server).paused = paused;
  service_resumed_.SignalAll();
}

void RaftCluster::AwaitService(raft::ServerId server) {
  base::MutexLock lock(&mu_);
  while (SlotLocked(server).paused) service_resumed_.Wait(&mu_);
}

void RaftCluster::Record(raft::ServerId server, const raft::ApplyMsg& message) {
  observers_.Tell(&ClusterObserver::OnApply, server, message);
  absl::StatusOr<Command> command = DecodeCommand(message.command);
  base::MutexLock lock(&mu_);
  if (error_.has_value()) return;  // the first one tells most
  const std::optional<std::string> error =
      command.ok()
          ? log_.Apply(server, message.index, *std::move(command))
          : absl::StrCat("server ", server, " command at index ", message.index,
                         ": ", command.status().message());
  if (error.has_value()) {
    error_ = Failure{.message = "apply error: " + *error};
  }
}

}  // namespace harness
