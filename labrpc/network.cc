#include "labrpc/network.h"

#include <utility>

#include "base/logging.h"
#include "labrpc/core.h"

namespace labrpc {
namespace {

// What MakeEnd() returns: a name and a share of the network's inside.
class End : public rpc::ClientEnd {
 public:
  End(std::shared_ptr<Core> core, EndId id) : core_(std::move(core)), id_(id) {}

  void Close() override { core_->Close(id_); }

 protected:
  Outcome CallBytes(std::string_view method, std::string args) override {
    const auto waiter = std::make_shared<Waiter>();
    const bool sent =
        core_->Send(id_, method, std::move(args), {.waiter = waiter});
    return sent ? waiter->Await() : std::nullopt;
  }

  void CallBytesAsync(std::string_view method, std::string args,
                      DoneBytes done) override {
    core_->Send(id_, method, std::move(args), {.callback = std::move(done)});
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
  return std::make_shared<End>(core_, core_->MakeEnd(name));
}

void Network::DeleteEnd(const std::string& name) { core_->DeleteEnd(name); }

void Network::Connect(const std::string& end_name,
                      const std::string& server_name) {
  core_->Connect(end_name, server_name);
}

void Network::Enable(const std::string& end_name, bool enabled) {
  core_->Enable(end_name, enabled);
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
  core_->SetFlag(&Core::Flags::reliable, yes);
}

void Network::LongReordering(bool yes) {
  core_->SetFlag(&Core::Flags::long_reordering, yes);
}

void Network::LongDelays(bool yes) {
  core_->SetFlag(&Core::Flags::long_delays, yes);
}

bool Network::IsReliable() const { return core_->GetFlags().reliable; }

bool Network::IsLongReordering() const {
  return core_->GetFlags().long_reordering;
}

bool Network::IsLongDelays() const { return core_->GetFlags().long_delays; }

int64_t Network::GetCount(const std::string& server_name) const {
  return core_->GetCount(server_name);
}

int64_t Network::GetTotalCount() const { return core_->GetTotalCount(); }

int64_t Network::GetTotalBytes() const { return core_->GetTotalBytes(); }

void Network::SetObserver(Observer observer) {
  core_->SetObserver(std::move(observer));
}

void Network::SetTap(Tap tap) { core_->SetTap(std::move(tap)); }

bool Network::Release(uint64_t call) { return core_->Release(call); }

void Network::Cleanup() { core_->Cleanup(); }

}  // namespace labrpc
