// A closable queue between threads: the role of Go's channels, and of applyCh.
//
// Capacity 0 is a rendezvous: Send returns once a receiver has taken the item.
// With a capacity, senders block while the buffer is full, and whole batches
// change hands under one lock, which is what makes high rates possible.
//
// Unlike in Go the receiver may close too, and sending on a closed channel is
// no crash: Send returns false. Items accepted before the close can still be
// received; those of senders that were still waiting are withdrawn.
//
// Thread safety: safe, any number of senders and receivers. A leaf in the lock
// order: it calls nothing back. Items arrive in the order they were accepted.

#ifndef BASE_CHANNEL_H_
#define BASE_CHANNEL_H_

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/brief_cond_var.h"
#include "base/mutex.h"

namespace base {

template <typename T>
class Channel {
 public:
  // `capacity` items may wait without blocking their sender.
  explicit Channel(size_t capacity) : capacity_(capacity) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Hands `item` over. Blocks while there is no room, at capacity 0 until a
  // receiver has it. Returns false, without having handed it over, if the
  // channel is closed, also while waiting. REQUIRES: the calling thread holds
  // no base::Mutex; it dies otherwise. So for SendBatch().
  bool Send(T item) EXCLUDES(mu_) {
    Mutex::AssertNoneHeld("Channel::Send()");
    MutexLock lock(&mu_);
    if (!AwaitRoomLocked()) return false;
    queue_.push_back(std::move(item));
    return AddedLocked(1);
  }

  // Sends the items in order, as many under one lock as there is room for.
  // Returns false if the channel was closed before all were handed over.
  bool SendBatch(std::vector<T> items) EXCLUDES(mu_) {
    Mutex::AssertNoneHeld("Channel::SendBatch()");
    MutexLock lock(&mu_);
    for (size_t sent = 0; sent < items.size();) {
      if (!AwaitRoomLocked()) return false;
      // One at a time in a rendezvous: each waits for its receiver.
      const size_t room = capacity_ == 0 ? 1 : capacity_ - WaitingLocked();
      const size_t count = std::min(room, items.size() - sent);
      if (count == items.size() && WaitingLocked() == 0) {
        queue_.swap(items);  // the common case at high rates: no item moves
        return AddedLocked(count);
      }
      const auto first =
          std::make_move_iterator(items.begin() + static_cast<ptrdiff_t>(sent));
      queue_.insert(queue_.end(), first, first + static_cast<ptrdiff_t>(count));
      if (!AddedLocked(count)) return false;
      sent += count;
    }
    return true;
  }

  // Takes the next item; blocks until there is one. Returns nothing once the
  // channel is closed and empty.
  std::optional<T> Receive() EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    if (!AwaitItemLocked()) return std::nullopt;
    std::optional<T> item(std::move(queue_[head_]));
    TakenLocked(1);
    return item;
  }

  // Takes all that waits, at least one item; blocks until there is one.
  // Returns an empty vector once the channel is closed and empty.
  std::vector<T> ReceiveBatch() EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    std::vector<T> items;
    if (!AwaitItemLocked()) return items;
    const size_t count = WaitingLocked();
    if (head_ == 0) {
      items.swap(queue_);
    } else {
      items.assign(std::make_move_iterator(FirstLocked()),
                   std::make_move_iterator(queue_.end()));
    }
    TakenLocked(count);
    return items;
  }

  // Ends the channel: see the top of the file. Idempotent.
  void Close() EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    if (closed_) return;
    closed_ = true;
    // At capacity 0 every waiting item belongs to a sender that still waits.
    if (capacity_ == 0) queue_.erase(FirstLocked(), queue_.end());
    item_added_.SignalAll();
    room_made_.SignalAll();
  }

 private:
  // The items that wait are those of queue_ from head_ on; while the channel is
  // open it is empty if none does.
  size_t WaitingLocked() const REQUIRES(mu_) { return queue_.size() - head_; }
  auto FirstLocked() REQUIRES(mu_) {
    return queue_.begin() + static_cast<ptrdiff_t>(head_);
  }

  // Waits until an item may be queued; returns false if the channel is closed.
  // A rendezvous queues one item per waiting sender.
  bool AwaitRoomLocked() REQUIRES(mu_) {
    while (!closed_ && capacity_ > 0 && WaitingLocked() >= capacity_) {
      AwaitReceiverLocked();
    }
    return !closed_;
  }

  // Notes that `count` items were queued, and at capacity 0 waits until they
  // are taken; returns false if they are not any more.
  bool AddedLocked(size_t count) REQUIRES(mu_) {
    accepted_ += count;
    const uint64_t ticket = accepted_;
    if (receivers_ > 0 && count == 1) item_added_.Signal();
    if (receivers_ > 0 && count > 1) item_added_.SignalAll();
    if (capacity_ > 0) return true;
    while (!closed_ && taken_ < ticket) AwaitReceiverLocked();
    return taken_ >= ticket;
  }

  void AwaitReceiverLocked() REQUIRES(mu_) {
    ++senders_;
    room_made_.Wait(&mu_);
    --senders_;
  }

  bool AwaitItemLocked() REQUIRES(mu_) {
    while (!closed_ && WaitingLocked() == 0) {
      ++receivers_;
      item_added_.Wait(&mu_);
      --receivers_;
    }
    return WaitingLocked() > 0;
  }

  // Notes that the first `count` items have been moved out.
  void TakenLocked(size_t count) REQUIRES(mu_) {
    taken_ += count;
    head_ += count;
    // Moving up what is left only now and then keeps that cheap.
    if (head_ >= queue_.size()) {
      queue_.clear();
      head_ = 0;
    } else if (head_ > queue_.size() / 2) {
      queue_.erase(queue_.begin(), FirstLocked());
      head_ = 0;
    }
    if (senders_ > 0) room_made_.SignalAll();
  }

  const size_t capacity_;

  Mutex mu_;
  BriefCondVar item_added_;
  CondVar room_made_;
  std::vector<T> queue_ ABSL_GUARDED_BY(mu_);
  size_t head_ ABSL_GUARDED_BY(mu_) = 0;        // taken items in front
  uint64_t accepted_ ABSL_GUARDED_BY(mu_) = 0;  // items ever queued
  uint64_t taken_ ABSL_GUARDED_BY(mu_) = 0;     // items ever received
  int senders_ ABSL_GUARDED_BY(mu_) = 0;        // waiting for room
  int receivers_ ABSL_GUARDED_BY(mu_) = 0;      // waiting for an item
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace base

#endif  // BASE_CHANNEL_H_
