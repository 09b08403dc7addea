// The story that the demo tells, in seven acts, and the check of what it
// claims: a scenario on the test harness's cluster. It decides what is done to
// the cluster; what follows from it is only observed.

#include <algorithm>
#include <atomic>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "examples/demo/live.h"
#include "tests/harness/raft_cluster.h"

namespace demo {
namespace {

using raft::Index;
using raft::ServerId;

bool HasLeader(const View& view) { return view.Leader().has_value(); }
bool AllAgree(const View& view) { return view.AllAgree(); }

class Story {
 public:
  explicit Story(Live* live)
      : live_(*live),
        cluster_(kServers, {.snapshot_at =
                                [this](ServerId, Index index) {
                                  return index == snapshot_at_;
                                },
                            .make_observers = live->MakeObservers()}) {
    live_.Watch({.commit_index =
                     [this](ServerId server) {
                       return cluster_.GetStatus(server).commit_index;
                     },
                 .check = [this] { cluster_.CommittedAt(1); }});
  }
  ~Story() { live_.End(); }
  Story(const Story&) = delete;
  Story& operator=(const Story&) = delete;

  std::string Tell() {
    Elect();
    Replicate();
    CutOffLeader();
    RejoinOldLeader();
    CrashFollower();
    RestartIt();
    TakeSnapshots();
    BringUp();
    return CheckClaims();
  }

 private:
  void Elect() {
    live_.Say("S0 to S4 are started, with empty logs");
    AwaitLeader();
    live_.Pause(1.5);
  }

  void Replicate() {
    live_.Begin(
        {"2. A client sends commands to the leader",
         "The leader sends each one to all others as an entry of its log.",
         "What a majority holds is committed, and all apply it."});
    Commit(5, kServers);
    live_.Pause(1.2);
  }

  void CutOffLeader() {
    live_.Begin(
        {"3. The leader is cut off from all others",
         "It still takes commands, which cannot commit: no majority hears it.",
         "The others elect a new leader, and continue without it."});
    const raft::Term term = CutOff();
    live_.Until("the others elect a new leader", [term](const View& view) {
      return HasLeader(view) && view.at(*view.Leader()).term > term;
    });
    live_.Pause(0.8);
    Commit(4, kServers - 1);
    live_.Pause(1.8);
  }

  // Cuts off a leader that takes commands then, and returns its term. On a very
  // slow machine it may just have lost an election; then it is the next one's
  // turn.
  raft::Term CutOff() {
    while (true) {
      old_leader_ = AwaitLeader();
      cluster_.Disconnect(old_leader_);
      live_.Say(Name(old_leader_) + " is cut off");
      const raft::Term term = cluster_.GetState(old_leader_).term;
      for (int i = 1; i <= 3; ++i) {
        live_.Pause(0.4);
        const auto taken = cluster_.Start(old_leader_, absl::StrCat("y=", i));
        if (!taken.is_leader) break;
        ++uncommitted_;
      }
      if (uncommitted_ > 0) return term;
      cluster_.Connect(old_leader_);
      live_.Say(Name(old_leader_) + " does not lead, and is connected again");
    }
  }

  void RejoinOldLeader() {
    live_.Begin({"4. The old leader comes back",
                 "It hears of the newer term and follows. Its entries that "
                 "never committed",
                 "are overwritten by those that did: its log is repaired."});
    live_.Pause(0.8);
    const std::string name = Name(old_leader_);
    live_.Say(name + " is connected again");
    cluster_.Connect(old_leader_);
    live_.Until("the old leader's log is repaired", AllAgree);
    live_.Say(name + "'s log is repaired: all five are the same");
    live_.Pause(2.2);
  }

  void CrashFollower() {
    victim_ = cluster_.Next(AwaitLeader());
    live_.Begin(
        {"5. A server crashes",
         "All it had in memory is lost; what it saved on its disk remains.",
         "The others are still a majority, and continue."});
    before_crash_ = cluster_.GetStatus(victim_);
    cluster_.CrashServer(victim_);
    live_.Say(absl::StrCat(Name(victim_), " crashes; its disk holds term ",
                           before_crash_.term, " and ",
                           before_crash_.last_index, " entries"));
    live_.Pause(1.2);
    Commit(3, kServers - 1);
    live_.Pause(1.2);
  }

