// The story of a sharded service, in five acts: groups of servers join and
// leave, one loses its leader meanwhile, and the shards travel between them,
// while three clients use the service without pause.

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "examples/demo/live.h"
#include "porcupine/outcome.h"
#include "tests/harness/shard_cluster.h"

namespace demo {
namespace {

using harness::ShardClient;
using harness::ShardCluster;
using raft::ServerId;

constexpr size_t kClients = 3;
constexpr std::chrono::duration<double> kThinks(0.25);  // between operations

class ShardStory {
 public:
  explicit ShardStory(Live* live)
      : live_(*live),
        cluster_(
            {.max_raft_state = 4000, .make_observers = live->MakeObservers()}) {
    live_.Watch({.commit_index = nullptr,
                 .check = [this] { cluster_.stage().CheckError(); }});
    for (auto& client : clients_) client = cluster_.MakeClient();
  }
  ~ShardStory() { live_.End(); }
  ShardStory(const ShardStory&) = delete;
  ShardStory& operator=(const ShardStory&) = delete;

  std::string Tell() {
    Serve();
    JoinOne();
    JoinDisturbed();
    LeaveOne();
    return CheckClaims();
  }

 private:
  void Serve() {
    cluster_.Join({0});
    AwaitSettled();
    for (size_t i = 0; i < kClients; ++i) {
      cluster_.Spawn(&threads_, [this, i] { UseService(i); });
    }
    AwaitDone(/*operations=*/3);
    live_.Pause(2);
  }

  // Client i appends to one key after the other, of all shards, and reads it,
  // until the threads stop.
  void UseService(size_t i) {
    ShardClient& client = *clients_[i];
    for (int number = 1; !threads_.Stopping(); ++number) {
      const std::string key = absl::StrCat((number + 3 * i) % 10);
      client.Append(key, absl::StrFormat("%c%d ", 'a' + i, number));
      std::this_thread::sleep_for(kThinks / live_.speed());
      if (number % 3 == 0) client.Get(key);
    }
  }

  void JoinOne() {
    live_.Begin({"2. Group 101 joins: half of the shards move to it",
                 "Each is frozen in the one group (<), comes to the other (>), "
                 "and is served",
                 "there at once (+). The shards that stay are served all the "
                 "time."});
    cluster_.Join({1});
    AwaitSettled();
    AwaitDone(/*operations=*/3);
    live_.Pause(3);
  }

  void JoinDisturbed() {
    live_.Begin({"3. Group 102 joins, and group 100 loses its leader meanwhile",
                 "What is to be done follows from the log: the next leader of "
                 "group 100 goes",
                 "on where the old one was."});
    const auto group = static_cast<int>(ShardCluster::GidOf(0));
    const ServerId leader = live_.view().shards().groups().at(group).leader;
    Claim(leader != raft::kNobody, "group 100 has no leader");
    cluster_.Join({2});
    cluster_.ShutdownServer(0, leader);
    live_.Say(absl::StrCat("S", leader, " of group 100 has crashed"));
    AwaitSettled();
    AwaitDone(/*operations=*/3);
    live_.Pause(2);
    cluster_.StartServer(0, leader);
    live_.Say(absl::StrCat("S", leader, " of group 100 restarts"));
    live_.Pause(2);
  }

  void LeaveOne() {
    live_.Begin(
        {"4. Group 100 leaves, and is switched off",
         "It goes on until its shards have come elsewhere, and its copies "
         "are deleted.",
         "Then nothing depends on it any more."});
    cluster_.Leave({0});
    AwaitSettled();
    live_.Pause(2);
    cluster_.ShutdownGroup(0);
    AwaitDone(/*operations=*/10);
    live_.Pause(3);
  }

  std::string CheckClaims() {
    threads_.Stop();
    threads_.Join();
    live_.Until("all is seen that the clients did",
                [this](const View&) { return !IsAnyWaiting(); });
    Claim(live_.view().shards().IsSettled(), "a shard is not where it belongs");
    const auto verdict = cluster_.history().Check();
    Claim(verdict.outcome == porcupine::Outcome::kOk, verdict.text);
    std::vector<double> took = live_.view().latencies();
    std::vector<double> moves = live_.view().shards().moves();
    for (auto* each : {&took, &moves}) std::sort(each->begin(), each->end());
    return absl::StrFormat(
        "\nChecked: the history of all %d operations is linearizable, and each "
        "shard is served\nby one group. %.1f ms each (median); the longest "
        "waited %.2f s. %d times a shard has\nmoved, in %.1f ms (median), %.2f "
        "s at the most. %d elections, %d RPCs, %.1f seconds.\n",
        took.size(), took[took.size() / 2], took.back() / 1000, moves.size(),
        moves[moves.size() / 2], moves.back() / 1000,
        live_.view().shards().elections(),
        cluster_.stage().network().GetTotalCount(), live_.Elapsed());
  }

  // What the controller has decided is seen, and done.
  void AwaitSettled() {
    const int64_t config = cluster_.ctrler().Query().num;
    live_.Until("all shards have moved", [config](const View& view) {
      return view.shards().config() == config && view.shards().IsSettled();
    });
  }

  // Each client does that many more.
  void AwaitDone(int operations) {
    std::array<int, kClients> goals{};
    for (size_t i = 0; i < kClients; ++i) goals[i] = DoneBy(i) + operations;
    live_.Until("all clients are answered", [&](const View&) {
      for (size_t i = 0; i < kClients; ++i) {
        if (DoneBy(i) < goals[i]) return false;
      }
      return true;
    });
  }

  int DoneBy(size_t client) const {
    const auto& clients = live_.view().clients();
    const auto found = clients.find(static_cast<int>(client));
    return found == clients.end() ? 0 : found->second.done;
  }
  bool IsAnyWaiting() const {
    const auto& clients = live_.view().clients();
    return std::any_of(clients.begin(), clients.end(),
                       [](const auto& each) { return each.second.waiting; });
  }

  Live& live_;
  ShardCluster cluster_;
  std::array<std::shared_ptr<ShardClient>, kClients> clients_;
  harness::TestThreads threads_{[this] { cluster_.stage().CheckHasFailed(); }};
};

}  // namespace

std::string TellShardStory(Live* live) {
  live->Begin({"1. A controller and three groups start, of three servers each",
               "Group 100 joins: the controller's configuration gives it all "
               "ten shards. Three",
               "clients append to keys of all shards, and read them."});
  return ShardStory(live).Tell();
}

}  // namespace demo
