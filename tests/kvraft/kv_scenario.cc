#include "tests/kvraft/kv_scenario.h"

#include <chrono>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kvraft/messages.h"
#include "rpc/codec.h"

namespace tests {

using harness::Fail;
using harness::Kind;
using harness::KvCluster;
using harness::Place;
using labrpc::Ruling;

bool IsExecuted(const labrpc::Packet& packet) {
  if (packet.kind != labrpc::Packet::Kind::kReply ||
      packet.method != kvraft::kPutAppend.name) {
    return false;
  }
  const auto reply = rpc::Decode<kvraft::Reply>(packet.bytes);
  return reply.ok() && reply->err == kvraft::Err::kOk;
}

KvScenario::KvScenario(std::string_view title, KvCluster::Options options,
                       Place place)
    : cluster(WithTap(std::move(options)), place) {
  cluster.Begin(title);
}

KvCluster::Options KvScenario::WithTap(KvCluster::Options options) {
  options.tap = [this, of_raft = tap_.Handler()](const labrpc::Packet& packet) {
    const Ruling ruling = Ask(packet);
    return ruling == Ruling::kPass ? of_raft(packet) : ruling;
  };
  return options;
}

void KvScenario::TapClient(int client, labrpc::Tap tap) {
  base::MutexLock lock(&mu_);
  tapped_ = absl::StrCat("C", client, "-");
  client_tap_ = std::move(tap);
}

Ruling KvScenario::Ask(const labrpc::Packet& packet) {
  base::MutexLock lock(&mu_);
  const bool is_tapped =
      client_tap_ != nullptr && packet.end.starts_with(tapped_);
  return is_tapped ? client_tap_(packet) : Ruling::kPass;
}

void KvScenario::WaitUntil(const std::string& what,
                           const std::function<bool()>& is_so, Place place) {
  const auto limit = std::chrono::steady_clock::now() + harness::kScenarioLimit;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > limit) {
      Fail(Kind::kLiveness, absl::StrCat("expected ", what, " within 20 s"),
           place);
    }
    cluster.stage().Sleep(std::chrono::milliseconds(5), place);
  }
}

void KvScenario::Elect(raft::ServerId server, Place place) {
  LeaveFree();
  tap_.Drop(harness::AnyRequest().NotFrom(server));
  WaitUntil(
      absl::StrCat("S", server, " to lead"),
      [&] { return cluster.stage().GetState(server).is_leader; }, place);
}

raft::ServerId KvScenario::ElectAnother(raft::ServerId than, Place place) {
  LeaveFree();
  raft::ServerId leader = than;
  WaitUntil(
      absl::StrCat("another server than S", than, " to lead"),
      [&] {
        for (raft::ServerId i = 0; i < cluster.size(); ++i) {
          if (i != than && cluster.stage().GetState(i).is_leader) leader = i;
        }
        return leader != than;
      },
      place);
  tap_.Drop(harness::AnyRequest().NotFrom(leader));
  return leader;
}

void KvScenario::AwaitEqualLogs(Place place) {
  WaitUntil(
      "all servers to have the same entries",
      [this] {
        for (raft::ServerId i = 1; i < cluster.size(); ++i) {
          if (StatusOf(i).last_index != StatusOf(0).last_index) return false;
        }
        return true;
      },
      place);
}

void KvScenario::Stall(raft::ServerId leader) {
  tap_.Drop(harness::AppendEntriesReplies().To(leader));
}

void KvScenario::CutOff(raft::ServerId server) {
  std::set<raft::ServerId> others;
  for (raft::ServerId i = 0; i < cluster.size(); ++i) {
    if (i != server) others.insert(i);
  }
  cluster.stage().Partition({server}, others);
}

}  // namespace tests
