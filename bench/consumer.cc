#include "bench/consumer.h"

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
  Check(*message, ++taken_);
  Add(1);
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
    for (const raft::ApplyMsg& message : batch) Check(message, ++taken_);
    Add(batch.size());
  }
}

void Consumer::Check(const raft::ApplyMsg& message, uint64_t number) const {
  CHECK(message.kind == raft::ApplyMsg::Kind::kCommand);
  CHECK_EQ(message.index, number) << "delivered out of order, or not once";
  CHECK(commands_.Is(number, message.command))
      << "index " << number << " has the wrong command";
}

// One lock for a batch, so that counting costs the run nothing.
void Consumer::Add(uint64_t messages) {
  MutexLock lock(&mu_);
  count_ += messages;
  while (times_.size() < watched_.size() && count_ >= watched_[times_.size()]) {
    times_.push_back(Clock::now());
  }
  if (awaited_ > 0 && count_ >= awaited_) reached_.SignalAll();
}

}  // namespace bench
