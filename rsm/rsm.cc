#include "rsm/rsm.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "rpc/codec.h"

namespace rsm {
namespace {

using base::MutexLock;
using Kind = raft::ApplyMsg::Kind;

// How many messages Raft may deliver before the reader takes them.
constexpr size_t kChannelCapacity = 1024;

// "RSM1", as it lies on the disk. A format that is not compatible gets another.
constexpr uint32_t kSnapshotFormat = 0x314d5352;

// What stands in front of the machine's bytes in a snapshot.
struct SnapshotHeader {
  uint32_t format = kSnapshotFormat;
  raft::Index last_applied = 0;  // the machine's state is that after this entry

  auto Fields() { return std::tie(format, last_applied); }
};

// Takes the header off the snapshot.
absl::StatusOr<SnapshotHeader> TakeHeader(base::Rope* snapshot) {
  static const size_t size = rpc::Encode(SnapshotHeader()).size();
  std::string bytes;
  snapshot->CopyTo(0, std::min(size, snapshot->size()), &bytes);
  absl::StatusOr<SnapshotHeader> header = rpc::Decode<SnapshotHeader>(bytes);
  if (header.ok() && header->format != kSnapshotFormat) {
    return absl::DataLossError("it is not of an Rsm, or of another format");
  }
  if (header.ok()) snapshot->RemovePrefix(size);
  return header;
}

// Whose reader the calling thread is. Its id would not tell: when a thread has
// been joined another one may get it.
thread_local const Rsm* read_by_this_thread = nullptr;

// The outcome of a command that a thread waits for.
class PendingResult {
 public:
  void Set(Result result) EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    result_ = std::move(result);
    // Under the lock: once it is free this object may be gone.
    set_.Signal();
  }

  Result Await() EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    while (!result_.has_value()) set_.Wait(&mu_);
    return *std::move(result_);
  }