  void RestartIt() {
    live_.Begin(
        {"6. The crashed server restarts from its disk",
         "It remembers term, vote and log, gets what it missed, and applies",
         "everything again from the first entry on."});
    cluster_.StartServer(victim_);
    const raft::Status status = cluster_.GetStatus(victim_);
    const std::string name = Name(victim_);
    live_.Say(absl::StrCat(name, " restarts; it remembers term ", status.term,
                           " and ", status.last_index, " entries"));
    Claim(status.last_index == before_crash_.last_index &&
              status.term >= before_crash_.term,
          name + " does not remember what it had before the crash");
    cluster_.Connect(victim_);
    live_.Until(name + " catches up", AllAgree);
    const Index entries = live_.view().at(victim_).log.size();
    live_.Say(absl::StrCat(name, " has caught up: it got ",
                           entries - status.last_index,
                           " entries, and applied all ", entries));
    live_.Pause(1.5);
    Commit(3, kServers);
    live_.Pause(1.5);
  }

  void TakeSnapshots() {
    live_.Begin(
        {"7. A server is down, while the others take snapshots",
         "A snapshot says what the entries before it did: they are discarded "
         "(=).",
         "A server that lacks them gets the leader's snapshot instead."});
    behind_ = cluster_.Next(AwaitLeader());
    cluster_.CrashServer(behind_);
    const Index has = live_.view().at(behind_).log.size();
    live_.Say(
        absl::StrCat(Name(behind_), " is down; it has ", has, " entries"));
    covered_ = has + 3;
    snapshot_at_ = covered_;
    Commit(5, kServers - 1);
    live_.Until("all others discard entries", [this](const View& view) {
      const auto& servers = view.servers();
      return std::all_of(servers.begin(), servers.end(), [&](const auto& each) {
        return !each.up || each.discarded == covered_;
      });
    });
    live_.Say(
        absl::StrCat("the other servers have a snapshot in place of "
                     "entries 1-",
                     covered_));
    live_.Pause(1.8);
  }

  void BringUp() {
    const std::string name = Name(behind_);
    live_.Say(name + " is up again");
    cluster_.StartServer(behind_);
    cluster_.Connect(behind_);
    live_.Until(name + " is brought up", AllAgree);
    Claim(live_.view().at(behind_).discarded == covered_,
          name + " did not get a snapshot in place of what it lacked");
    live_.Say(name + " has caught up");
    live_.Pause(1.5);
    Commit(2, kServers);
    live_.Pause(1.5);
  }

  std::string CheckClaims() {
    live_.Until("all five logs are the same, and applied", AllAgree);
    const View& view = live_.view();
    const Index entries = view.at(0).log.size();
    for (Index i = 1; i <= entries; ++i) {
      const auto command = harness::ToString(cluster_.CommittedAt(i).command);
      Claim(!command.starts_with("y="),
            command + " was applied without majority");
      const auto committed = committed_.find(i);
      if (committed == committed_.end()) continue;
      Claim(committed->second == command,
            committed->second + " was committed, and is lost");
    }
    std::vector<double> latencies = view.latencies();
    std::sort(latencies.begin(), latencies.end());
    return absl::StrFormat(
        "\nChecked: five equal logs; all servers applied the same %d entries "
        "in one order,\nand none of the %d that the old leader took while it "
        "was cut off.\n%d commands committed, in %.1f ms each (median); %d "
        "elections;\n%d RPCs, %d bytes, %.1f seconds.\n",
        entries, uncommitted_, latencies.size(),
        latencies[latencies.size() / 2], view.elections(), cluster_.RpcTotal(),
        cluster_.BytesTotal(), live_.Elapsed());
  }

  ServerId AwaitLeader() {
    live_.Until("a leader is elected", HasLeader);
    return *live_.view().Leader();
  }

  void Commit(int commands, int servers) {
    for (int i = 0; i < commands; ++i) {
      const std::string command = absl::StrCat("x=", committed_.size() + 1);
      const Index index =
          cluster_.Agree(command, servers, harness::Retry::kYes);
      committed_[index] = command;
      live_.Add(
          {{"event", "committed"}, {"index", index}, {"command", command}});
      live_.Pause(0.35);
    }
  }

  Live& live_;
  std::atomic<Index> snapshot_at_ = 0;  // when the services take snapshots
  harness::RaftCluster cluster_;
  std::map<Index, std::string> committed_;  // the client's commands
  ServerId old_leader_ = raft::kNobody;     // is cut off
  ServerId victim_ = raft::kNobody;         // crashes
  raft::Status before_crash_;
  ServerId behind_ = raft::kNobody;  // gets a snapshot
  Index covered_ = 0;                // up to this index
  int uncommitted_ = 0;              // commands that the old leader took
};

}  // namespace

std::string TellStory(Live* live) {
  live->Begin({"1. Five servers start; none leads",
               "A server that hears of no leader for a random time starts an "
               "election;",
               "the votes of a majority make it the leader."});
  return Story(live).Tell();
}

}  // namespace demo
