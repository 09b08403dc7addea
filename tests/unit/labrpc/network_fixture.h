// What the network's unit tests share: gates to hold handlers and callbacks at,
// a log of all packets, a collector of outcomes, and a network with one server.
//
// Thread safety: Gate, PacketLog and Outcomes are safe.

#ifndef TESTS_UNIT_LABRPC_NETWORK_FIXTURE_H_
#define TESTS_UNIT_LABRPC_NETWORK_FIXTURE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "gtest/gtest.h"
#include "labrpc/network.h"
#include "rpc/rpc.h"

namespace tests {

inline constexpr rpc::Method<std::string, std::string> kEcho{"Test.Echo"};
inline constexpr rpc::Method<std::string, std::string> kWait{"Test.Wait"};

// Blocks the threads that pass until it is opened, permanently.
class Gate {
 public:
  void Pass() {
    base::MutexLock lock(&mu_);
    ++arrived_;
    changed_.SignalAll();
    while (!open_) changed_.Wait(&mu_);
  }
  void Open() {
    base::MutexLock lock(&mu_);
    open_ = true;
    changed_.SignalAll();
  }
  // Waits until `count` threads in all have come to the gate.
  void AwaitArrivals(int count) {
    base::MutexLock lock(&mu_);
    while (arrived_ < count) changed_.Wait(&mu_);
  }

 private:
  base::Mutex mu_;
  base::CondVar changed_;
  int arrived_ ABSL_GUARDED_BY(mu_) = 0;
  bool open_ ABSL_GUARDED_BY(mu_) = false;
};

// Counts the packets of each kind and fate.
class PacketLog {
 public:
  labrpc::Observer Observer() {
    return [this](const labrpc::Packet& packet) {
      base::MutexLock lock(&mu_);
      std::ostringstream line;
      line << packet;
      lines_.push_back(line.str());
      ++counts_[Slot(packet.kind, packet.fate)];
    };
  }
  int Requests(labrpc::Packet::Fate fate) {
    base::MutexLock lock(&mu_);
    return counts_[Slot(Kind::kRequest, fate)];
  }
  int Replies(labrpc::Packet::Fate fate) {
    base::MutexLock lock(&mu_);
    return counts_[Slot(Kind::kReply, fate)];
  }
  std::vector<std::string> lines() {
    base::MutexLock lock(&mu_);
    return lines_;
  }

 private:
  using Kind = labrpc::Packet::Kind;
  static size_t Slot(Kind kind, labrpc::Packet::Fate fate) {
    return static_cast<size_t>(fate) * 2 + static_cast<size_t>(kind);
  }

  base::Mutex mu_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
  int counts_[10] ABSL_GUARDED_BY(mu_) = {};
};

// Collects what asynchronous calls yield, and on which threads.
class Outcomes {
 public:
  using Outcome = std::optional<std::string>;

  std::function<void(Outcome)> Callback() {
    return [this](Outcome outcome) {
      base::MutexLock lock(&mu_);
      outcomes_.push_back(std::move(outcome));
      threads_.push_back(std::this_thread::get_id());
      added_.SignalAll();
    };
  }
  // Waits for `count` outcomes and returns all there are, in order of arrival.
  std::vector<Outcome> Await(size_t count) {
    base::MutexLock lock(&mu_);
    while (outcomes_.size() < count) added_.Wait(&mu_);
    return outcomes_;
  }
  std::vector<Outcome> Now() { return Await(0); }
  // The threads that ran the callbacks, one for each outcome.
  std::vector<std::thread::id> threads() {
    base::MutexLock lock(&mu_);
    return threads_;
  }

 private:
  base::Mutex mu_;
  base::CondVar added_;
  std::vector<Outcome> outcomes_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread::id> threads_ ABSL_GUARDED_BY(mu_);
};

inline int64_t Successes(const std::vector<Outcomes::Outcome>& outcomes) {
  int64_t successes = 0;
  for (const auto& outcome : outcomes) successes += outcome.has_value();
  return successes;
}

// A network with the server "server", and the end "end" that leads to it.
//
// Echo answers "<args>!", Wait does so once gate_ is open.
class NetworkTest : public testing::Test {
 protected:
  using Fate = labrpc::Packet::Fate;

  NetworkTest() {
    network_->SetObserver(log_.Observer());
    server_ = AddServer("server");
    end_ = AddEnd("end");
  }
  ~NetworkTest() override {
    gate_.Open();
    if (network_ != nullptr) network_->Cleanup();
  }

  // Registers a new server object of that name.
  std::shared_ptr<labrpc::Server> AddServer(const std::string& name) {
    rpc::Service service("Test");
    service.Handle(kEcho, [](const std::string& args) { return args + "!"; });
    service.Handle(kWait, [this](const std::string& args) {
      gate_.Pass();
      return args + "!";
    });
    auto server = std::make_shared<labrpc::Server>();
    server->AddService(std::move(service));
    network_->AddServer(name, server);
    return server;
  }

  // Makes an enabled end that leads to "server".
  std::shared_ptr<rpc::ClientEnd> AddEnd(const std::string& name) {
    std::shared_ptr<rpc::ClientEnd> end = network_->MakeEnd(name);
    network_->Connect(name, "server");
    network_->Enable(name, true);
    return end;
  }

  PacketLog log_;
  Gate gate_;
  Outcomes outcomes_;
  std::unique_ptr<labrpc::Network> network_ =
      std::make_unique<labrpc::Network>();
  std::shared_ptr<labrpc::Server> server_;
  std::shared_ptr<rpc::ClientEnd> end_;
};

}  // namespace tests

#endif  // TESTS_UNIT_LABRPC_NETWORK_FIXTURE_H_
