// The course's own tests of its network, with their numbers.
//
// Each test has a network of its own with one junk server, whose handlers are
// the course's, and ends it before the server goes.

#include <atomic>
#include <cereal/types/memory.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/mutex.h"
#include "gtest/gtest.h"
#include "labrpc/network.h"
#include "rpc/rpc.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

const auto kSuite = runner::Suite::OfCourse("Labrpc", "labrpc");

struct JunkArgs {
  int x = 0;
  auto Fields() { return std::tie(x); }
};
struct JunkReply {
  std::string x;
  auto Fields() { return std::tie(x); }
};

constexpr rpc::Method<std::string, int> kHandler1{"JunkServer.Handler1"};
constexpr rpc::Method<int, std::string> kHandler2{"JunkServer.Handler2"};
constexpr rpc::Method<int, int> kHandler3{"JunkServer.Handler3"};
constexpr rpc::Method<std::unique_ptr<JunkArgs>, JunkReply> kHandler4{
    "JunkServer.Handler4"};
constexpr rpc::Method<JunkArgs, JunkReply> kHandler5{"JunkServer.Handler5"};
constexpr rpc::Method<std::string, int> kHandler6{"JunkServer.Handler6"};
constexpr rpc::Method<int, std::string> kHandler7{"JunkServer.Handler7"};

class JunkServer {
 public:
  rpc::Service MakeService() {
    rpc::Service service("JunkServer");
    service.Handle(kHandler1, [this](const std::string& text) {
      base::MutexLock lock(&mu_);
      strings_.push_back(text);
      int number = 0;
      return absl::SimpleAtoi(text, &number) ? number : 0;
    });
    service.Handle(kHandler2, [this](int number) {
      base::MutexLock lock(&mu_);
      ints_.push_back(number);
      return absl::StrCat("handler2-", number);
    });
    service.Handle(kHandler3, [this](int number) { return Stall(number); });
    service.Handle(kHandler4, [](const std::unique_ptr<JunkArgs>& args) {
      return JunkReply{args != nullptr ? "pointer" : "null"};
    });
    service.Handle(kHandler5,
                   [](const JunkArgs&) { return JunkReply{"no pointer"}; });
    service.Handle(kHandler6, [](const std::string& text) {
      return static_cast<int>(text.size());
    });
    service.Handle(kHandler7,
                   [](int count) { return std::string(count, 'y'); });
    return service;
  }

  std::vector<int> ints() {
    base::MutexLock lock(&mu_);
    return ints_;
  }

  // Cuts Handler3's 20 s short, so that it can be joined.
  void EndStalls() {
    base::MutexLock lock(&mu_);
    ending_ = true;
    ended_.SignalAll();
  }

 private:
  int Stall(int number) {
    const auto deadline = Clock::now() + std::chrono::seconds(20);
    base::MutexLock lock(&mu_);
    while (!ending_ && ended_.WaitUntil(&mu_, deadline)) continue;
    return -number;
  }

  base::Mutex mu_;
  base::CondVar ended_;
  std::vector<std::string> strings_ ABSL_GUARDED_BY(mu_);
  std::vector<int> ints_ ABSL_GUARDED_BY(mu_);
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
};

class Labrpc : public testing::Test {
 protected:
  Labrpc() {
    auto server = std::make_shared<labrpc::Server>();
    server->AddService(junk_.MakeService());
    network_.AddServer("server99", server);
  }
  ~Labrpc() override {
    junk_.EndStalls();
    network_.Cleanup();
  }

  std::shared_ptr<rpc::ClientEnd> ConnectedEnd(const std::string& name) {
    std::shared_ptr<rpc::ClientEnd> end = network_.MakeEnd(name);
    network_.Connect(name, "server99");
    return end;
  }
  std::shared_ptr<rpc::ClientEnd> EnabledEnd(const std::string& name) {
    std::shared_ptr<rpc::ClientEnd> end = ConnectedEnd(name);
    network_.Enable(name, true);
    return end;
  }

  JunkServer junk_;
  labrpc::Network network_;
};

// Runs `body(0)` ... `body(count - 1)`, each in a thread of its own.
template <typename Body>
std::vector<std::thread> InThreads(int count, Body body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  return threads;
}

