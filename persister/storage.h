// Where a Raft keeps what survives a crash, when a flush takes time: the Raft
// says what changed, gets a ticket for it, and later learns that all changes up
// to a ticket are durable.
//
//   const Ticket ticket = storage->Append(7, entries);   // under the Raft's
//   lock
//   ...                                                  // release it
//   if (!storage->WaitDurable(ticket)) return;           // closed, or failed
//   Answer();
//
// A change costs what it changes: its bytes are copied to a buffer, and the
// disk is touched later, by another thread. Tickets become durable in their
// order: if one is, so are all before it.
//
// Entries are packed, one after the other, each as {term, 8 bytes; size, 4
// bytes; `size` bytes}, in the machine's (little-endian) order: as raft/ keeps
// and sends them. A storage reads of them where they begin and their terms.
//
// Thread safety: all calls are safe. Lock order: the Raft's lock, then the
// storage's. The storage calls OnDurable's function with no lock of its own, so
// that it may take the Raft's.

#ifndef PERSISTER_STORAGE_H_
#define PERSISTER_STORAGE_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/status/status.h"
#include "base/rope.h"

namespace persister {

// What a storage held when it was opened.
struct Recovered {
  uint64_t term = 0;
  int64_t voted_for = -1;       // in `term`; -1: none
  uint64_t snapshot_index = 0;  // of the last entry in it; 0: there is none
  uint64_t snapshot_term = 0;
  base::Rope snapshot;
  base::Rope entries;       // packed; the first has snapshot_index + 1
  uint64_t last_index = 0;  // of the last entry, or snapshot_index
};

class Storage {
 public:
  // Names a change, and all before it. Grows with each change; 0 is durable.
  using Ticket = uint64_t;

  Storage() = default;
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  virtual ~Storage() = default;

  // Returns what was recovered, and forgets it. Call it once, before any
  // change.
  virtual Recovered TakeRecovered() = 0;

  // The function gets, in increasing order, tickets that have become durable;
  // not each, but the newest of each flush. Called by a thread of the storage,
  // never after Close() has returned.
  // REQUIRES: no change was made yet.
  virtual void OnDurable(std::function<void(Ticket)> function) = 0;

  // The changes. Each returns its ticket, waits for no disk, and may be made
  // under the Raft's lock. After Close() they change nothing.

  // The term and the vote in it (Figure 2, currentTerm and votedFor).
  // REQUIRES: the term does not decrease.
  virtual Ticket SetVote(uint64_t term, int64_t voted_for) = 0;

  // Adds packed entries. REQUIRES: at least one, whole; `first_index` follows
  // the last entry.
  virtual Ticket Append(uint64_t first_index, std::string_view packed) = 0;

  // Discards the entries from `index` on; none if the log ends before.
  // REQUIRES: the snapshot does not cover `index`.
  virtual Ticket TruncateFrom(uint64_t index) = 0;

  // Does with the bytes of a snapshot what takes time with their size, and must
  // not be done under the Raft's lock, before InstallSnapshot() is called with
  // the same rope. A hint: nothing happens if it is not called.
  virtual void PrepareSnapshot(const base::Rope& /*snapshot*/) {}

  // Replaces the snapshot by one whose last entry is `index`, and discards the
  // entries up to it. Those after it stay: where they conflict with the
  // snapshot (Figure 13, step 7), call TruncateFrom(index + 1) first. In this
  // order no crash in between loses what is committed.
  // REQUIRES: `index` is greater than the last snapshot's.
  virtual Ticket InstallSnapshot(uint64_t index, uint64_t term,
                                 base::Rope snapshot) = 0;

  // Of the newest change.
  virtual Ticket last() const = 0;

  // True while there is room for more entries. If false refuse commands and
  // give up leadership; votes have room still.
  virtual bool HasRoom() const = 0;

  // Waits until `ticket` is durable. False: the storage was closed or failed
  // before; promise nothing. Call it with no lock held (it checks).
  virtual bool WaitDurable(Ticket ticket) = 0;

  // Makes the changes so far durable, as an orderly end does, wakes all that
  // wait, joins the storage's threads, and gives up what is locked: another one
  // may open the same place then. A second call waits for the first. Call it
  // with no lock held (it checks), and not from OnDurable's function.
  virtual void Close() = 0;
};

// The status with which a process ends whose storage does not open, or fails.
enum ExitStatus : int {
  kExitDamaged = 3,     // DataLoss: something written is not there any more
  kExitDiskFailed = 4,  // a call of the disk failed, or it is full
  kExitUnusable = 5,  // FailedPrecondition: nothing is wrong with the data, but
                      // they are not this server's, or may not be used now
};

inline ExitStatus ExitStatusOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kDataLoss:
      return kExitDamaged;
    case absl::StatusCode::kFailedPrecondition:
      return kExitUnusable;
    default:
      return kExitDiskFailed;
  }
}

}  // namespace persister

#endif  // PERSISTER_STORAGE_H_
