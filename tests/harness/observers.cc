#include "tests/harness/observers.h"

#include <atomic>
#include <optional>
#include <utility>

namespace harness {
namespace {

uint64_t NextStep() {
  static std::atomic<uint64_t> steps = 0;
  return ++steps;
}

}  // namespace

void Observers::OnPacket(const labrpc::Packet& packet) const {
  if (list_.empty()) return;
  const std::optional<Message> message = DecodeMessage(packet);
  if (!message.has_value() || message->link.group != group_) return;
  Tell(&ClusterObserver::OnMessage, *message);
}

void Observers::OnSave(raft::ServerId server, int incarnation,
                       DiskReader* reader, const base::Rope& raft_state,
                       const base::Rope* snapshot) const {
  if (list_.empty() || !CanReadDisks()) return;
  std::optional<DiskState> state = reader->Read(raft_state);
  if (state.has_value() && snapshot != nullptr) state->snapshot = *snapshot;
  Tell(&ClusterObserver::OnSave, server, incarnation, state);
}

raft::State Observers::GetState(
    raft::ServerId server, int incarnation,
    const std::function<raft::State()>& get_state) const {
  std::vector<raft::Term> floors;
  for (const auto& observer : list_) {
    floors.push_back(observer->TermSeen(server));
  }
  const raft::State state = get_state();
  for (size_t i = 0; i < list_.size(); ++i) {
    list_[i]->OnState(server, incarnation, floors[i], state);
  }
  return state;
}

void ObserversOfAll::Add(const Observers& group) {
  auto added = std::make_shared<const Observers>(group);
  base::SpinLockHolder lock(&lock_);
  by_group_[group.group()] = std::move(added);
}

ObserversOfAll::ByGroup ObserversOfAll::All() const {
  base::SpinLockHolder lock(&lock_);
  return by_group_;
}

void ObserversOfAll::OnPacket(const labrpc::Packet& packet) const {
  const std::optional<Message> message = DecodeMessage(packet);
  if (!message.has_value()) return;
  std::shared_ptr<const Observers> group;
  {
    base::SpinLockHolder lock(&lock_);
    const auto found = by_group_.find(message->link.group);
    if (found != by_group_.end()) group = found->second;
  }
  if (group != nullptr) group->Tell(&ClusterObserver::OnMessage, *message);
}

Step::Step(const Observers& observers, std::string_view name,
           std::string_view text, Place place)
    : observers_(observers),
      event_{.number = NextStep(),
             .is_begin = true,
             .name = name,
             .text = text,
             .place = place} {
  observers_.Tell(&ClusterObserver::OnStep, event_);
}

Step::~Step() {
  event_.is_begin = false;
  event_.text = {};
  observers_.Tell(&ClusterObserver::OnStep, event_);
}

}  // namespace harness
