// Handlers that answer later: their calls meet all that running handlers' do.

#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "labrpc/tap.h"
#include "tests/unit/labrpc/network_fixture.h"

namespace tests {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Responder = rpc::Responder<std::string>;
using Results = std::vector<std::optional<std::string>>;

constexpr rpc::Method<std::string, std::string> kAsk{"Later.Ask"};

// The calls that handlers left to be answered, in order of arrival.
//
// Thread safety: safe.
class Questions {
 public:
  // A service whose handler leaves its calls here.
  rpc::Service Service() {
    rpc::Service service("Later");
    service.HandleAsync(kAsk, [this](const std::string&, Responder respond) {
      Add(std::move(respond));
    });
    return service;
  }
  void Add(Responder respond) {
    base::MutexLock lock(&mu_);
    waiting_.push_back(std::move(respond));
    added_.SignalAll();
  }
  void Await(size_t count) {
    base::MutexLock lock(&mu_);
    while (waiting_.size() < count) added_.Wait(&mu_);
  }
  // Waits for the next one and hands it out.
  Responder Take() {
    Await(1);
    base::MutexLock lock(&mu_);
    Responder first = std::move(waiting_.front());
    waiting_.pop_front();
    return first;
  }
  void AnswerAll() {
    base::MutexLock lock(&mu_);
    for (Responder& respond : waiting_) std::move(respond).Send("x");
    waiting_.clear();
  }
  void DropAll() {
    base::MutexLock lock(&mu_);
    waiting_.clear();
  }

 private:
  base::Mutex mu_;
  base::CondVar added_;
  std::deque<Responder> waiting_ ABSL_GUARDED_BY(mu_);
};

class NetworkLater : public NetworkTest {
 protected:
  NetworkLater() { server_->AddService(questions_.Service()); }

  // Makes `count` calls, whose handlers have all returned when it returns.
  void Ask(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      end_->CallAsync(kAsk, "x", outcomes_.Callback());
    }
    questions_.Await(count);
  }

  Questions questions_;
};

TEST_F(NetworkLater, TheCallerGetsTheAnswer) {
  Ask(1);
  EXPECT_EQ(end_->Call(kEcho, "meanwhile"), "meanwhile!");
  EXPECT_EQ(outcomes_.Now(), Results{});
  EXPECT_EQ(log_.lines().size(), 3u) << "there is no reply yet";

  questions_.Take().Send("later");
  EXPECT_EQ(outcomes_.Await(1), Results{"later"});
  EXPECT_EQ(log_.lines().back(),
            "reply delivered end=end server=server method=Later.Ask bytes=13");
  EXPECT_EQ(log_.Replies(Fate::kDelivered), 2);
  EXPECT_EQ(network_->GetCount("server"), 2);
  EXPECT_EQ(network_->GetTotalBytes(), 9 + 13 + 17 + 18);
}

TEST_F(NetworkLater, AnswersComeInAnyOrderFromAnyThread) {
  std::thread caller([this] { EXPECT_EQ(end_->Call(kAsk, "x"), "first"); });
  Responder first = questions_.Take();
  Ask(1);
  std::thread([this] { questions_.Take().Send("second"); }).join();
  EXPECT_EQ(outcomes_.Await(1), Results{"second"});
  std::move(first).Send("first");
  caller.join();
}

// Locks may be held where it is answered: no foreign code runs on that stack.
TEST_F(NetworkLater, AnswersOnTheHandlersStackUnderALock) {
  constexpr rpc::Method<std::string, std::string> kAtOnce{"Now.Ask"};
  base::Mutex mu;
  rpc::Service service("Now");
  service.HandleAsync(kAtOnce, [&](const std::string& args, Responder respond) {
    base::MutexLock lock(&mu);
    if (args.empty()) return;  // drops it
    std::move(respond).Send(args + "!");
  });
  server_->AddService(std::move(service));
  EXPECT_EQ(end_->Call(kAtOnce, "x"), "x!");
  EXPECT_EQ(end_->Call(kAtOnce, ""), std::nullopt);
  end_->CallAsync(kAtOnce, "x", [&](Outcomes::Outcome outcome) {
    base::MutexLock lock(&mu);  // the handler's own
    outcomes_.Callback()(std::move(outcome));
  });
  EXPECT_EQ(outcomes_.Await(1), Results{"x!"});
  network_->Cleanup();  // before what the handler refers to goes
}

