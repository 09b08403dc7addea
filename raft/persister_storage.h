// A Storage on a Persister: the lab's disk, which keeps one value for the whole
// raft state. A change is saved at once, and is durable when the call returns,
// unless the Persister itself says when (persister/async_persister.h).
//
// The value is a seal, a small header and then the log's own bytes
// (raft/saved_state.h). The bytes are shared with the log, not copied
// (base/rope.h), and their checksum is kept here while the log grows, so a save
// costs O(1) whatever the length of the log.
//
// Thread safety: changes are made one at a time, under the lock of the Raft
// that owns the log; all else may be called by any thread.

#ifndef RAFT_PERSISTER_STORAGE_H_
#define RAFT_PERSISTER_STORAGE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/rope.h"
#include "persister/async_persister.h"
#include "persister/persister.h"
#include "persister/storage.h"
#include "raft/checksum.h"
#include "raft/saved_state.h"
#include "raft/saved_state_reader.h"

namespace raft {

class PersisterStorage final : public persister::Storage {
 public:
  // `log` returns all entries, packed, as they are after the change that is
  // being made; it is called within changes only. Reads what is saved: a value
  // that is damaged, and a Persister that throws, now or later, end the
  // process, with a line that begins with `server`.
  PersisterStorage(std::string server,
                   std::shared_ptr<persister::Persister> persister,
                   std::function<base::Rope()> log);

  persister::Recovered TakeRecovered() override;
  void OnDurable(std::function<void(Ticket)> function) override;
  Ticket SetVote(uint64_t term, int64_t voted_for) override;
  Ticket Append(uint64_t first_index, std::string_view packed) override;
  // Is saved with the next change: a Raft makes that under the same hold of its
  // lock, for it truncates only what something else replaces.
  Ticket TruncateFrom(uint64_t index) override;
  void PrepareSnapshot(const base::Rope& snapshot) override
      EXCLUDES(prepared_mu_);
  Ticket InstallSnapshot(uint64_t index, uint64_t term,
                         base::Rope snapshot) override EXCLUDES(prepared_mu_);
  Ticket last() const override;
  bool HasRoom() const override { return true; }
  bool WaitDurable(Ticket ticket) override;
  void Close() override;

 private:
  void Read();
  base::Rope ReadLog() const;
  Checksum TakeChecksum(const base::Rope& snapshot) EXCLUDES(prepared_mu_);
  Ticket Save(std::optional<base::Rope> snapshot = std::nullopt);

  const std::string server_;
  const std::shared_ptr<persister::Persister> persister_;
  persister::AsyncPersister* const async_;  // the same, or null
  const std::function<base::Rope()> log_;

  persister::Recovered recovered_;
  SavedHeader header_;        // as it is to be saved
  std::string header_bytes_;  // encoded; empty if that is to be done
  LogChecksum checksum_;      // of the log
  uint64_t next_index_ = 1;   // after the last entry

  // Of a snapshot that is to be installed soon, found out without the Raft's
  // lock.
  struct Prepared {
    base::Rope snapshot;
    Checksum checksum;
  };
  base::Mutex prepared_mu_;
  std::optional<Prepared> prepared_ ABSL_GUARDED_BY(prepared_mu_);
};

}  // namespace raft

#endif  // RAFT_PERSISTER_STORAGE_H_
