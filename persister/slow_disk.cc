#include "persister/slow_disk.h"

#include <utility>

#include "base/logging.h"

namespace persister {

using base::MutexLock;
using base::Rope;
using std::chrono::microseconds;

void SlowDisk::Values::SaveTo(SimulatedDisk* disk) && {
  if (snapshot.has_value()) {
    disk->Save(std::move(raft_state), *std::move(snapshot));
  } else {
    disk->SaveRaftState(std::move(raft_state));
  }
}

SlowDisk::SlowDisk(std::shared_ptr<SimulatedDisk> durable, base::Random random)
    : durable_values_(std::move(durable)),
      random_(random),
      raft_state_(durable_values_->ReadRaftState()),
      snapshot_(durable_values_->ReadSnapshot()),
      flusher_([this] { FlushLoop(); }) {}

SlowDisk::~SlowDisk() { Close(); }

void SlowDisk::SetFlushObserver(std::function<void(microseconds)> observer) {
  MutexLock lock(&mu_);
  on_flush_ = std::move(observer);
}

std::shared_ptr<SimulatedDisk> SlowDisk::Crash() {
  MutexLock lock(&mu_);
  closing_ = is_over_ = true;
  work_.Signal();
  published_.SignalAll();
  std::shared_ptr<SimulatedDisk> copy = durable_values_->Copy();
  const uint64_t kept = random_.Below(waiting_.size() + 1);
  for (size_t i = 0; i < kept; ++i) Values(waiting_[i]).SaveTo(copy.get());
  return copy;
}

SlowDisk::Ticket SlowDisk::SaveLater(Rope raft_state,
                                     std::optional<Rope> snapshot) {
  MutexLock lock(&mu_);
  ++last_;
  raft_state_ = raft_state;
  if (snapshot.has_value()) snapshot_ = *snapshot;
  if (closing_) return last_;  // never durable
  waiting_.push_back({std::move(raft_state), std::move(snapshot)});
  work_.Signal();
  return last_;
}

SlowDisk::Ticket SlowDisk::last() const {
  MutexLock lock(&mu_);
  return last_;
}

bool SlowDisk::WaitDurable(Ticket ticket) {
  base::Mutex::AssertNoneHeld("WaitDurable()");
  return Await(ticket);
}

bool SlowDisk::Await(Ticket ticket) {
  MutexLock lock(&mu_);
  while (durable_ < ticket && !is_over_) published_.Wait(&mu_);
  return durable_ >= ticket;
}

void SlowDisk::OnDurable(std::function<void(Ticket)> function) {
  MutexLock lock(&mu_);
  CHECK_EQ(last_, 0U) << "OnDurable() comes before all saves";
  on_durable_ = std::move(function);
}

void SlowDisk::Close() {
  base::Mutex::AssertNoneHeld("Close()");
  {
    MutexLock lock(&mu_);
    if (std::exchange(close_called_, true)) {
      while (!closed_) published_.Wait(&mu_);
      return;
    }
    closing_ = true;
    work_.Signal();
  }
  flusher_.join();
  MutexLock lock(&mu_);
  closed_ = true;
  published_.SignalAll();
}

// A Raft calls these under its lock.
void SlowDisk::Save(Rope raft_state, Rope snapshot) {
  Await(SaveLater(std::move(raft_state), std::move(snapshot)));
}

void SlowDisk::SaveRaftState(Rope raft_state) {
  Await(SaveLater(std::move(raft_state), std::nullopt));
}

Rope SlowDisk::ReadRaftState() const {
  MutexLock lock(&mu_);
  return raft_state_;
}

Rope SlowDisk::ReadSnapshot() const {
  MutexLock lock(&mu_);
  return snapshot_;
}

void SlowDisk::FlushLoop() {
  while (const std::optional<Ticket> saved = AwaitSaves()) {
    const microseconds duration = DrawDuration();
    std::this_thread::sleep_for(duration);
    Publish(*saved, duration);
  }
  MutexLock lock(&mu_);
  is_over_ = true;
  published_.SignalAll();
}

// Returns the newest save, if it is to be flushed; nothing at the end.
std::optional<SlowDisk::Ticket> SlowDisk::AwaitSaves() {
  MutexLock lock(&mu_);
  while (waiting_.empty() && !closing_) work_.Wait(&mu_);
  if (waiting_.empty() || is_over_) return std::nullopt;
  return durable_ + waiting_.size();
}

microseconds SlowDisk::DrawDuration() {
  MutexLock lock(&mu_);
  return microseconds(random_.Between(0, microseconds(kLongestFlush).count()));
}

void SlowDisk::Publish(Ticket ticket, microseconds took) {
  std::function<void(Ticket)> on_durable;
  {
    MutexLock lock(&mu_);
    if (is_over_) return;  // it has crashed meanwhile
    for (; durable_ < ticket; ++durable_) {
      std::move(waiting_.front()).SaveTo(durable_values_.get());
      waiting_.pop_front();
    }
    if (on_flush_) on_flush_(took);
    on_durable = on_durable_;
  }
  published_.SignalAll();
  if (on_durable) on_durable(ticket);
}

}  // namespace persister
