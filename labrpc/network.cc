#include "labrpc/network.h"

#include <utility>
#include <vector>

#include "base/logging.h"
#include "labrpc/core.h"

namespace labrpc {
namespace {

// Where the thread of a blocking call waits for the outcome.
class Waiter {
 public:
  // Has no effect if there is an outcome already.
  void Set(Outcome outcome) EXCLUDES(mu_) {
    {
      base::MutexLock lock(&mu_);
      if (std::exchange(is_set_, true)) return;
      outcome_ = std::move(outcome);
    }
    was_set_.Signal();
  }
  Outcome Await() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    while (!is_set_) was_set_.Wait(&mu_);
    return std::move(outcome_);
  }

 private:
  base::Mutex mu_;
  base::CondVar was_set_;
  bool is_set_ ABSL_GUARDED_BY(mu_) = false;
  Outcome outcome_ ABSL_GUARDED_BY(mu_);
};

// What MakeEnd() returns: an end's number, and a share of the core.
class ClientEnd : public rpc::ClientEnd {
 public:
  ClientEnd(std::shared_ptr<Core> core, EndId id)
      : rpc::ClientEnd(BadReply::kFatal), core_(std::move(core)), id_(id) {}

  void Close() override { core_->Close(id_); }

 protected:
  Outcome CallFrame(std::string_view method, rpc::Frame args) override {
    const auto waiter = std::make_shared<Waiter>();
    // A callback that is dropped ends the wait too.
    std::shared_ptr<Waiter> promise(
        waiter.get(), [waiter](Waiter* w) { w->Set(std::nullopt); });
    core_->Send(id_, method, std::move(args),
                [promise = std::move(promise)](Outcome outcome) {
                  promise->Set(std::move(outcome));
                });
    return waiter->Await();
  }

  void CallFrameAsync(std::string_view method, rpc::Frame args,
                      DoneBytes done) override {
    core_->Send(id_, method, std::move(args), std::move(done));
  }

 private:
  const std::shared_ptr<Core> core_;
  const EndId id_;
};

}  // namespace

Network::Network(std::string_view random_owner)
    : core_(std::make_shared<Core>(base::Random::ForOwner(random_owner))) {}

Network::~Network() { Cleanup(); }

std::shared_ptr<rpc::ClientEnd> Network::MakeEnd(const std::string& name) {
  base::MutexLock lock(&core_->mu_);
  const EndId id = core_->ends_.size();
  const bool is_new = core_->end_ids_.emplace(name, id).second;
  CHECK(is_new) << "MakeEnd: " << name << " already exists";
  core_->ends_.push_back({.name = name});
  return std::make_shared<ClientEnd>(core_, id);
}

void Network::DeleteEnd(const std::string& name) {
  EndId id = 0;
  {
    base::MutexLock lock(&core_->mu_);
    id = core_->FindEndLocked(name, "DeleteEnd");
    core_->ends_[id].enabled = false;
    core_->ends_[id].slot = nullptr;
    core_->end_ids_.erase(name);
  }
  core_->PollRunningCalls(id);
}

void Network::Connect(const std::string& end_name,
                      const std::string& server_name) {
  base::MutexLock lock(&core_->mu_);
  const EndId id = core_->FindEndLocked(end_name, "Connect");
  core_->ends_[id].slot = core_->SlotLocked(server_name);
}

void Network::Enable(const std::string& end_name, bool enabled) {
  EndId id = 0;
  {
    base::MutexLock lock(&core_->mu_);
    id = core_->FindEndLocked(end_name, "Enable");
    core_->ends_[id].enabled = enabled;
  }
  if (!enabled) core_->PollRunningCalls(id);
}

void Network::AddServer(const std::string& name,
                        std::shared_ptr<Server> server) {
  CHECK(server != nullptr) << "AddServer: " << name << " needs a server";
  core_->SetServer(name, std::move(server));
}

void Network::DeleteServer(const std::string& name) {
  core_->SetServer(name, nullptr);
}