void Join(std::vector<std::thread>& threads) {
  for (std::thread& thread : threads) thread.join();
}

std::string Handler2Reply(int number) {
  return absl::StrCat("handler2-", number);
}

// Go lab: TestBasic.
TEST_F(Labrpc, Basic) {
  const auto end = EnabledEnd("end1-99");

  EXPECT_EQ(end->Call(kHandler2, 111), "handler2-111");
  EXPECT_EQ(end->Call(kHandler1, "9099"), 9099);
}

// Go lab: TestTypes.  What a pointer leads to crosses by value, like the rest.
TEST_F(Labrpc, Types) {
  const auto end = EnabledEnd("end1-99");

  const auto by_pointer =
      end->Call(kHandler4, std::make_unique<JunkArgs>(JunkArgs{1}));
  ASSERT_TRUE(by_pointer.has_value());
  EXPECT_EQ(by_pointer->x, "pointer");

  const auto by_value = end->Call(kHandler5, JunkArgs{1});
  ASSERT_TRUE(by_value.has_value());
  EXPECT_EQ(by_value->x, "no pointer");
}

// Go lab: TestDisconnect.  An end is born disabled.
TEST_F(Labrpc, Disconnect) {
  const auto end = ConnectedEnd("end1-99");

  EXPECT_EQ(end->Call(kHandler2, 111), std::nullopt);

  network_.Enable("end1-99", true);
  EXPECT_EQ(end->Call(kHandler1, "9099"), 9099);
}

// Go lab: TestCounts.
TEST_F(Labrpc, Counts) {
  const auto end = EnabledEnd("end1-99");

  for (int i = 0; i < 17; ++i) {
    EXPECT_EQ(end->Call(kHandler2, i), Handler2Reply(i));
  }

  EXPECT_EQ(network_.GetCount("server99"), 17) << "wrong GetCount()";
}

// Go lab: TestBytes.
TEST_F(Labrpc, Bytes) {
  const auto end = EnabledEnd("end1-99");

  const std::string text(284, 'x');
  for (int i = 0; i < 17; ++i) EXPECT_EQ(end->Call(kHandler6, text), 284);

  const int64_t requests = network_.GetTotalBytes();
  EXPECT_TRUE(requests >= 4828 && requests <= 6000)
      << "wrong GetTotalBytes() " << requests << ", expected about 5000";

  for (int i = 0; i < 17; ++i) {
    EXPECT_EQ(end->Call(kHandler7, 107), std::string(107, 'y'));
  }

  const int64_t replies = network_.GetTotalBytes() - requests;
  EXPECT_TRUE(replies >= 1800 && replies <= 2500)
      << "wrong GetTotalBytes() " << replies << ", expected about 2000";
}

// Go lab: TestConcurrentMany.
TEST_F(Labrpc, ConcurrentMany) {
  auto threads = InThreads(/*count=*/20, [this](int i) {
    const auto end = EnabledEnd(absl::StrCat(i));
    for (int j = 0; j < 10; ++j) {
      const int number = i * 100 + j;
      EXPECT_EQ(end->Call(kHandler2, number), Handler2Reply(number));
    }
  });
  Join(threads);

  EXPECT_EQ(network_.GetCount("server99"), 200) << "wrong GetCount()";
}

// Go lab: TestUnreliable.
TEST_F(Labrpc, Unreliable) {
  network_.Reliable(false);

  std::atomic<int> successes{0};
  auto threads = InThreads(/*count=*/300, [this, &successes](int i) {
    const auto end = EnabledEnd(absl::StrCat(i));
    const auto reply = end->Call(kHandler2, i * 100);
    if (!reply.has_value()) return;
    EXPECT_EQ(*reply, Handler2Reply(i * 100));
    ++successes;
  });
  Join(threads);

  EXPECT_NE(successes, 300) << "all RPCs succeeded despite unreliable";
  EXPECT_NE(successes, 0) << "all RPCs failed";
}

