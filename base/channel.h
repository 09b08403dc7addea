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

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

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
  // channel is closed, also while waiting.
  bool Send(T item) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    return SendLocked(std::move(item));
  }

  // Sends the items in order, as many under one lock as there is room for.
  // Returns false if the channel was closed before all were handed over.
  bool SendBatch(std::vector<T> items) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    for (T& item : items) {
      if (!SendLocked(std::move(item))) return false;
    }
    return true;
  }

  // Takes the next item; blocks until there is one. Returns nothing once the
  // channel is closed and empty.
  std::optional<T> Receive() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    if (!AwaitItemLocked()) return std::nullopt;
    return TakeLocked();
  }

  // Takes all that waits, at least one item; blocks until there is one.
  // Returns an empty vector once the channel is closed and empty.
  std::vector<T> ReceiveBatch() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    std::vector<T> items;
    if (!AwaitItemLocked()) return items;
    items.reserve(queue_.size());
    while (!queue_.empty()) items.push_back(TakeLocked());
    return items;
  }

  // Ends the channel: see the top of the file. Idempotent.
  void Close() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    if (closed_) return;
    closed_ = true;
    // At capacity 0 every waiting item belongs to a sender that still waits.
    if (capacity_ == 0) queue_.clear();
    item_added_.SignalAll();
    room_made_.SignalAll();
  }

 private:
  bool SendLocked(T item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    // A rendezvous queues one item per waiting sender; each waits for its own.
    while (!closed_ && capacity_ > 0 && queue_.size() >= capacity_) {
      AwaitRoomLocked();
    }
    if (closed_) return false;
    queue_.push_back(std::move(item));
    const uint64_t ticket = ++accepted_;
    if (receivers_ > 0) item_added_.Signal();
    if (capacity_ > 0) return true;
    while (!closed_ && taken_ < ticket) AwaitRoomLocked();
    return taken_ >= ticket;
  }

  void AwaitRoomLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    ++senders_;
    room_made_.Wait(&mu_);
    --senders_;
  }

  bool AwaitItemLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    while (!closed_ && queue_.empty()) {
      ++receivers_;
      item_added_.Wait(&mu_);
      --receivers_;
    }
    return !queue_.empty();
  }

  T TakeLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    T item = std::move(queue_.front());
    queue_.pop_front();
    ++taken_;
    if (senders_ > 0) room_made_.SignalAll();
    return item;
  }

  const size_t capacity_;

  Mutex mu_;
  CondVar item_added_;
  CondVar room_made_;
  std::deque<T> queue_ ABSL_GUARDED_BY(mu_);
  uint64_t accepted_ ABSL_GUARDED_BY(mu_) = 0;  // items ever queued
  uint64_t taken_ ABSL_GUARDED_BY(mu_) = 0;     // items ever received
  int senders_ ABSL_GUARDED_BY(mu_) = 0;        // waiting for room
  int receivers_ ABSL_GUARDED_BY(mu_) = 0;      // waiting for an item
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace base

#endif  // BASE_CHANNEL_H_
