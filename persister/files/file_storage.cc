#include "persister/files/file_storage.h"

#include <chrono>
#include <utility>

#include "base/logging.h"
#include "persister/files/open_directory.h"
#include "persister/files/packed.h"
#include "persister/files/recovery.h"

namespace persister {
namespace {

using base::MutexLock;

// A batch that is so large is not added to: what waits for its beginning should
// not wait for all that has come since.
constexpr size_t kBatchBytes = 4 << 20;

// While the disk is full: how often to look whether it still is.
constexpr std::chrono::seconds kFullInterval{1};

}  // namespace

absl::StatusOr<std::unique_ptr<FileStorage>> FileStorage::Open(
    Files* files, std::string directory, Options options) {
  // "data/" names the same, but would be its own parent.
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  absl::StatusOr<std::unique_ptr<FileLock>> lock =
      OpenDirectory(files, directory, options.wal);
  if (!lock.ok()) return lock.status();
  absl::StatusOr<Recovery> recovery =
      Recover(files, directory, options.wal.identity);
  if (!recovery.ok()) return recovery.status();
  absl::StatusOr<std::unique_ptr<Wal>> wal =
      Wal::Open(files, directory, options.wal, *recovery);
  if (!wal.ok()) return wal.status();
  return std::unique_ptr<FileStorage>(
      new FileStorage(*std::move(lock), *std::move(wal),
                      std::move(recovery->recovered), std::move(options)));
}

FileStorage::FileStorage(std::unique_ptr<FileLock> lock,
                         std::unique_ptr<Wal> wal, Recovered recovered,
                         Options options)
    : lock_(std::move(lock)),
      options_(std::move(options)),
      wal_(std::move(wal)),
      recovered_(std::move(recovered)),
      state_(wal_->state()),
      flusher_([this] { FlushLoop(); }) {}

FileStorage::~FileStorage() { Close(); }

Recovered FileStorage::TakeRecovered() {
  MutexLock lock(&mu_);
  Recovered recovered = std::move(recovered_);
  recovered_ = {};
  return recovered;
}

void FileStorage::OnDurable(std::function<void(Ticket)> function) {
  MutexLock lock(&mu_);
  CHECK_EQ(last_, 0U) << "OnDurable() comes before all changes";
  on_durable_ = std::move(function);
}

FileStorage::Ticket FileStorage::SetVote(uint64_t term, int64_t voted_for) {
  MutexLock lock(&mu_);
  CHECK_GE(term, state_.term) << "terms never decrease";
  state_.term = term;
  state_.voted_for = voted_for;
  return AddLocked({.type = RecordType::kVote,
                    .index = static_cast<uint64_t>(voted_for),
                    .term = term},
                   std::nullopt);
}

FileStorage::Ticket FileStorage::Append(uint64_t first_index,
                                        std::string_view packed) {
  const PackedRun run = WalkPacked(packed);
  CHECK(run.whole && run.in_order && run.count > 0)
      << "the entries from " << first_index << " on are not well packed";
  MutexLock lock(&mu_);
  CHECK_EQ(first_index, state_.next_index) << "entries follow each other";
  state_.next_index += run.count;
  return AddLocked({.type = RecordType::kEntries,
                    .index = first_index,
                    .term = run.last_term,
                    .payload = packed},
                   std::nullopt);
}

FileStorage::Ticket FileStorage::TruncateFrom(uint64_t index) {
  MutexLock lock(&mu_);
  CHECK_GT(index, state_.snapshot_index) << "the snapshot covers this entry";
  if (index >= state_.next_index) return last_;
  state_.next_index = index;
  return AddLocked({.type = RecordType::kTruncate, .index = index},
                   std::nullopt);
}

FileStorage::Ticket FileStorage::InstallSnapshot(uint64_t index, uint64_t term,
                                                 base::Rope snapshot) {
  MutexLock lock(&mu_);
  CHECK_GT(index, state_.snapshot_index) << "a later snapshot is there";
  state_.snapshot_index = index;
  state_.snapshot_term = term;
  state_.next_index = std::max(state_.next_index, index + 1);
  return AddLocked(
      {.type = RecordType::kSnapshot, .index = index, .term = term},
      std::move(snapshot));
}

FileStorage::Ticket FileStorage::AddLocked(const Record& record,
                                           std::optional<base::Rope> snapshot) {
  ++last_;
  if (closing_ || is_over_) return last_;
  if (batches_.empty() || batches_.back().records.size() >= kBatchBytes ||
      batches_.back().snapshot.has_value()) {
    batches_.emplace_back();
  }
  PendingBatch& batch = batches_.back();
  batch.records.Add(record);
  batch.after = state_;
  batch.last = last_;
  batch.snapshot = std::move(snapshot);
  work_.Signal();
  return last_;
}

FileStorage::Ticket FileStorage::last() const {
  MutexLock lock(&mu_);
  return last_;
}

bool FileStorage::HasRoom() const {
  MutexLock lock(&mu_);
  return has_room_;
}

bool FileStorage::WaitDurable(Ticket ticket) {
  base::Mutex::AssertNoneHeld("WaitDurable()");
  MutexLock lock(&mu_);
  while (durable_ < ticket && !is_over_) published_.Wait(&mu_);
  return durable_ >= ticket;
}

void FileStorage::Close() {
  base::Mutex::AssertNoneHeld("Close()");
  {
    MutexLock lock(&mu_);
    if (closing_) {
      while (!closed_) published_.Wait(&mu_);
      return;
    }
    closing_ = true;
    work_.Signal();
  }
  flusher_.join();
  lock_.reset();
  MutexLock lock(&mu_);
  closed_ = true;
  published_.SignalAll();
}

void FileStorage::FlushLoop() {
  absl::Status status = MakeRoom();
  while (status.ok()) {
    std::optional<PendingBatch> batch = TakeBatch();
    if (batch.has_value()) {
      status = Flush(*std::move(batch));
    } else if (IsDrained()) {
      break;
    }
    if (status.ok()) status = MakeRoom();
  }
  if (!status.ok()) Fail(status);
  MutexLock lock(&mu_);
  is_over_ = true;
}

std::optional<FileStorage::PendingBatch> FileStorage::TakeBatch() {
  MutexLock lock(&mu_);
  const auto time_to_look = std::chrono::steady_clock::now() + kFullInterval;
  while (batches_.empty() && !closing_) {
    if (has_room_) {
      work_.Wait(&mu_);
    } else if (!work_.WaitUntil(&mu_, time_to_look)) {
      return std::nullopt;
    }
  }
  if (batches_.empty()) return std::nullopt;
  std::optional<PendingBatch> batch = std::move(batches_.front());
  batches_.pop_front();
  return batch;
}

bool FileStorage::IsDrained() const {
  MutexLock lock(&mu_);
  return closing_ && batches_.empty();
}

absl::Status FileStorage::Flush(PendingBatch batch) {
  const LogState& after = batch.after;
  absl::Status status;
  if (batch.snapshot.has_value()) {
    status = wal_->WriteSnapshotFile(after.snapshot_index, after.snapshot_term,
                                     *batch.snapshot);
  }
  if (status.ok()) status = wal_->Write(&batch.records, after);
  if (!status.ok()) return status;
  Publish(batch.last);
  return batch.snapshot.has_value() ? wal_->RemoveNeedless() : status;
}

absl::Status FileStorage::MakeRoom() {
  if (!wal_->has_next()) {
    absl::Status status = wal_->MakeNext();
    if (!status.ok() && !absl::IsResourceExhausted(status)) return status;
    MutexLock lock(&mu_);
    LOG_IF(WARNING, has_room_ && !status.ok())
        << "the next segment cannot be made, so new commands are refused: "
        << status.message();
    has_room_ = status.ok();
  }
  return absl::OkStatus();
}

void FileStorage::Publish(Ticket ticket) {
  std::function<void(Ticket)> on_durable;
  {
    MutexLock lock(&mu_);
    durable_ = ticket;
    on_durable = on_durable_;
  }
  published_.SignalAll();
  if (on_durable) on_durable(ticket);
}

void FileStorage::Fail(const absl::Status& status) {
  {
    MutexLock lock(&mu_);
    is_over_ = true;
    batches_.clear();
  }
  published_.SignalAll();
  if (options_.on_failure) {
    options_.on_failure(status);
    return;
  }
  LOG(FATAL) << "the storage failed: " << status.message();
}

}  // namespace persister
