#include "persister/simulated_disk.h"

#include <utility>

namespace persister {

using base::MutexLock;
using base::Rope;

void SimulatedDisk::SetObserver(Observer observer) {
  MutexLock lock(&mu_);
  observer_ = std::move(observer);
}

std::shared_ptr<SimulatedDisk> SimulatedDisk::Copy() const {
  auto copy = std::make_shared<SimulatedDisk>();
  MutexLock lock(&mu_);
  copy->Save(raft_state_, snapshot_);
  return copy;
}

void SimulatedDisk::Save(Rope raft_state, Rope snapshot) {
  // Swapped, not assigned: the old values are freed after the lock is.
  MutexLock lock(&mu_);
  swap(raft_state_, raft_state);
  swap(snapshot_, snapshot);
  if (observer_) observer_(raft_state_, &snapshot_);
}

void SimulatedDisk::SaveRaftState(Rope raft_state) {
  MutexLock lock(&mu_);
  swap(raft_state_, raft_state);
  if (observer_) observer_(raft_state_, nullptr);
}

Rope SimulatedDisk::ReadRaftState() const {
  MutexLock lock(&mu_);
  return raft_state_;
}

Rope SimulatedDisk::ReadSnapshot() const {
  MutexLock lock(&mu_);
  return snapshot_;
}

}  // namespace persister
