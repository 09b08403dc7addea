// Case (j): what one server with bad links does to a cluster that elects as the
// paper has it (5.2), and what slow disks do, in virtual time alone.
//
// A server that hears no leader starts election after election, in newer terms,
// and every server that hears it follows (5.1). Without a pre-vote
// (section 9.6 of Ongaro's dissertation) that deposes leaders that work.

#include <atomic>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "bench/bench_cluster.h"
#include "bench/cases.h"
#include "bench/measure.h"
#include "tests/harness/link.h"

namespace bench {
namespace {

using benchmark::State;
using raft::ServerId;
using std::chrono::milliseconds;

constexpr milliseconds kLook(10);

// Drops what is on its way to one server; what that server sends arrives.
class OneWay {
 public:
  void Deafen(ServerId server) { deaf_ = server; }

  labrpc::Tap Handler() {
    return [this](const labrpc::Packet& packet) {
      const auto link = harness::ParseLink(packet.end);
      if (!link.has_value()) return labrpc::Ruling::kPass;
      const bool is_reply = packet.kind == labrpc::Packet::Kind::kReply;
      return (is_reply ? link->from : link->to) == deaf_
                 ? labrpc::Ruling::kDrop
                 : labrpc::Ruling::kPass;
    };
  }

 private:
  std::atomic<ServerId> deaf_{raft::kNobody};
};

// Looks which server leads, again and again.
class Looks {
 public:
  explicit Looks(BenchCluster* cluster) : cluster_(cluster) {}

  void For(milliseconds duration) {
    for (milliseconds passed(0); passed < duration; passed += kLook) {
      std::this_thread::sleep_for(kLook);
      const auto leader = cluster_->FindLeader();
      ++looks_;
      if (leader.has_value()) {
        terms_.insert(leader->term);
      } else {
        ++without_;
      }
    }
  }

  void Report(State* state) const {
    const double seconds = looks_ * Seconds(kLook);
    state->SetIterationTime(seconds);
    state->counters["leaders"] = static_cast<double>(terms_.size());
    state->counters["leaderless_share"] = without_ / looks_;
    state->counters["leaders_per_minute"] =
        60 * static_cast<double>(terms_.size()) / seconds;
  }

 private:
  BenchCluster* const cluster_;
  double looks_ = 0;
  double without_ = 0;
  std::set<raft::Term> terms_;  // that had a leader
};

// A follower hears nothing, and is heard by all.
void Deaf(int servers, milliseconds duration, State* state) {
  OneWay one_way;
  BenchCluster cluster({.servers = servers, .tap = one_way.Handler()});
  const std::optional<ServerId> leader = cluster.AwaitLeader();
  if (!leader.has_value()) return state->SkipWithError("no leader");
  one_way.Deafen((*leader + 1) % servers);
  Looks looks(&cluster);
  looks.For(duration);
  looks.Report(state);
}

// A follower is cut off for two seconds of every five.
void Rejoin(int servers, milliseconds duration, State* state) {
  BenchCluster cluster({.servers = servers});
  if (!cluster.AwaitLeader().has_value()) {
    return state->SkipWithError("no leader");
  }
  Looks looks(&cluster);
  for (milliseconds passed(0); passed < duration;
       passed += milliseconds(5'000)) {
    const std::optional<ServerId> leader = cluster.AwaitLeader();
    if (!leader.has_value()) return state->SkipWithError("no leader");
    const ServerId lost = (*leader + 1) % servers;
    cluster.CutOff(lost);
    looks.For(milliseconds(2'000));
    cluster.Rejoin(lost);
    looks.For(milliseconds(3'000));
  }
  looks.Report(state);
}

// Each flush takes 0 to 50 ms, and there is a command every second.
void SlowDisks(int servers, milliseconds duration, State* state) {
  BenchCluster cluster({.servers = servers, .slow_disks = true});
  cluster.RunConsumers();
  if (!cluster.AwaitLeader().has_value()) {
    return state->SkipWithError("no leader");
  }
  Looks looks(&cluster);
  for (milliseconds passed(0); passed < duration;
       passed += milliseconds(1'000)) {
    const auto leader = cluster.FindLeader();
    if (leader.has_value()) cluster.Submit(leader->server);
    looks.For(milliseconds(1'000));
  }
  if (!cluster.AwaitDelivered()) return state->SkipWithError("not delivered");
  looks.Report(state);
}

}  // namespace

void RegisterDisturbed(Scale scale) {
  const milliseconds duration(Scaled(scale, 600'000, 2'000));
  const milliseconds hours(Scaled(scale, 36'000'000, 5'000));
  AddCase("disturbed/slow_disks/servers:3",
          [=](State& state) { SlowDisks(3, hours, &state); });
  for (const int servers : {3, 5}) {
    AddCase(absl::StrCat("disturbed/deaf/servers:", servers),
            [=](State& state) { Deaf(servers, duration, &state); });
    AddCase(absl::StrCat("disturbed/rejoin/servers:", servers),
            [=](State& state) { Rejoin(servers, duration, &state); });
  }
}

}  // namespace bench
