// Up to which entry a server's own log is durable, while its storage is still
// writing what comes after: a leader counts itself only that far (the thesis,
// 10.2.1).
//
// Pure: no lock, no storage. Thread safety: none of its own; Raft guards it
// with mu_.
// Invariants: pending tickets and indexes increase; all are above value().

#ifndef RAFT_DURABLE_INDEX_H_
#define RAFT_DURABLE_INDEX_H_

#include <deque>

#include "persister/storage.h"
#include "raft/types.h"

namespace raft {

class DurableIndex {
 public:
  using Ticket = persister::Storage::Ticket;

  // Of a log that was found on the disk, up to `last`.
  explicit DurableIndex(Index last = 0) : value_(last) {}

  Index value() const { return value_; }

  // The log was extended up to `last`, which is durable as soon as `ticket` is.
  void OnExtended(Ticket ticket, Index last);

  // The entries from `index` on are gone. Others will take their indexes, so
  // the tickets of those that are gone must not count for them.
  void OnTruncated(Index index);

  // The storage says that `ticket` is durable, and so are those before it.
  void OnDurable(Ticket ticket);

 private:
  struct Pending {
    Ticket ticket;
    Index last;
  };

  Index value_;
  Ticket durable_ = 0;
  std::deque<Pending> pending_;
};

}  // namespace raft

#endif  // RAFT_DURABLE_INDEX_H_
