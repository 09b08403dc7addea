// How a network and its ends are closed: Close, Cleanup, and which thread
// destroys what.

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/unit/labrpc/network_fixture.h"

namespace tests {
namespace {

using std::chrono::milliseconds;

class NetworkEnding : public NetworkTest {
 protected:
  // Makes every call wait for seconds, for nothing.
  void Isolate() {
    network_->Enable("end", false);
    network_->LongDelays(true);
  }
};

TEST_F(NetworkEnding, CloseDropsPendingCallbacks) {
  Isolate();
  auto token = std::make_shared<int>(0);
  for (int i = 0; i < 20; ++i) {
    end_->CallAsync(kEcho, "x", [token](Outcomes::Outcome) { FAIL(); });
  }
  end_->CallAsync(kEcho, "x", outcomes_.Callback());
  AddEnd("other")->CallAsync(kWait, "x", outcomes_.Callback());

  end_->Close();
  EXPECT_EQ(token.use_count(), 1) << "a callback was kept";
  end_->Close();

  // Other ends are not concerned.
  gate_.Open();
  EXPECT_EQ(Successes(outcomes_.Await(1)), 1);
}

TEST_F(NetworkEnding, CloseEndsBlockedCalls) {
  Isolate();
  network_->Enable("end", true);
  std::thread at_handler(
      [this] { EXPECT_EQ(end_->Call(kWait, "x"), std::nullopt); });
  gate_.AwaitArrivals(1);
  network_->Enable("end", false);
  std::thread undeliverable(
      [this] { EXPECT_EQ(end_->Call(kEcho, "x"), std::nullopt); });
  while (network_->GetTotalCount() < 2) {
    std::this_thread::sleep_for(milliseconds(1));
  }

  end_->Close();
  at_handler.join();
  undeliverable.join();
}

TEST_F(NetworkEnding, AClosedEndRefusesCalls) {
  end_->Close();
  EXPECT_EQ(end_->Call(kEcho, "x"), std::nullopt);
  end_->CallAsync(kEcho, "x", [](Outcomes::Outcome) { FAIL(); });
  EXPECT_EQ(network_->GetTotalCount(), 0);
}

TEST_F(NetworkEnding, CloseWaitsForRunningCallbacks) {
  Gate gate;
  std::atomic<bool> returned{false};
  end_->CallAsync(kEcho, "x", [&](Outcomes::Outcome) {
    gate.Pass();
    std::this_thread::sleep_for(milliseconds(20));
    returned = true;
  });
  gate.AwaitArrivals(1);

  std::vector<std::thread> closers;
  for (int i = 0; i < 4; ++i) {
    closers.emplace_back([&] {
      end_->Close();
      EXPECT_TRUE(returned);
    });
  }
  gate.Open();
  for (std::thread& closer : closers) closer.join();
}

// Closes an end when it is destroyed, as a Raft does, then says so.
class Closer {
 public:
  Closer(std::shared_ptr<rpc::ClientEnd> end, Gate* closed)
      : end_(std::move(end)), closed_(closed) {}
  ~Closer() {
    end_->Close();
    closed_->Open();
  }

