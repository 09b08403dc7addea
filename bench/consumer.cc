#include "bench/consumer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/logging.h"

namespace bench {

using base::MutexLock;

Consumer::~Consumer() {
  if (thread_.joinable()) thread_.join();
}

void Consumer::Run() {
  thread_ = std::thread([this] { Loop(); });
}

bool Consumer::TakeOne() {
  const std::optional<raft::ApplyMsg> message = channel_->Receive();
  if (!message.has_value()) return false;
  Take(*message);
  CountTaken();
  return true;
}

void Consumer::Watch(std::vector<uint64_t> counts) {
  MutexLock lock(&mu_);
  watched_ = std::move(counts);
  times_.clear();
}

std::vector<Clock::time_point> Consumer::Reached() {
  MutexLock lock(&mu_);
  return times_;
}

bool Consumer::Await(uint64_t count, Clock::time_point deadline) {
  MutexLock lock(&mu_);
  awaited_ = count;
  while (count_ < count) {
    if (!reached_.WaitUntil(&mu_, deadline)) break;
  }
  awaited_ = 0;
  return count_ >= count;
}

uint64_t Consumer::count() {
  MutexLock lock(&mu_);
  return count_;
}

void Consumer::Loop() {
  while (true) {
    const std::vector<raft::ApplyMsg> batch = channel_->ReceiveBatch();
    if (batch.empty()) return;
    for (const raft::ApplyMsg& message : batch) Take(message);
    CountTaken();
  }
}

void Consumer::Take(const raft::ApplyMsg& message) {
  if (message.kind == raft::ApplyMsg::Kind::kSnapshot) return Install(message);
  Check(message, ++taken_);
  if (snapshots_.interval > 0 && taken_ % snapshots_.interval == 0) {
    raft_->Snapshot(taken_, Snapshot());
  }
}

void Consumer::Check(const raft::ApplyMsg& message, uint64_t number) const {
  CHECK_EQ(message.index, number) << "delivered out of order, or not once";
  CHECK(commands_.Is(number, message.command))
      << "index " << number << " has the wrong command";
}

void Consumer::Install(const raft::ApplyMsg& message) {
  CHECK_GT(message.index, taken_) << "a snapshot of what was delivered";
  taken_ = message.index;
  const base::Rope own = Snapshot();
  CHECK_EQ(message.snapshot.size(), own.size());
  // The rest is long.
  const size_t head = std::min<size_t>(own.size(), 4'096);
  std::string bytes[2];
  message.snapshot.CopyTo(0, head, &bytes[0]);
  own.CopyTo(0, head, &bytes[1]);
  CHECK(bytes[0] == bytes[1]) << "another snapshot";
}

// Of the state after the commands taken.
base::Rope Consumer::Snapshot() const {
  base::Rope snapshot = snapshots_.state;
  snapshot.Prepend({reinterpret_cast<const char*>(&taken_), sizeof(taken_)});
  return snapshot;
}

// One lock for a batch, so that counting costs the run nothing.
void Consumer::CountTaken() {
  MutexLock lock(&mu_);
  count_ = taken_;
  while (times_.size() < watched_.size() && count_ >= watched_[times_.size()]) {
    times_.push_back(Clock::now());
  }
  if (awaited_ > 0 && count_ >= awaited_) reached_.SignalAll();
}

}  // namespace bench