// Go lab: TestConcurrentOne.  Many calls at a time on one end.
TEST_F(Labrpc, ConcurrentOne) {
  const auto end = EnabledEnd("c");

  auto threads = InThreads(/*count=*/20, [&end](int i) {
    EXPECT_EQ(end->Call(kHandler2, 100 + i), Handler2Reply(100 + i));
  });
  Join(threads);

  EXPECT_EQ(junk_.ints().size(), 20u) << "wrong number of RPCs delivered";
  EXPECT_EQ(network_.GetCount("server99"), 20) << "wrong GetCount()";
}

// Go lab: TestRegression1.  Calls that wait on a disabled end hold up
// no other.
TEST_F(Labrpc, Regression1) {
  const auto end = ConnectedEnd("c");

  auto threads = InThreads(
      /*count=*/20, [&end](int i) { end->Call(kHandler2, 100 + i); });
  std::this_thread::sleep_for(milliseconds(100));

  network_.Enable("c", true);
  const auto start = Clock::now();
  EXPECT_EQ(end->Call(kHandler2, 99), Handler2Reply(99));
  const std::chrono::duration<double> took = Clock::now() - start;
  EXPECT_LE(took.count(), 0.03) << "RPC took too long";
  Join(threads);

  EXPECT_EQ(junk_.ints().size(), 1u) << "wrong number of RPCs delivered";
  EXPECT_EQ(network_.GetCount("server99"), 1) << "wrong GetCount()";
}

// A blocking Handler3 call in a thread of its own.
class StalledCall {
 public:
  explicit StalledCall(rpc::ClientEnd* end)
      : thread_([this, end] { Run(end); }) {}
  ~StalledCall() { thread_.join(); }

  // Waits up to `limit`; returns whether the call has returned.
  bool ReturnsWithin(milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    base::MutexLock lock(&mu_);
    while (!returned_ && has_returned_.WaitUntil(&mu_, deadline)) continue;
    return returned_;
  }
  bool succeeded() {
    base::MutexLock lock(&mu_);
    return succeeded_;
  }

 private:
  void Run(rpc::ClientEnd* end) {
    const bool succeeded = end->Call(kHandler3, 99).has_value();
    base::MutexLock lock(&mu_);
    succeeded_ = succeeded;
    returned_ = true;
    has_returned_.SignalAll();
  }

  base::Mutex mu_;
  base::CondVar has_returned_;
  bool returned_ ABSL_GUARDED_BY(mu_) = false;
  bool succeeded_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // started last
};

// Go lab: TestKilled.  Deleting a server ends the calls its handlers block.
TEST_F(Labrpc, Killed) {
  const auto end = EnabledEnd("c");
  StalledCall call(end.get());

  std::this_thread::sleep_for(milliseconds(1000));
  EXPECT_FALSE(call.ReturnsWithin(milliseconds(100)))
      << "Handler3 should not have returned yet";

  network_.DeleteServer("server99");
  EXPECT_TRUE(call.ReturnsWithin(milliseconds(100)))
      << "Handler3 should return after DeleteServer()";
  EXPECT_FALSE(call.succeeded())
      << "Handler3 returned successfully despite DeleteServer()";
}

// Go lab: TestBenchmark.
TEST_F(Labrpc, Benchmark) {
  constexpr int kCalls = 100000;
  const auto end = EnabledEnd("c");

  const auto start = Clock::now();
  for (int i = 0; i < kCalls; ++i) {
    ASSERT_EQ(end->Call(kHandler2, 111), "handler2-111");
  }
  const std::chrono::duration<double> took = Clock::now() - start;
  absl::PrintF("%.6fs for %d\n", took.count(), kCalls);
  std::fflush(stdout);
}

// Go lab: TestLongDelayRace (2025).  For the race detector: the delay flag is
// set while calls look at it.
TEST_F(Labrpc, LongDelayRace) {
  const auto end = EnabledEnd("end1-99");
  EXPECT_EQ(end->Call(kHandler1, "9099"), 9099);

  network_.LongDelays(true);
  network_.DeleteServer("server99");
  std::thread caller([&end] { end->Call(kHandler1, "9099"); });
  network_.LongDelays(true);
  std::this_thread::sleep_for(milliseconds(200));
  network_.LongDelays(true);

  end->Close();  // the call may have seconds to go
  caller.join();
}

}  // namespace
}  // namespace tests