TEST_F(NetworkLater, DroppedItEndsTheCallAtOnce) {
  Ask(2);
  { const Responder dropped = questions_.Take(); }
  EXPECT_EQ(outcomes_.Await(1), Results{std::nullopt});
  EXPECT_EQ(log_.lines().size(), 2u) << "there is no reply";
  std::thread caller(
      [this] { EXPECT_EQ(end_->Call(kAsk, "x"), std::nullopt); });
  questions_.Await(2);
  questions_.DropAll();
  EXPECT_EQ(outcomes_.Await(2), (Results{std::nullopt, std::nullopt}));
  caller.join();
}

// A thousand wait at a server: that takes no threads. Cleanup() ends them, and
// what is answered or dropped then goes nowhere.
TEST_F(NetworkLater, WaitingCallsHaveNoThreads) {
  for (size_t i = 1; i <= 1000; ++i) {
    end_->CallAsync(kAsk, "x", outcomes_.Callback());
    questions_.Await(i);  // or workers would be added for a queue of handlers
  }
  const std::filesystem::directory_iterator threads("/proc/self/task");
  EXPECT_LT(std::distance(begin(threads), end(threads)), 40);
  EXPECT_EQ(outcomes_.Now(), Results{});

  network_->Cleanup();
  EXPECT_EQ(outcomes_.Now(), Results(1000, std::nullopt));
  const size_t messages = log_.lines().size();
  for (int i = 0; i < 500; ++i) questions_.Take().Send("too late");
  network_.reset();
  end_.reset();
  for (int i = 0; i < 250; ++i) questions_.Take().Send("later still");
  questions_.DropAll();
  EXPECT_EQ(outcomes_.Now().size(), 1000u);
  EXPECT_EQ(log_.lines().size(), messages);
}

TEST_F(NetworkLater, CleanupWaitsForTheHandlerNotForTheAnswer) {
  constexpr rpc::Method<std::string, std::string> kSlow{"Slow.Ask"};
  std::atomic<bool> returned = false;
  rpc::Service service("Slow");
  service.HandleAsync(kSlow, [&](const std::string&, Responder respond) {
    questions_.Add(std::move(respond));
    gate_.Pass();
    std::this_thread::sleep_for(milliseconds(5));
    returned = true;
  });
  server_->AddService(std::move(service));
  end_->CallAsync(kSlow, "x", outcomes_.Callback());
  gate_.AwaitArrivals(1);
  std::thread opener([this] { gate_.Open(); });
  network_->Cleanup();
  EXPECT_TRUE(returned);
  EXPECT_EQ(outcomes_.Now(), Results{std::nullopt});
  opener.join();
}

// The answer need not wait for the handler to return.
TEST_F(NetworkLater, AnswersWhileTheHandlerRuns) {
  constexpr rpc::Method<std::string, std::string> kSlow{"Slow.Ask"};
  rpc::Service service("Slow");
  service.HandleAsync(kSlow, [&](const std::string&, Responder respond) {
    std::move(respond).Send("early");
    gate_.Pass();
  });
  server_->AddService(std::move(service));
  EXPECT_EQ(end_->Call(kSlow, "x"), "early");
  gate_.Open();
  network_->Cleanup();
}

TEST_F(NetworkLater, DeletingOrReplacingTheServerEndsItsCallsAtOnce) {
  Ask(2);
  network_->DeleteServer("server");
  EXPECT_EQ(outcomes_.Await(2), Results(2, std::nullopt));
  for (int i = 0; i < 2; ++i) questions_.Take().Send("from a deleted server");

  AddServer("server")->AddService(questions_.Service());
  Ask(2);
  AddServer("server");
  EXPECT_EQ(outcomes_.Await(4), Results(4, std::nullopt));
  for (int i = 0; i < 2; ++i) questions_.Take().Send("from a replaced server");
  network_->Cleanup();
  EXPECT_EQ(log_.Replies(Fate::kRefused), 4);
  EXPECT_EQ(log_.Replies(Fate::kDelivered), 0);
}

