// Unit tests of shardkv/manager.h: what a leader asks the servers of another
// group for.

#include "shardkv/manager.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "gtest/gtest.h"
#include "rpc/codec.h"
#include "rpc/rpc.h"
#include "shardctrler/config.h"
#include "shardkv/group.h"
#include "shardkv/transfers.h"
#include "tests/unit/rsm/rsm_fixture.h"

namespace shardkv {
namespace {

using shardctrler::Config;
using shardctrler::Gid;

constexpr Gid kOld = 1;
constexpr Gid kNew = 2;

// Shard 0 is at `owner`, the others are at the old one.
Config At(int64_t num, Gid owner) {
  Config config{.num = num};
  config.shards.fill(kOld);
  config.shards[0] = owner;
  config.groups = {{kOld, {"1a", "1b", "1c"}}, {kNew, {"2a"}}};
  return config;
}

// What servers were asked for. None of them ever answers.
class Calls {
 public:
  std::shared_ptr<rpc::ClientEnd> MakeEnd(const std::string& server) {
    return std::make_shared<End>(this, server);
  }

  // Whether that server is asked for that, before long.
  bool Await(const std::string& server, std::string_view method) EXCLUDES(mu_) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::seconds(20);
    base::MutexLock lock(&mu_);
    while (true) {
      for (const auto& [asked, with] : calls_) {
        if (asked == server && with == method) return true;
      }
      if (!called_.WaitUntil(&mu_, deadline)) return false;
    }
  }

 private:
  class End : public rpc::ClientEnd {
   public:
    End(Calls* calls, std::string server)
        : calls_(calls), server_(std::move(server)) {}
    void Close() override {}

   protected:
    std::optional<std::string> CallFrame(std::string_view /*method*/,
                                         rpc::Frame /*args*/) override {
      return std::nullopt;
    }
    void CallFrameAsync(std::string_view method, rpc::Frame /*args*/,
                        DoneBytes /*done*/) override {
      calls_->Add(server_, method);
    }

   private:
    Calls* const calls_;
    const std::string server_;
  };

  void Add(const std::string& server, std::string_view method) EXCLUDES(mu_) {
    {
      base::MutexLock lock(&mu_);
      calls_.emplace_back(server, method);
    }
    called_.SignalAll();
  }

  base::Mutex mu_;
  base::CondVar called_;
  std::vector<std::pair<std::string, std::string>> calls_ ABSL_GUARDED_BY(mu_);
};

// The shard has come, and the first server of the old owner, which is asked to
// delete it, is a leader that has lost its peers: another one is asked.
TEST(ShardKVManager, AServerThatDoesNotAnswerHoldsUpNone) {
  Calls calls;
  Manager manager({}, [&calls](const std::string& server) {
    return calls.MakeEnd(server);
  });
  rsm::RsmFixture server(
      {}, std::make_unique<Group>(kNew, [&manager](const Transfers& moves) {
        manager.OnMoves(moves);
      }));
  server.raft->Lead(/*term=*/1, /*next_index=*/1);
  manager.Start(server.rsm.get());
  // Its own entry of the term.
  while (server.raft->next_index() == 1) std::this_thread::yield();

  Group old_owner(kOld);
  const std::string configs[] = {
      rpc::Encode(Command{Reconfigure{At(1, kOld)}}),
      rpc::Encode(Command{Reconfigure{At(2, kNew)}})};
  for (const std::string& config : configs) old_owner.Apply(config);
  const MoveId move = {2, 0};
  const auto shard = old_owner.transfers().leaving.at(move)->Read({});
  server.raft->Deliver(
      {rsm::CommandAt(1, 1, rpc::Encode(Command{Nothing()})),
       rsm::CommandAt(2, 1, configs[0]), rsm::CommandAt(3, 1, configs[1]),
       rsm::CommandAt(4, 1, rpc::Encode(Command{Install{move, {}, shard}}))});

  for (const char* name : {"1a", "1b"}) {
    EXPECT_TRUE(calls.Await(name, kDelete.name)) << name;
  }
  manager.Stop();
}

}  // namespace
}  // namespace shardkv
