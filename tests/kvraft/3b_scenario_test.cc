// Scenario tests of part 3B: snapshots where calls wait, or are repeated.
//
// Each runs on its test's main thread, with a cluster of its own.

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "kvraft/messages.h"
#include "tests/harness/kv_cluster.h"
#include "tests/kvraft/kv_scenario.h"
#include "tests/kvraft/limits.h"
#include "tests/kvraft/pending_call.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::Ends;
using harness::Fail;
using harness::Kind;
using harness::KvCluster;
using kvraft::Err;
using kvraft::Reply;
using labrpc::Packet;
using labrpc::Ruling;
using std::chrono::seconds;

const auto kSuite =
    runner::Suite::OfScenarios("KVRaft3BScenario", "kvraft", "3B");

KvCluster::Options WithSnapshots() {
  return {.servers = 3, .max_raft_state = kMaxRaftState};
}

// The answer to an append is lost. Before it is sent again, a snapshot has
// taken the place of its entry, and all servers have restarted from it: they
// must know from the snapshot that the append has been executed.
TEST(KVRaft3BScenario, RepeatedAfterSnapshot) {
  KvScenario scenario("Test (3B+): repeated after a snapshot and a restart",
                      WithSnapshots());
  KvCluster& cluster = scenario.cluster;
  const auto client = cluster.MakeClient();
  client->Put("k", "");

  // The first answer is lost, and so is what follows, for a time.
  std::atomic<bool> lost = false;
  std::atomic<bool> may_repeat = false;
  scenario.TapClient(client->id(), [&](const Packet& packet) {
    if (may_repeat) return Ruling::kPass;
    if (packet.kind == Packet::Kind::kRequest) {
      return lost ? Ruling::kDrop : Ruling::kPass;
    }
    const bool is_answer = IsExecuted(packet);
    if (is_answer) lost = true;
    return is_answer ? Ruling::kDrop : Ruling::kPass;
  });
  PendingCall append(&cluster.stage(), [&] { client->Append("k", "a"); });
  scenario.WaitUntil("an answer to be lost", [&lost] { return lost.load(); });

  const auto other = cluster.MakeClient();
  for (int i = 0; i < 50; ++i) other->Put("other", absl::StrCat(i));
  for (raft::ServerId i = 0; i < cluster.size(); ++i) {
    scenario.WaitUntil(absl::StrCat("S", i, " to take a snapshot"), [&] {
      return cluster.stage().group().SnapshotSize(i) > 0;
    });
  }
  cluster.stage().CrashAll();
  cluster.stage().StartAll();
  cluster.stage().ConnectAll();

  may_repeat = true;
  if (!append.Returns(seconds(20))) {
    Fail(Kind::kLiveness, "the call that is repeated does not return");
  }
  cluster.Check(client.get(), "k", "a");
  cluster.End();
}

// Calls wait at a leader that is cut off. When it comes back it gets a snapshot
// in place of the entries that others have put where its own were.
TEST(KVRaft3BScenario, SnapshotOverWaiters) {
  KvScenario scenario("Test (3B+): a snapshot over calls that wait",
                      WithSnapshots());
  KvCluster& cluster = scenario.cluster;
  scenario.Elect(0);
  Ends ends = cluster.stage().group().MakeClientEnds(100);
  cluster.stage().group().ConnectClient(100, {0, 1, 2});
  scenario.CutOff(0);
  const raft::Index before = scenario.StatusOf(0).last_index;
  std::vector<std::future<std::optional<Reply>>> calls;
  for (int i = 0; i < 10; ++i) {
    calls.push_back(KvScenario::Call(ends[0].get(), kvraft::kGet, {"k"}));
  }
  scenario.WaitUntil("S0 to append all", [&] {
    return scenario.StatusOf(0).last_index == before + calls.size();
  });

  const raft::ServerId other = scenario.ElectAnother(0);
  const auto writer = cluster.MakeClient({1, 2});
  for (int i = 0; i < 50; ++i) writer->Put("k", absl::StrCat(i));
  scenario.WaitUntil("the other to discard what S0 lacks", [&] {
    return scenario.StatusOf(other).first_index > before + calls.size();
  });
  scenario.Heal();
  for (auto& call : calls) {
    const std::optional<Reply> reply = scenario.Await(&call);
    if (!reply.has_value() || reply->err != Err::kLost) {
      Fail(Kind::kSafety,
           absl::StrCat("a read that a snapshot has replaced is answered ",
                        reply.has_value() ? Name(reply->err) : "nothing"));
    }
  }
  scenario.WaitUntil("S0 to apply what the other has", [&] {
    return scenario.StatusOf(0).first_index > before + calls.size() &&
           scenario.StatusOf(0).last_applied ==
               scenario.StatusOf(other).last_index;
  });
  scenario.Elect(0);
  cluster.Check(cluster.MakeClient().get(), "k", "49");
  cluster.End();
}

}  // namespace
}  // namespace tests