 private:
  std::shared_ptr<rpc::ClientEnd> end_;
  Gate* const closed_;
};

constexpr rpc::Method<int, int> kHold{"Raft.Hold"};

// A server whose handler waits at `gate` and whose death closes `end`.
std::shared_ptr<labrpc::Server> MakeClosingServer(
    std::shared_ptr<rpc::ClientEnd> end, Gate* gate, Gate* closed) {
  rpc::Service raft("Raft");
  raft.Handle(kHold, [gate, closer = std::make_shared<Closer>(std::move(end),
                                                              closed)](int x) {
    gate->Pass();
    return x;
  });
  auto server = std::make_shared<labrpc::Server>();
  server->AddService(std::move(raft));
  return server;
}

// The worker that ran the last handler drops the last reference to the service.
TEST_F(NetworkEnding, ADyingServiceMayCloseItsEnds) {
  Gate closed;
  network_->AddServer("server",
                      MakeClosingServer(AddEnd("of raft"), &gate_, &closed));
  std::thread caller([&] { EXPECT_EQ(end_->Call(kHold, 1), std::nullopt); });
  gate_.AwaitArrivals(1);
  network_->DeleteServer("server");
  caller.join();

  gate_.Open();
  closed.Pass();
}

// The last reference belongs to a request that is still under way when the
// network ends.
TEST_F(NetworkEnding, CleanupMayDropTheLastReference) {
  for (int round = 0; round < 20; ++round) {
    Gate closed;
    labrpc::Network network;
    const auto end = network.MakeEnd("end");
    network.Connect("end", "server");
    network.Enable("end", true);
    network.AddServer("server", MakeClosingServer(end, &gate_, &closed));
    network.Reliable(false);
    gate_.Open();
    end->CallAsync(kHold, 1, [](std::optional<int>) {});
    network.DeleteServer("server");

    network.Cleanup();
    closed.Pass();
  }
}

// A callback's closure holds the last reference to what closes its own end.
TEST_F(NetworkEnding, ADyingCallbackMayCloseItsEnd) {
  Gate closed;
  auto closer = std::make_shared<Closer>(end_, &closed);
  end_->CallAsync(kEcho, "x",
                  [closer = std::move(closer)](Outcomes::Outcome outcome) {
                    EXPECT_EQ(outcome, "x!");
                  });
  closed.Pass();
}

// The same for a callback that is dropped without having run.
TEST_F(NetworkEnding, ADroppedCallbackMayCloseItsEnd) {
  Isolate();
  Gate closed;
  auto closer = std::make_shared<Closer>(end_, &closed);
  end_->CallAsync(kEcho, "x",
                  [closer = std::move(closer)](Outcomes::Outcome) { FAIL(); });
  end_->Close();
  closed.Pass();
}

TEST_F(NetworkEnding, CleanupEndsPendingCallsWithNothing) {
  Isolate();
  for (int i = 0; i < 20; ++i) {
    end_->CallAsync(kEcho, "x", outcomes_.Callback());
  }
  std::thread blocked(
      [this] { EXPECT_EQ(end_->Call(kEcho, "x"), std::nullopt); });
  while (network_->GetTotalCount() < 21) {
    std::this_thread::sleep_for(milliseconds(1));
  }

  network_->Cleanup();
  EXPECT_EQ(outcomes_.Now().size(), 20u);
  EXPECT_EQ(Successes(outcomes_.Now()), 0);
  blocked.join();
}

// Those too whose delay is over at that very moment.
TEST_F(NetworkEnding, CleanupEndsCallsThatWereJustEnding) {
  for (int round = 0; round < 5; ++round) {
    Outcomes outcomes;
    labrpc::Network network;
    const auto end = network.MakeEnd("end");
    for (int i = 0; i < 100; ++i) {
      end->CallAsync(kEcho, "x", outcomes.Callback());
    }
    std::this_thread::sleep_for(milliseconds(50));  // of 0..99
    network.Cleanup();
    EXPECT_EQ(outcomes.Now().size(), 100u);
  }
}

TEST_F(NetworkEnding, CleanupWaitsForRunningHandlers) {
  std::atomic<bool> returned{false};
  end_->CallAsync(kWait, "x", [&](Outcomes::Outcome outcome) {
    EXPECT_EQ(outcome, std::nullopt);
    gate_.Open();  // only now can the handler return
    returned = true;
  });
  gate_.AwaitArrivals(1);

  network_->Cleanup();
  EXPECT_TRUE(returned);
  EXPECT_EQ(log_.Replies(Fate::kRefused), 1);
}

// Handlers that wait for calls of their own must not hold Cleanup up, however
// many there are.
TEST_F(NetworkEnding, CleanupEndsTheCallsOfHandlers) {
  constexpr rpc::Method<int, int> kNested{"Nested.Call"};
  rpc::Service nested("Nested");
  network_->MakeEnd("nowhere");
  const auto loose = network_->MakeEnd("loose");
  network_->LongDelays(true);
  Gate in_handler;
  in_handler.Open();
  nested.Handle(kNested, [&](int x) {
    in_handler.Pass();
    loose->Call(kEcho, "x");
    return x;
  });
  server_->AddService(std::move(nested));
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] { end_->Call(kNested, 1); });
  }
  in_handler.AwaitArrivals(8);

  network_->Cleanup();
  for (std::thread& caller : callers) caller.join();
}