// An answer belongs to the server object that was asked. That stays while its
// call does, so that no other can come to lie in its place.
TEST_F(NetworkLater, ADeletedServerAnswersNotInTheNameOfItsSuccessor) {
  network_->Reliable(false);
  int asked = 0;
  for (int round = 0; round < 20; ++round) {
    server_ = AddServer("server");
    server_->AddService(questions_.Service());
    const std::weak_ptr<labrpc::Server> deleted = server_;
    server_.reset();
    const int lost = log_.Requests(Fate::kLost);
    end_->CallAsync(kAsk, "x", outcomes_.Callback());
    network_->DeleteServer("server");
    while (log_.Requests(Fate::kLost) == lost &&
           log_.Requests(Fate::kDelivered) == asked) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    if (log_.Requests(Fate::kDelivered) > asked) {
      ++asked;
      Responder respond = questions_.Take();
      std::this_thread::sleep_for(milliseconds(1));  // the handler returns
      const bool is_gone = deleted.expired();
      EXPECT_TRUE(!is_gone ||
                  outcomes_.Now().size() > static_cast<size_t>(round));
      AddServer("server");
      std::move(respond).Send("from a deleted server");
    }
  }
  EXPECT_EQ(outcomes_.Await(20), Results(20, std::nullopt));
  EXPECT_GT(asked, 0);
}

TEST_F(NetworkLater, ADisabledEndIsNoticedAtATenthOfASecond) {
  const auto start = Clock::now();
  Ask(1);
  network_->Enable("end", false);
  EXPECT_EQ(outcomes_.Await(1), Results{std::nullopt});
  EXPECT_GE(Clock::now() - start, milliseconds(100));
}

TEST_F(NetworkLater, ADisabledEndIsNoticedWhenTheAnswerComes) {
  Ask(1);
  network_->Enable("end", false);
  questions_.Take().Send("x");
  EXPECT_EQ(outcomes_.Await(1), Results{std::nullopt});
}

TEST_F(NetworkLater, AnEndSwitchedOffAndOnGoesUnnoticed) {
  Ask(1);
  network_->Enable("end", false);
  network_->Enable("end", true);
  std::this_thread::sleep_for(milliseconds(150));
  questions_.Take().Send("x");
  EXPECT_EQ(outcomes_.Await(1), Results{"x"});
}

TEST_F(NetworkLater, ClosingTheEndDropsItsCalls) {
  Ask(1);
  std::thread caller(
      [this] { EXPECT_EQ(end_->Call(kAsk, "x"), std::nullopt); });
  questions_.Await(2);
  end_->Close();
  caller.join();
  questions_.Take().Send("x");
  questions_.DropAll();
  network_->Cleanup();
  EXPECT_EQ(outcomes_.Now(), Results{});
  EXPECT_EQ(log_.Replies(Fate::kRefused), 1);
}

TEST_F(NetworkLater, AResponderKeepsNoServiceAlive) {
  const auto token = std::make_shared<int>(0);
  rpc::Service service("Later");
  service.HandleAsync(kAsk,
                      [this, token](const std::string&, Responder respond) {
                        questions_.Add(std::move(respond));
                      });
  server_->AddService(std::move(service));
  server_.reset();
  Ask(1);
  network_->DeleteServer("server");
  while (token.use_count() > 1) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  questions_.Take().Send("x");
}

// What has to answer may belong to the service, and goes with it.
TEST_F(NetworkLater, CleanupLetsServicesGoThatHaveToAnswer) {
  auto owned = std::make_shared<Questions>();
  const std::weak_ptr<Questions> left = owned;
  rpc::Service service("Later");
  service.HandleAsync(kAsk, [owned](const std::string&, Responder respond) {
    owned->Add(std::move(respond));
  });
  server_->AddService(std::move(service));
  server_.reset();
  end_->CallAsync(kAsk, "x", outcomes_.Callback());
  owned->Await(1);
  owned.reset();
  network_->Cleanup();
  EXPECT_EQ(outcomes_.Now(), Results{std::nullopt});
  EXPECT_TRUE(left.expired());
}

// The draws of a call are the same, and in the same order, when its handler
// answers later.
TEST_F(NetworkLater, LossesAndReorderingAreThoseOfOtherHandlers) {
  const auto fates = [](bool later) {
    base::SetRunSeed(1);
    PacketLog log;
    labrpc::Network network("weather");
    network.SetObserver(log.Observer());
    Questions questions;
    auto server = std::make_shared<labrpc::Server>();
    if (later) {
      server->AddService(questions.Service());
    } else {
      rpc::Service service("Later");
      service.Handle(kAsk, [](const std::string&) { return std::string("x"); });
      server->AddService(std::move(service));
    }
    network.AddServer("server", server);
    const auto end = network.MakeEnd("end");
    network.Connect("end", "server");
    network.Enable("end", true);
    network.Reliable(false);
    network.LongReordering(true);
    Outcomes outcomes;
    for (int i = 0; i < 40; ++i) {
      const int lost = log.Requests(Fate::kLost);
      const size_t before = log.lines().size();
      end->CallAsync(kAsk, "x", outcomes.Callback());
      while (log.lines().size() == before) {
        std::this_thread::sleep_for(milliseconds(1));
      }
      if (log.Requests(Fate::kLost) > lost) continue;
      if (later) questions.Take().Send("x");
      while (log.lines().size() == before + 1) {
        std::this_thread::sleep_for(milliseconds(1));
      }
    }
    network.Cleanup();
    return log.lines();
  };
  const std::vector<std::string> expected = fates(/*later=*/false);
  EXPECT_EQ(fates(/*later=*/true), expected);
  std::map<std::string, int> counts;
  for (const std::string& line : expected) ++counts[line];
  EXPECT_EQ(counts.size(), 5u) << "requests and replies lost, and reordered";
}

