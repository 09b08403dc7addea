// A Persister whose saves take time: each returns at once with a ticket, and
// the disk says later when that is durable, as a Storage does (storage.h).
//
// Thread safety: as of a Persister. The calls that wait, Save() and
// SaveRaftState() among them, must not be made under a lock that OnDurable's
// function takes.

#ifndef PERSISTER_ASYNC_PERSISTER_H_
#define PERSISTER_ASYNC_PERSISTER_H_

#include <functional>
#include <optional>

#include "base/rope.h"
#include "persister/persister.h"
#include "persister/storage.h"

namespace persister {

class AsyncPersister : public Persister {
 public:
  // Names a save, and all before it. Grows with each save; 0 is durable.
  using Ticket = Storage::Ticket;

  // Replaces the raft state, and the snapshot if one is given, atomically.
  // Waits for no disk. Saves become durable in their order, those after Close()
  // never. What is read is the newest save in each case: an instance may go on
  // for a moment on a disk that has ended.
  virtual Ticket SaveLater(base::Rope raft_state,
                           std::optional<base::Rope> snapshot) = 0;

  // Of the newest save; 0: there was none.
  virtual Ticket last() const = 0;

  // Waits until `ticket` is durable. False: the disk was closed before. Call it
  // with no lock held (it checks).
  virtual bool WaitDurable(Ticket ticket) = 0;

  // The function gets, in increasing order, tickets that have become durable;
  // not each, but the newest of each flush. Called by a thread of the disk,
  // which holds no lock, never after Close() has returned.
  // REQUIRES: no save was made yet.
  virtual void OnDurable(std::function<void(Ticket)> function) = 0;

  // Makes the saves so far durable, wakes all that wait, and joins the disk's
  // thread. A second call waits for the first. Call it with no lock held (it
  // checks), and not from OnDurable's function.
  virtual void Close() = 0;
};

}  // namespace persister

#endif  // PERSISTER_ASYNC_PERSISTER_H_
