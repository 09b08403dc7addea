#include "labrpc/core.h"

#include <utility>

#include "base/logging.h"

namespace labrpc {

EndId Core::MakeEnd(const std::string& name) {
  base::MutexLock lock(&mu_);
  const EndId id = ends_.size();
  const bool is_new = end_ids_.emplace(name, id).second;
  CHECK(is_new) << "MakeEnd: " << name << " already exists";
  ends_.push_back({.name = name});
  return id;
}

void Core::DeleteEnd(const std::string& name) {
  EndId id = 0;
  {
    base::MutexLock lock(&mu_);
    End& end = FindEndLocked(name, "DeleteEnd");
    end.enabled = false;
    end.slot = nullptr;
    id = end_ids_.extract(name).mapped();
  }
  PollRunningCalls(id);
}

void Core::Connect(const std::string& end_name,
                   const std::string& server_name) {
  base::MutexLock lock(&mu_);
  FindEndLocked(end_name, "Connect").slot = SlotLocked(server_name);
}

void Core::Enable(const std::string& end_name, bool enabled) {
  EndId id = 0;
  {
    base::MutexLock lock(&mu_);
    FindEndLocked(end_name, "Enable").enabled = enabled;
    id = end_ids_[end_name];
  }
  if (!enabled) PollRunningCalls(id);
}

void Core::SetServer(const std::string& name, std::shared_ptr<Server> server) {
  // On return `server` is the one replaced: destroyed here, without the lock.
  std::vector<CallId> dead;
  {
    base::MutexLock lock(&mu_);
    if (cleaned_up_) return;
    Slot* const slot = SlotLocked(name);
    slot->server.swap(server);
    for (auto& [id, call] : calls_) {
      if (call.slot != slot || call.phase != Phase::kRunning) continue;
      if (!IsDeadLocked(call)) continue;
      call.phase = Phase::kEnded;
      dead.push_back(id);
    }
  }
  Submit(dead);
}

void Core::SetObserver(Observer observer) {
  base::MutexLock lock(&mu_);
  CHECK_EQ(total_count_, 0) << "the observer must be set before the first call";
  observer_.swap(observer);
}

void Core::SetTap(Tap tap) {
  base::MutexLock lock(&mu_);
  CHECK_EQ(total_count_, 0) << "the tap must be set before the first call";
  tap_.swap(tap);
}

int64_t Core::GetCount(const std::string& server_name) const {
  base::MutexLock lock(&mu_);
  const auto slot = slots_.find(server_name);
  if (slot == slots_.end() || slot->second.server == nullptr) return 0;
  return slot->second.server->GetCount();
}

Core::Flags Core::GetFlags() const {
  base::MutexLock lock(&mu_);
  return flags_;
}

void Core::SetFlag(bool Flags::*flag, bool value) {
  base::MutexLock lock(&mu_);
  flags_.*flag = value;
}

int64_t Core::GetTotalCount() const {
  base::MutexLock lock(&mu_);
  return total_count_;
}

int64_t Core::GetTotalBytes() const {
  base::MutexLock lock(&mu_);
  return total_bytes_;
}

void Core::Cleanup() {
  std::vector<CallId> ended;
  {
    base::MutexLock lock(&mu_);
    cleaned_up_ = true;
    for (auto& [id, call] : calls_) {
      if (call.phase == Phase::kEnded) continue;
      call.phase = Phase::kEnded;
      call.outcome.reset();
      ended.push_back(id);
    }
  }
  Submit(ended);
  // The timers go last: through them the pool grows while handlers block.
  workers_.Shutdown();
  timers_.Shutdown();

  // Servers own Rafts, Rafts own ends, ends own this core: cut the circle.
  std::vector<std::shared_ptr<Server>> servers;  // destroyed without the lock
  base::MutexLock lock(&mu_);
  for (auto& [name, slot] : slots_) servers.push_back(std::move(slot.server));
}

Core::End& Core::FindEndLocked(const std::string& name, const char* operation) {
  const auto found = end_ids_.find(name);
  CHECK(found != end_ids_.end())
      << operation << ": " << name << " does not exist";
  return ends_[found->second];
}

Core::Slot* Core::SlotLocked(const std::string& name) {
  return &slots_.try_emplace(name, Slot{name, nullptr}).first->second;
}

void Core::PollRunningCalls(EndId end) {
  const auto now = TimerQueue::Clock::now();
  std::vector<std::pair<TimerQueue::Clock::time_point, CallId>> polls;
  {
    base::MutexLock lock(&mu_);
    for (const auto& [id, call] : calls_) {
      if (call.end != end || call.phase != Phase::kRunning) continue;
      const auto elapsed = (now - call.started) / kPollInterval;
      polls.emplace_back(call.started + (elapsed + 1) * kPollInterval, id);
    }
  }
  for (const auto& [when, id] : polls) PollAt(when, id);
}

}  // namespace labrpc