TEST_F(NetworkEnding, AfterCleanupNothingIsAccepted) {
  end_->Call(kEcho, "x");
  network_->Cleanup();
  network_->Cleanup();

  EXPECT_EQ(end_->Call(kEcho, "x"), std::nullopt);
  end_->CallAsync(kEcho, "x", [](Outcomes::Outcome) { FAIL(); });
  EXPECT_EQ(network_->GetTotalCount(), 1);

  network_.reset();
  EXPECT_EQ(end_->Call(kEcho, "x"), std::nullopt) << "ends may outlive it";
  end_->Close();
}

TEST_F(NetworkEnding, ItsDestructorIsACleanup) {
  network_.reset();
  EXPECT_EQ(end_->Call(kEcho, "x"), std::nullopt);
}

// A service owns its ends, and an end a share of the network.
TEST_F(NetworkEnding, CleanupLetsServersGo) {
  Gate closed;
  rpc::Service raft("Raft");
  raft.Handle(
      rpc::Method<int, int>{"Raft.Nop"},
      [closer = std::make_shared<Closer>(end_, &closed)](int x) { return x; });
  server_->AddService(std::move(raft));
  std::weak_ptr<labrpc::Server> server = server_;
  server_.reset();

  network_->Cleanup();
  EXPECT_TRUE(server.expired());
  closed.Pass();

  server = AddServer("late");
  EXPECT_TRUE(server.expired());
  EXPECT_EQ(network_->GetCount("late"), 0);
}

// What callbacks refer to goes right after Close, or after Cleanup, while calls
// are made from two threads and outcomes of all kinds come in. For sanitizers.
class Victim {
 public:
  explicit Victim(std::shared_ptr<rpc::ClientEnd> end) : end_(std::move(end)) {
    for (int i = 0; i < 2; ++i) {
      callers_.emplace_back([this] {
        while (!stop_) Call();
      });
    }
  }
  ~Victim() {
    stop_ = true;
    end_->Close();
    for (std::thread& caller : callers_) caller.join();
    const int outcomes = outcomes_;
    EXPECT_GE(outcomes, 0) << "a callback ran in a dead victim";
  }

 private:
  void Call() {
    end_->CallAsync(kEcho, "x", [this](Outcomes::Outcome) { ++outcomes_; });
    end_->CallAsync(kEcho, "y", [this](Outcomes::Outcome) { ++outcomes_; });
    end_->Call(kEcho, "z");
  }

  std::atomic<bool> stop_{false};
  std::atomic<int> outcomes_{0};
  const std::shared_ptr<rpc::ClientEnd> end_;
  std::vector<std::thread> callers_;
};

TEST_F(NetworkEnding, ClosingUnderFireIsSafe) {
  network_->Reliable(false);
  network_->LongReordering(true);
  for (int round = 0; round < 30; ++round) {
    const std::string name = absl::StrCat("end", round);
    Victim victim(AddEnd(name));
    if (round % 3 == 0) network_->Reliable(round % 2 == 0);
    std::this_thread::sleep_for(milliseconds(2));
    if (round % 4 == 0) network_->Enable(name, false);
    if (round % 5 == 0) AddServer("server");
  }
}

TEST(NetworkEndingRace, CleanupUnderFireIsSafe) {
  for (int round = 0; round < 20; ++round) {
    labrpc::Network network;
    auto server = std::make_shared<labrpc::Server>();
    rpc::Service service("Test");
    service.Handle(kEcho, [](const std::string& args) { return args; });
    server->AddService(std::move(service));
    network.AddServer("server", server);
    std::vector<std::unique_ptr<Victim>> victims;
    for (int i = 0; i < 2; ++i) {
      const std::string name = absl::StrCat(i);
      auto end = network.MakeEnd(name);
      network.Connect(name, "server");
      network.Enable(name, true);
      victims.push_back(std::make_unique<Victim>(std::move(end)));
    }
    network.Reliable(round % 2 == 0);
    std::this_thread::sleep_for(milliseconds(2));
    std::thread killer([&] { victims.pop_back(); });
    network.Cleanup();
    killer.join();
  }
}

}  // namespace
}  // namespace tests
