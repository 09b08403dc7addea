#include "persister/persister.h"

#include <utility>

namespace persister {

using base::MutexLock;
using base::Rope;

void Persister::SetObserver(Observer observer) {
  MutexLock lock(&mu_);
  observer_ = std::move(observer);
}

std::shared_ptr<Persister> Persister::Copy() const {
  auto copy = std::make_shared<Persister>();
  MutexLock lock(&mu_);
  copy->Save(raft_state_, snapshot_);
  return copy;
}

void Persister::Save(Rope raft_state, Rope snapshot) {
  // Swapped, not assigned: the old values are freed after the lock is.
  MutexLock lock(&mu_);
  swap(raft_state_, raft_state);
  swap(snapshot_, snapshot);
  if (observer_) observer_(raft_state_);
}

void Persister::SaveRaftState(Rope raft_state) {
  MutexLock lock(&mu_);
  swap(raft_state_, raft_state);
  if (observer_) observer_(raft_state_);
}

Rope Persister::ReadRaftState() const {
  MutexLock lock(&mu_);
  return raft_state_;
}

Rope Persister::ReadSnapshot() const {
  MutexLock lock(&mu_);
  return snapshot_;
}

size_t Persister::RaftStateSize() const {
  MutexLock lock(&mu_);
  return raft_state_.size();
}

size_t Persister::SnapshotSize() const {
  MutexLock lock(&mu_);
  return snapshot_.size();
}

}  // namespace persister
