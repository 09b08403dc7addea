// The simulated disk of one running server, with flushes that take time: a
// cache, in which saves wait, before a SimulatedDisk, which has what is
// durable.
//
// One thread flushes. A flush takes up to kLongestFlush, and makes durable what
// had been saved when it began: group commit without a timer. Save() and
// SaveRaftState(), for a Raft that knows no more, wait for it.
//
// ReadRaftState() and ReadSnapshot() return the newest values, durable or not,
// and even those that never will be, since the disk has ended.
//
// Two instances never share one; see simulated_disk.h.
//
// Thread safety: safe. Lock order: mu_ -> SimulatedDisk.

#ifndef PERSISTER_SLOW_DISK_H_
#define PERSISTER_SLOW_DISK_H_

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "base/mutex.h"
#include "base/random.h"
#include "base/rope.h"
#include "persister/async_persister.h"
#include "persister/simulated_disk.h"

namespace persister {

class SlowDisk : public AsyncPersister {
 public:
  static constexpr std::chrono::milliseconds kLongestFlush{50};

  // Begins with what is on `durable`, whose observer sees each save in its
  // order when it has become durable, before any caller can know that. How long
  // flushes take, and what a crash keeps, is drawn by `random`.
  SlowDisk(std::shared_ptr<SimulatedDisk> durable, base::Random random);

  // Close().
  ~SlowDisk() override;

  // Is told how long each flush took when what it saved is durable. Runs under
  // the disk's lock: it must take no other but a leaf.
  // REQUIRES: the disk is not yet shared between threads.
  void SetFlushObserver(std::function<void(std::chrono::microseconds)> observer)
      EXCLUDES(mu_);

  // A crash at this moment. Returns what it leaves: what is durable and, drawn,
  // any number of the saves that are not, the oldest first. The disk ends:
  // nothing becomes durable any more, so that an instance that goes on for a
  // moment cannot count on what the one after it may not find.
  std::shared_ptr<SimulatedDisk> Crash() EXCLUDES(mu_);

  Ticket SaveLater(base::Rope raft_state,
                   std::optional<base::Rope> snapshot) override EXCLUDES(mu_);
  Ticket last() const override EXCLUDES(mu_);
  bool WaitDurable(Ticket ticket) override EXCLUDES(mu_);
  void OnDurable(std::function<void(Ticket)> function) override EXCLUDES(mu_);
  void Close() override EXCLUDES(mu_);

  void Save(base::Rope raft_state, base::Rope snapshot) override EXCLUDES(mu_);
  void SaveRaftState(base::Rope raft_state) override EXCLUDES(mu_);
  base::Rope ReadRaftState() const override EXCLUDES(mu_);
  base::Rope ReadSnapshot() const override EXCLUDES(mu_);

 private:
  struct Values {
    base::Rope raft_state;
    std::optional<base::Rope> snapshot;  // nothing: it is kept

    void SaveTo(SimulatedDisk* disk) &&;
  };

  void FlushLoop() EXCLUDES(mu_);
  std::optional<Ticket> AwaitSaves() EXCLUDES(mu_);
  std::chrono::microseconds DrawDuration() EXCLUDES(mu_);
  void Publish(Ticket ticket, std::chrono::microseconds took) EXCLUDES(mu_);
  bool Await(Ticket ticket) EXCLUDES(mu_);

  const std::shared_ptr<SimulatedDisk> durable_values_;

  mutable base::Mutex mu_;
  base::CondVar work_;       // there is something to flush, or closing_
  base::CondVar published_;  // durable_ has grown, is_over_, or closed_
  base::Random random_ ABSL_GUARDED_BY(mu_);
  base::Rope raft_state_ ABSL_GUARDED_BY(mu_);  // the newest
  base::Rope snapshot_ ABSL_GUARDED_BY(mu_);    // the newest
  std::deque<Values> waiting_
      ABSL_GUARDED_BY(mu_);  // not durable; oldest first
  Ticket last_ ABSL_GUARDED_BY(mu_) = 0;
  Ticket durable_ ABSL_GUARDED_BY(mu_) = 0;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  bool close_called_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;   // Close() has done all
  bool is_over_ ABSL_GUARDED_BY(mu_) = false;  // nothing becomes durable
  std::function<void(Ticket)> on_durable_ ABSL_GUARDED_BY(mu_);
  std::function<void(std::chrono::microseconds)> on_flush_ ABSL_GUARDED_BY(mu_);

  std::thread flusher_;  // last: it uses all of the above
};

}  // namespace persister

#endif  // PERSISTER_SLOW_DISK_H_