 private:
  base::Mutex mu_;
  base::CondVar set_;
  std::optional<Result> result_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

Rsm::Rsm(std::vector<std::shared_ptr<rpc::ClientEnd>> peers, raft::ServerId me,
         std::shared_ptr<persister::Persister> persister,
         std::unique_ptr<StateMachine> machine, Options options)
    : log_name_(absl::StrCat(options.raft.name,
                             options.raft.name.empty() ? "S" : "/S", me)),
      max_raft_state_(options.max_raft_state),
      hooks_(std::move(options.hooks)),
      persister_(std::move(persister)),
      applied_(std::make_shared<raft::ApplyChannel>(kChannelCapacity)),
      machine_(std::move(machine)) {
  CHECK(machine_ != nullptr) << "Rsm: the state machine is null";
  CHECK(persister_ != nullptr) << "Rsm: the persister is null";
  const base::Rope saved = persister_->ReadSnapshot();
  if (!saved.empty()) Restore(saved, /*index=*/std::nullopt);
  options.raft.announce_state = true;
  raft_ = options.make_raft(std::move(peers), me, persister_, applied_,
                            std::move(options.raft));
  reader_ = std::thread([this] {
    read_by_this_thread = this;
    ReadLoop();
  });
}

Rsm::~Rsm() { Kill(); }

Result Rsm::Submit(std::string_view command) {
  base::Mutex::AssertNoneHeld("Rsm::Submit()");
  CHECK(read_by_this_thread != this)
      << "Rsm::Submit() is called by the reader, which would wait for itself";
  PendingResult pending;
  SubmitAsync(command,
              [&pending](Result result) { pending.Set(std::move(result)); });
  return pending.Await();
}

void Rsm::SubmitAsync(std::string_view command, Done done) {
  const std::optional<Outcome> refused = StartOrRefuse(command, &done);
  if (refused.has_value()) done({*refused, {}});
}

// The entry may commit, and be delivered, before Start() has returned. The
// reader takes the lock after it has received an entry and before it looks for
// its waiter, so the lock is held until the waiter is there.
std::optional<Outcome> Rsm::StartOrRefuse(std::string_view command,
                                          Done* done) {
  MutexLock lock(&mu_);
  if (closed_) return Outcome::kNotLeader;
  const raft::StartResult started = raft_->Start(command);
  if (started.too_large) return Outcome::kTooLarge;
  if (!started.is_leader) return Outcome::kNotLeader;
  waiters_.push_back({started.index, started.term, std::move(*done)});
  return std::nullopt;
}

void Rsm::Kill() {
  CHECK(read_by_this_thread != this)
      << "Rsm::Kill() is called by the reader, which it joins";
  {
    MutexLock lock(&mu_);
    if (killed_) {
      while (!all_joined_) joined_.Wait(&mu_);
      return;
    }
    killed_ = true;
    closed_ = true;
  }
  applied_->Close();  // first, so that no waiter waits for what Raft joins
  raft_->Kill();
  reader_.join();

  MutexLock lock(&mu_);
  all_joined_ = true;
  joined_.SignalAll();
}

void Rsm::ReadLoop() {
  while (true) {
    const std::vector<raft::ApplyMsg> batch = applied_->ReceiveBatch();
    if (batch.empty()) break;
    std::vector<Waiter> settled = TakeSettled(batch);
    auto next = settled.begin();
    for (const raft::ApplyMsg& message : batch) {
      std::optional<std::string> result = Execute(message);
      for (; next != settled.end() && Settles(message, *next); ++next) {
        Answer(message, &result, &*next);
      }
    }
    TakeSnapshotIfDue();
  }
  for (Waiter& waiter : TakeAll()) waiter.done({Outcome::kLost, {}});
}

// A waiter's entry is gone as soon as another one is committed at its index, or
// this server is in a newer term: then it may be that nothing is ever applied
// at that index. An entry of a newer term says so too, for terms never decrease
// along the log.
//
// That this server does not lead the waiter's own term says nothing: it has
// been announced before it was elected. A leader leaves its office for a newer
// term only.
bool Rsm::Settles(const raft::ApplyMsg& message, const Waiter& waiter) {
  return message.term > waiter.term ||
         (message.kind != Kind::kState && message.index >= waiter.index);
}

// Takes the waiters that these messages settle: all before the first one that
// they do not. Each of them is answered when its message has been executed, and
// the lock is taken once for all.
std::vector<Rsm::Waiter> Rsm::TakeSettled(
    const std::vector<raft::ApplyMsg>& batch) {
  std::vector<Waiter> settled;
  MutexLock lock(&mu_);
  for (const raft::ApplyMsg& message : batch) {
    while (!waiters_.empty() && Settles(message, waiters_.front())) {
      settled.push_back(std::move(waiters_.front()));
      waiters_.pop_front();
    }
  }
  return settled;
}

Rsm::Waiters Rsm::TakeAll() {
  MutexLock lock(&mu_);
  closed_ = true;
  return std::exchange(waiters_, {});
}

// The result goes to the waiter of that very entry, if there is one.
void Rsm::Answer(const raft::ApplyMsg& message,
                 std::optional<std::string>* result, Waiter* waiter) {
  const bool executed = result->has_value() && message.index == waiter->index &&
                        message.term == waiter->term;
  Done done = std::move(waiter->done);
  if (executed) {
    done({Outcome::kDone, *std::exchange(*result, std::nullopt)});
  } else {
    done({Outcome::kLost, {}});
  }
}

// Returns the result of the command that was executed, if one was.
std::optional<std::string> Rsm::Execute(const raft::ApplyMsg& message) {
  if (message.kind == Kind::kState) return std::nullopt;
  if (hooks_.on_apply) hooks_.on_apply(message);
  // The state that was restored has it already.
  if (message.index <= last_applied_) return std::nullopt;
  if (message.kind == Kind::kSnapshot) {
    Restore(message.snapshot, message.index);
    return std::nullopt;
  }
  CHECK(message.index == last_applied_ + 1)
      << log_name_ << ": Raft delivers index " << message.index << " after "
      << last_applied_;
  std::string result = machine_->Apply(message.command);
  last_applied_ = message.index;
  if (hooks_.on_executed) hooks_.on_executed(message, result);
  return result;
}

// Replaces the machine's state by a snapshot, of that index if it is given.
void Rsm::Restore(base::Rope snapshot, std::optional<raft::Index> index) {
  const absl::StatusOr<SnapshotHeader> header = TakeHeader(&snapshot);
  absl::Status status = header.status();
  if (status.ok() &&
      header->last_applied != index.value_or(header->last_applied)) {
    status = absl::DataLossError(
        absl::StrCat("it is of index ", header->last_applied));
  }
  if (status.ok()) status = machine_->Restore(snapshot);
  if (!status.ok()) {
    LOG(FATAL) << log_name_ << ": the snapshot "
               << (index.has_value() ? absl::StrCat("of index ", *index)
                                     : "on the disk")
               << " cannot be restored: " << status.message();
  }
  last_applied_ = header->last_applied;
  snapshot_index_ = header->last_applied;
}

// A Raft that is on a storage leaves the persister empty.
size_t Rsm::RaftStateSize() const {
  const size_t saved = persister_->ReadRaftState().size();
  return saved > 0 ? saved : raft_->GetStatus().log_bytes;
}

// Takes a snapshot if Raft's part of the disk has grown to the limit, but not
// one that discards less than half of the log. What is not executed here stays
// in the log; if that alone is above the limit, a snapshot after every batch
// would cost more and more and discard little.
void Rsm::TakeSnapshotIfDue() {
  if (!max_raft_state_.has_value() || last_applied_ == snapshot_index_ ||
      RaftStateSize() + machine_->Garbage() < *max_raft_state_) {
    return;
  }
  const raft::Index last_index = raft_->GetStatus().last_index;
  if (last_index > last_applied_ &&
      last_index - last_applied_ > last_applied_ - snapshot_index_) {
    return;
  }
  base::Rope snapshot = machine_->Snapshot();
  snapshot.Prepend(rpc::Encode(SnapshotHeader{.last_applied = last_applied_}));
  if (hooks_.on_snapshot) hooks_.on_snapshot(last_applied_, snapshot);
  raft_->Snapshot(last_applied_, std::move(snapshot));
  snapshot_index_ = last_applied_;
}

}  // namespace rsm
