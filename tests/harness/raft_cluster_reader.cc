// What the servers' services do: take what is applied, and have it checked.

#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tests/harness/raft_cluster.h"
#include "tests/harness/service_snapshot.h"

namespace harness {

// One incarnation's service: its state, and the thread that reads its apply
// channel.
//
// If it takes snapshots its state is all commands that it has applied, and it
// asks for the very next index, as the course's since 2022. It begins with what
// the snapshot on its disk covers; a Raft may deliver that once more, or go on
// after it.
class RaftCluster::Reader {
 public:
  Reader(RaftCluster* cluster, raft::ServerId server,
         std::shared_ptr<raft::Raft> raft,
         std::shared_ptr<raft::ApplyChannel> channel, const base::Rope& saved)
      : cluster_(cluster),
        server_(server),
        raft_(std::move(raft)),
        channel_(std::move(channel)) {
    if (!saved.empty()) Install(saved, /*index=*/std::nullopt);
    thread_ = std::thread([this] { ReadLoop(); });
  }

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
      cluster_->observers_.Tell(&ClusterObserver::OnApply, server_, *message);
      if (message->kind == raft::ApplyMsg::Kind::kCommand) {
        Apply(*message);
      } else if (TakesSnapshots()) {
        Install(message->snapshot, message->index);
      }
    }
  }

  bool TakesSnapshots() const {
    return cluster_->options_.snapshot_at != nullptr;
  }

  size_t Padding() const { return cluster_->options_.snapshot_padding; }

  void Apply(const raft::ApplyMsg& message) {
    if (!TakesSnapshots()) {
      cluster_->Record(server_, message);
      return;
    }
    if (message.index != applied_ + 1) {
      cluster_->FoundApplyError(absl::StrCat(
          "server ", server_, " apply out of order, expected index ",
          applied_ + 1, ", got ", message.index));
      return;
    }
    cluster_->Record(server_, message);
    applied_ = message.index;
    history_.Append(message.command);
    if (cluster_->options_.snapshot_at(server_, applied_)) {
      const base::Rope snapshot =
          MakeServiceSnapshot(history_, applied_, Padding());
      cluster_->observers_.Tell(&ClusterObserver::OnSnapshot, server_, applied_,
                                snapshot);
      raft_->Snapshot(applied_, snapshot);
    }
  }

  // Goes on from that snapshot, of that index if it is given.
  void Install(const base::Rope& snapshot, std::optional<raft::Index> index) {
    const std::optional<raft::Index> last =
        cluster_->RecordSnapshot(server_, snapshot, index);
    if (!last.has_value()) return;
    applied_ = *last;
    history_ = snapshot;
    history_.Truncate(history_.size() - Padding());
  }

  RaftCluster* const cluster_;
  const raft::ServerId server_;
  const std::shared_ptr<raft::Raft> raft_;
  const std::shared_ptr<raft::ApplyChannel> channel_;

  // The service's state: the constructor's, then the thread's.
  raft::Index applied_ = 0;
  base::Rope history_;  // the bytes of all commands up to applied_

  std::thread thread_;
};

std::shared_ptr<void> RaftCluster::MakeReader(
    raft::ServerId server, std::shared_ptr<raft::Raft> raft,
    std::shared_ptr<raft::ApplyChannel> channel, const base::Rope& saved) {
  return std::make_shared<Reader>(this, server, std::move(raft),
                                  std::move(channel), saved);
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
  absl::StatusOr<Command> command = DecodeCommand(message.command);
  std::optional<std::string> error;
  if (command.ok()) {
    base::MutexLock lock(&mu_);
    if (error_.has_value()) return;
    error = log_.Apply(server, message.index, *std::move(command));
  } else {
    error = absl::StrCat("server ", server, " command at index ", message.index,
                         ": ", command.status().message());
  }
  if (error.has_value()) FoundApplyError(*error);
}

std::optional<raft::Index> RaftCluster::RecordSnapshot(
    raft::ServerId server, const base::Rope& snapshot,
    std::optional<raft::Index> index) {
  if (snapshot.empty()) {
    FoundError({.message = "nil snapshot"});
    return std::nullopt;
  }
  absl::StatusOr<std::vector<Command>> commands =
      ReadServiceSnapshot(snapshot, options_.snapshot_padding);
  if (!commands.ok()) {
    FoundError({.message = "snapshot decode error"});
    return std::nullopt;
  }
  const raft::Index last = commands->size();
  std::optional<std::string> error;
  if (last != index.value_or(last)) {
    error = absl::StrCat("server ", server,
                         " snapshot doesn't match m.SnapshotIndex");
  } else {
    base::MutexLock lock(&mu_);
    error = log_.Install(server, *std::move(commands));
  }
  if (error.has_value()) {
    FoundApplyError(*error);
    return std::nullopt;
  }
  return last;
}

void RaftCluster::FoundApplyError(const std::string& error) {
  FoundError({.message = "apply error: " + error});
}

}  // namespace harness