// ------------------------------------------------------------------- the tap

class NetworkLaterTap : public NetworkLater {
 protected:
  // Rules on replies and requests, and counts the replies.
  void Tap(labrpc::Ruling for_requests, labrpc::Ruling for_replies) {
    network_->SetTap([=, this](const labrpc::Packet& packet) {
      if (packet.kind == labrpc::Packet::Kind::kRequest) return for_requests;
      ++replies_;
      return for_replies;
    });
  }

  std::atomic<int> replies_ = 0;
};

TEST_F(NetworkLaterTap, AnAnswerIsHeldAndReleased) {
  Tap(labrpc::Ruling::kPass, labrpc::Ruling::kHold);
  Ask(1);
  EXPECT_FALSE(network_->Release(0)) << "it has not been answered";
  questions_.Take().Send("x");
  while (!network_->Release(0)) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(outcomes_.Await(1), Results{"x"});
  EXPECT_EQ(log_.Replies(Fate::kReordered), 1);
  EXPECT_EQ(replies_, 1);
}

TEST_F(NetworkLaterTap, AnAnswerIsDropped) {
  Tap(labrpc::Ruling::kPass, labrpc::Ruling::kDrop);
  Ask(1);
  questions_.Take().Send("x");
  EXPECT_EQ(outcomes_.Await(1), Results{std::nullopt});
  EXPECT_EQ(log_.Replies(Fate::kLost), 1);
}

TEST_F(NetworkLaterTap, TheAnswerToADuplicateHasNoCaller) {
  Tap(labrpc::Ruling::kDuplicate, labrpc::Ruling::kPass);
  end_->CallAsync(kAsk, "x", outcomes_.Callback());
  questions_.Await(2);
  questions_.Take().Send("x");
  questions_.Take().Send("x");
  EXPECT_EQ(outcomes_.Await(1), Results{"x"});
  while (log_.Replies(Fate::kDelivered) < 2) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  network_->Cleanup();
  EXPECT_EQ(outcomes_.Now().size(), 1u);
  EXPECT_EQ(replies_, 1);
}

// ---------------------------------------------------------------- sanitizers

// Answers and drops from two threads, while servers and ends go and the network
// ends.
TEST(NetworkLaterRace, EndingUnderFireIsSafe) {
  for (int round = 0; round < 20; ++round) {
    Questions questions;
    std::atomic<bool> stop = false;
    std::vector<std::thread> answering;
    labrpc::Network network;
    const auto add_server = [&] {
      auto server = std::make_shared<labrpc::Server>();
      server->AddService(questions.Service());
      network.AddServer("server", std::move(server));
    };
    add_server();
    const auto end = network.MakeEnd("end");
    network.Connect("end", "server");
    network.Enable("end", true);
    network.Reliable(round % 2 == 0);
    network.LongReordering(round % 3 == 0);
    std::atomic<int> outcomes = 0;
    std::thread caller([&] {
      while (!stop) {
        end->CallAsync(kAsk, "x", [&](Outcomes::Outcome) { ++outcomes; });
        std::this_thread::yield();
      }
    });
    for (int i = 0; i < 2; ++i) {
      answering.emplace_back([&, i] {
        while (!stop) {
          if (i == 0) questions.AnswerAll();
          if (i == 1) questions.DropAll();
          std::this_thread::yield();
        }
      });
    }
    std::this_thread::sleep_for(milliseconds(2));
    add_server();
    if (round % 4 == 0) end->Close();
    network.Cleanup();
    const int at_the_end = outcomes;
    stop = true;
    caller.join();
    for (std::thread& thread : answering) thread.join();
    EXPECT_EQ(outcomes, at_the_end);
  }
}

}  // namespace
}  // namespace tests
