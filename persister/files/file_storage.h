// A Storage in files (README.md has the format and what a crash may leave).
//
// Changes are encoded into a batch under the lock. One thread, the flusher,
// takes all that has come together, writes it with one flush, and publishes its
// ticket: group commit without a timer.
//
// If the disk fails, nothing becomes durable any more: all that wait get false,
// and on_failure is called, which should end the process with
// ExitStatusOf(status). A call that failed is never tried again.
//
// Thread safety: safe. Lock order: mu_ is a leaf. Neither a call of the disk
// nor on_durable_ nor on_failure is made under it. Invariants: durable_ <=
// last_; batches_ have increasing tickets.

#ifndef PERSISTER_FILES_FILE_STORAGE_H_
#define PERSISTER_FILES_FILE_STORAGE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/rope.h"
#include "persister/files/batch.h"
#include "persister/files/files.h"
#include "persister/files/format.h"
#include "persister/files/wal.h"
#include "persister/storage.h"

namespace persister {

class FileStorage : public Storage {
 public:
  struct Options {
    Wal::Options wal;
    // Called once, by the flusher, with no lock held. Without it a failure ends
    // the process.
    std::function<void(const absl::Status&)> on_failure = {};
  };

  // Opens the storage in a directory, which is made if it is missing or empty.
  // `files` must outlive it. An error is one line, and ExitStatusOf() its exit
  // status; nothing on the disk was changed then but what a new directory
  // needs.
  static absl::StatusOr<std::unique_ptr<FileStorage>> Open(
      Files* files, std::string directory, Options options);

  // Closes it.
  ~FileStorage() override;

  Recovered TakeRecovered() override EXCLUDES(mu_);
  void OnDurable(std::function<void(Ticket)> function) override EXCLUDES(mu_);
  Ticket SetVote(uint64_t term, int64_t voted_for) override EXCLUDES(mu_);
  Ticket Append(uint64_t first_index, std::string_view packed) override
      EXCLUDES(mu_);
  Ticket TruncateFrom(uint64_t index) override EXCLUDES(mu_);
  Ticket InstallSnapshot(uint64_t index, uint64_t term,
                         base::Rope snapshot) override EXCLUDES(mu_);
  Ticket last() const override EXCLUDES(mu_);
  bool HasRoom() const override EXCLUDES(mu_);
  bool WaitDurable(Ticket ticket) override EXCLUDES(mu_);
  void Close() override EXCLUDES(mu_);

 private:
  // What one flush will write.
  struct PendingBatch {
    BatchBuilder records;
    LogState after;
    Ticket last = 0;
    std::optional<base::Rope> snapshot;  // that of `after`
  };

  FileStorage(std::unique_ptr<FileLock> lock, std::unique_ptr<Wal> wal,
              Recovered recovered, Options options);

  // Adds a record to what is pending.
  Ticket AddLocked(const Record& record, std::optional<base::Rope> snapshot)
      REQUIRES(mu_);

  void FlushLoop() EXCLUDES(mu_);
  // Waits for a batch; none if there will be none any more, or if it is time to
  // look whether the disk has room again.
  std::optional<PendingBatch> TakeBatch() EXCLUDES(mu_);
  bool IsDrained() const EXCLUDES(mu_);
  absl::Status Flush(PendingBatch batch) EXCLUDES(mu_);
  absl::Status MakeRoom() EXCLUDES(mu_);
  void Publish(Ticket ticket) EXCLUDES(mu_);
  void Fail(const absl::Status& status) EXCLUDES(mu_);

  std::unique_ptr<FileLock> lock_;  // until Close()
  const Options options_;
  const std::unique_ptr<Wal> wal_;  // the flusher's

  mutable base::Mutex mu_;
  base::CondVar work_;       // a batch is pending, or closing_
  base::CondVar published_;  // durable_ has grown, is_over_, or closed_
  Recovered recovered_ ABSL_GUARDED_BY(mu_);
  std::function<void(Ticket)> on_durable_ ABSL_GUARDED_BY(mu_);
  LogState state_ ABSL_GUARDED_BY(mu_);  // after the newest change
  std::deque<PendingBatch> batches_ ABSL_GUARDED_BY(mu_);
  Ticket last_ ABSL_GUARDED_BY(mu_) = 0;
  Ticket durable_ ABSL_GUARDED_BY(mu_) = 0;
  bool has_room_ ABSL_GUARDED_BY(mu_) = true;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;  // no more changes
  bool closed_ ABSL_GUARDED_BY(mu_) = false;   // Close() has done all
  bool is_over_ ABSL_GUARDED_BY(mu_) = false;  // no more is durable

  std::thread flusher_;
};

}  // namespace persister

#endif  // PERSISTER_FILES_FILE_STORAGE_H_
