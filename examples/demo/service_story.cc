// The story of a service on Raft, in five acts: three clients use a key/value
// store without pause, while the network is divided, heals, and a server
// restarts. What it claims in the end is that all of it was linearizable.

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "examples/demo/live.h"
#include "tests/harness/failure.h"
#include "tests/harness/kv_cluster.h"

namespace demo {
namespace {

using harness::KvClient;
using raft::ServerId;
using raft::Term;

constexpr size_t kClients = 3;
constexpr size_t kLonely = 2;  // the client that only the minority hears
constexpr char kKey[] = "x";
constexpr std::chrono::duration<double> kThinks(0.8);  // between operations

class ServiceStory {
 public:
  explicit ServiceStory(Live* live)
      : live_(*live),
        cluster_({.servers = kServers,
                  .max_raft_state = 2000,
                  .make_observers = live->MakeObservers()}) {
    live_.Watch({.commit_index =
                     [this](ServerId server) {
                       const auto raft = cluster_.stage().RaftOf(server);
                       return raft == nullptr ? 0
                                              : raft->GetStatus().commit_index;
                     },
                 .check = [this] { cluster_.stage().CheckError(); }});
    for (auto& client : clients_) client = cluster_.MakeClient();
  }
  ~ServiceStory() { live_.End(); }
  ServiceStory(const ServiceStory&) = delete;
  ServiceStory& operator=(const ServiceStory&) = delete;

  std::string Tell() {
    Serve();
    Divide();
    Heal();
    Restart();
    return CheckClaims();
  }

 private:
  void Serve() {
    live_.Say("S0 to S4 are started; C0 to C2 know them all");
    for (size_t i = 0; i < kClients; ++i) {
      cluster_.Spawn(&threads_, [this, i] { UseService(i); });
    }
    AwaitDone(/*operations=*/2);
    live_.Begin({"2. Three clients append to one key, and read it",
                 "Each operation is an entry of the leader's log. When it is "
                 "committed, the",
                 "leader executes it and answers; the others execute it too."});
    AwaitDone(/*operations=*/3);
    live_.Pause(1);
  }

  // Client i appends and reads, until the threads stop.
  void UseService(size_t i) {
    KvClient& client = *clients_[i];
    for (int number = 1; !threads_.Stopping(); ++number) {
      client.Append(kKey, absl::StrFormat("%c%d ", 'a' + i, number));
      std::this_thread::sleep_for(kThinks / live_.speed());
      if (number % 2 == 0) client.Get(kKey);
    }
  }

  void Divide() {
    live_.Begin({"3. The network is divided; the leader is in the minority",
                 "C2 reaches only the minority: nothing commits there, and C2 "
                 "must wait.",
                 "The majority elects a leader, and serves C0 and C1."});
    const ServerId old_leader = AwaitLeader();
    const Term term = live_.view().at(old_leader).term;
    const auto parts = cluster_.stage().PartitionFromLeader();
    for (size_t i = 0; i < kClients; ++i) {
      clients_[i]->Connect(i == kLonely ? parts.minority : parts.majority);
    }
    live_.Until("the majority elects a leader", [&](const View& view) {
      return view.Leader().has_value() && view.at(*view.Leader()).term > term &&
             parts.majority.contains(*view.Leader());
    });
    live_.Until("C2 waits", [this](const View&) { return IsLonelyWaiting(); });
    waiting_done_ = DoneBy(kLonely);
    const int before = DoneBy(0);
    live_.Until("C0 goes on",
                [&](const View&) { return DoneBy(0) >= before + 3; });
    live_.Pause(2);
    Claim(DoneBy(kLonely) == waiting_done_,
          "C2 was answered, by a leader without a majority");
    live_.Say(absl::StrCat("C2 still waits; C0 has done ", DoneBy(0) - before,
                           " operations meanwhile"));
    live_.Pause(1);
  }

  void Heal() {
    live_.Begin(
        {"4. The network heals",
         "The old leader hears of the newer term: what it could not "
         "commit is lost.",
         "C2 asks the new leader, which executes its operation, once."});
    cluster_.stage().ConnectAll();
    for (const auto& client : clients_) client->ConnectAll();
    live_.Until("C2 is answered", [this](const View&) {
      return DoneBy(kLonely) > waiting_done_;
    });
    AwaitCaughtUp();
    live_.Pause(2);
  }

  void Restart() {
    live_.Begin({"5. A server crashes, and restarts from its disk",
                 "The others serve on. Its service begins with the last "
                 "snapshot (=), and",
                 "executes what was committed since then."});
    const ServerId victim = (AwaitLeader() + 1) % kServers;
    harness::ServerGroup& group = cluster_.stage().group();
    group.Crash(victim);
    live_.Say(Name(victim) + " crashes");
    live_.Pause(2.5);
    group.Start(victim);
    group.Connect(victim);
    live_.Say(Name(victim) + " restarts");
    AwaitCaughtUp();
    live_.Say(Name(victim) + " has caught up");
    live_.Pause(2);
  }

  std::string CheckClaims() {
    threads_.Stop();
    threads_.Join();
    AwaitCaughtUp();
    cluster_.CheckHistory();
    std::vector<double> latencies = live_.view().latencies();
    std::sort(latencies.begin(), latencies.end());
    return absl::StrFormat(
        "\nChecked: the history of all %d operations is linearizable, and each "
        "append was\nexecuted exactly once. %.1f ms each (median); the longest "
        "waited %.1f s.\n%d elections, %d RPCs, %.1f seconds.\n",
        latencies.size(), latencies[latencies.size() / 2],
        latencies.back() / 1000, live_.view().elections(),
        cluster_.stage().network().GetTotalCount(), live_.Elapsed());
  }

  ServerId AwaitLeader() {
    live_.Until("a leader is elected",
                [](const View& view) { return view.Leader().has_value(); });
    return *live_.view().Leader();
  }
  // All servers have executed what is committed now.
  void AwaitCaughtUp() {
    raft::Index committed = 0;
    for (const ServerView& server : live_.view().servers()) {
      committed = std::max(committed, server.commit);
    }
    live_.Until("all servers catch up", [committed](const View& view) {
      const auto& servers = view.servers();
      return std::all_of(servers.begin(), servers.end(), [&](const auto& each) {
        return each.connected && each.applied >= committed;
      });
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

  int DoneBy(size_t client) const { return Seen(client).done; }
  bool IsLonelyWaiting() const {
    const ClientView client = Seen(kLonely);
    return client.waiting && live_.Elapsed() - client.called > 2 * kLongWait;
  }
  ClientView Seen(size_t client) const {
    const auto& clients = live_.view().clients();
    const auto found = clients.find(static_cast<int>(client));
    return found == clients.end() ? ClientView() : found->second;
  }

  Live& live_;
  harness::KvCluster cluster_;
  std::array<std::shared_ptr<KvClient>, kClients> clients_;
  int waiting_done_ = 0;  // what C2 had done when it had to wait
  harness::TestThreads threads_{[this] { cluster_.stage().CheckHasFailed(); }};
};

}  // namespace

std::string TellServiceStory(Live* live) {
  live->Begin({"1. Five servers start, and three clients",
               "Each server is a key/value store on Raft. Clients look for the "
               "leader:",
               "the others refuse, and it answers once there is one."});
  return ServiceStory(live).Tell();
}

}  // namespace demo