void Network::Reliable(bool yes) {
  base::MutexLock lock(&core_->mu_);
  core_->flags_.reliable = yes;
}

void Network::LongReordering(bool yes) {
  base::MutexLock lock(&core_->mu_);
  core_->flags_.long_reordering = yes;
}

void Network::LongDelays(bool yes) {
  base::MutexLock lock(&core_->mu_);
  core_->flags_.long_delays = yes;
}

bool Network::IsReliable() const {
  base::MutexLock lock(&core_->mu_);
  return core_->flags_.reliable;
}

bool Network::IsLongReordering() const {
  base::MutexLock lock(&core_->mu_);
  return core_->flags_.long_reordering;
}

bool Network::IsLongDelays() const {
  base::MutexLock lock(&core_->mu_);
  return core_->flags_.long_delays;
}

int64_t Network::GetCount(const std::string& server_name) const {
  base::MutexLock lock(&core_->mu_);
  const auto slot = core_->slots_.find(server_name);
  if (slot == core_->slots_.end() || slot->second.server == nullptr) return 0;
  return slot->second.server->GetCount();
}

int64_t Network::GetTotalCount() const {
  base::MutexLock lock(&core_->mu_);
  return core_->total_count_;
}

int64_t Network::GetTotalBytes() const {
  base::MutexLock lock(&core_->mu_);
  return static_cast<int64_t>(core_->total_bytes_);
}

void Network::SetObserver(Observer observer) {
  base::MutexLock lock(&core_->mu_);
  CHECK_EQ(core_->total_count_, 0)
      << "the observer must be set before the first call";
  core_->observer_.swap(observer);
}

void Network::SetTap(Tap tap) {
  base::MutexLock lock(&core_->mu_);
  CHECK_EQ(core_->total_count_, 0)
      << "the tap must be set before the first call";
  core_->tap_.swap(tap);
}

bool Network::Release(uint64_t call) {
  {
    base::MutexLock lock(&core_->mu_);
    const auto found = core_->calls_.find(call);
    if (found == core_->calls_.end()) return false;
    Core::Hold& hold = found->second.hold;
    const bool is_asking = hold == Core::Hold::kAsking;
    if (!is_asking && hold != Core::Hold::kHeld) return false;
    hold = Core::Hold::kReleased;
    if (is_asking) return true;
  }
  core_->Obey(call, Ruling::kPass);
  return true;
}

void Network::Cleanup() {
  std::vector<CallId> failed;
  {
    base::MutexLock lock(&core_->mu_);
    core_->cleaned_up_ = true;
    for (auto& [id, call] : core_->calls_) {
      if (call.phase == Core::Phase::kCompleted) continue;
      core_->FailLocked(&call);
      failed.push_back(id);
    }
  }
  for (const CallId id : failed) {
    core_->Schedule(id, Core::Phase::kCompleted);
  }
  // The timers go last: through them the pool grows while handlers block.
  core_->workers_.Shutdown();
  core_->timers_.Shutdown();

  // Servers own Rafts, Rafts own ends, ends own the core: cut the cycle.
  std::vector<std::shared_ptr<Server>> servers;
  // Another thread had completed them, and then found no worker any more.
  std::vector<Core::CompletedCall> left;
  {
    base::MutexLock lock(&core_->mu_);
    for (auto& [name, slot] : core_->slots_) {
      servers.push_back(std::move(slot.server));
    }
    while (!core_->calls_.empty()) {
      core_->FailLocked(&core_->calls_.begin()->second);
      left.push_back(core_->TakeLocked(core_->calls_.begin()));
    }
  }
  for (Core::CompletedCall& call : left) core_->Complete(&call);
}

EndId Core::FindEndLocked(const std::string& name, const char* operation) {
  const auto found = end_ids_.find(name);
  CHECK(found != end_ids_.end())
      << operation << ": " << name << " does not exist";
  return found->second;
}

Core::Slot* Core::SlotLocked(const std::string& name) {
  return &slots_.try_emplace(name, Slot{name, nullptr}).first->second;
}

}  // namespace labrpc
