// Scenario tests of part 3A: calls that are answered, lost and repeated where
// leaders change.
//
// Each runs on its test's main thread, with a cluster of its own.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "kvraft/clerk.h"
#include "kvraft/messages.h"
#include "tests/harness/kv_cluster.h"
#include "tests/kvraft/append_checks.h"
#include "tests/kvraft/disturbances.h"
#include "tests/kvraft/kv_scenario.h"
#include "tests/kvraft/pace.h"
#include "tests/kvraft/pending_call.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::BeginRecord;
using harness::Ends;
using harness::Fail;
using harness::Kind;
using harness::KvClient;
using harness::KvCluster;
using harness::Place;
using harness::TestThreads;
using kvraft::Err;
using kvraft::Reply;
using labrpc::Packet;
using labrpc::Ruling;
using raft::ServerId;
using std::chrono::milliseconds;
using std::chrono::seconds;

const auto kSuite =
    runner::Suite::OfScenarios("KVRaft3AScenario", "kvraft", "3A");

// A client that needs no Clerk: ends to all servers, which it reaches.
Ends MakeEnds(KvCluster* cluster, int client) {
  Ends ends = cluster->stage().group().MakeClientEnds(client);
  cluster->stage().group().ConnectClient(client, {0, 1, 2});
  return ends;
}

int CountThreads() {
  return static_cast<int>(
      std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                    std::filesystem::directory_iterator()));
}

// S0 leads, and is cut off. The others have another leader and another value.
// What S0 still takes for the state, it must not show.
TEST(KVRaft3AScenario, StaleRead) {
  KvScenario scenario("Test (3A+): a read from a leader that was replaced");
  KvCluster& cluster = scenario.cluster;
  scenario.Elect(0);
  const auto writer = cluster.MakeClient();
  writer->Put("k", "old");

  scenario.LeaveFree();
  scenario.CutOff(0);
  const auto majority = cluster.MakeClient({1, 2});
  majority->Put("k", "new");
  const auto reader = cluster.MakeClient({0});
  std::string value;
  PendingCall get(&cluster.stage(), [&] { value = reader->Get("k"); });
  if (get.Returns(seconds(1))) {
    Fail(Kind::kSafety,
         absl::StrCat("S0, cut off from all others, has answered a read: ",
                      value));
  }

  scenario.Heal();
  reader->ConnectAll();
  if (!get.Returns(seconds(20))) {
    Fail(Kind::kLiveness, "the read does not return after the heal");
  }
  cluster.End();
}

// A call waits for an index at S0; another leader commits another command
// there; S0 leads again, so that it takes itself for the leader as before.
//
//   S0   1 [1]   the call waits for index 3
//   S1   1  2    leads a newer term, or S2 does
//   S2   1  2
TEST(KVRaft3AScenario, IndexUsedAgain) {
  KvScenario scenario("Test (3A+): an index that is used again");
  KvCluster& cluster = scenario.cluster;
  scenario.Elect(0);
  const auto client = cluster.MakeClient();
  client->Put("k", "");
  const Ends ends = MakeEnds(&cluster, 100);

  scenario.CutOff(0);
  const size_t lost = cluster.history().Begin(
      BeginRecord(100, porcupine::Kind::kVersionedPut, "k", "lost", 1));
  auto call = KvScenario::Call(ends[0].get(), kvraft::kPut, {"k", "lost", 1});
  scenario.WaitUntil("S0 to append the command", [&] {
    return scenario.StatusOf(0).last_index > scenario.StatusOf(0).commit_index;
  });
  const ServerId other = scenario.ElectAnother(0);
  client->Connect({1, 2});
  client->Append("k", "kept");

  // S0 gets what replaces its entry, and only then leads.
  scenario.Heal();
  scenario.WaitUntil("S0 to apply what the other has", [&] {
    return scenario.StatusOf(0).last_applied ==
           scenario.StatusOf(other).last_index;
  });
  scenario.Elect(0);
  client->ConnectAll();
  client->Append("k", "more");
  const std::optional<Reply> reply = scenario.Await(&call);
  if (!reply.has_value() || reply->err != Err::kLost) {
    cluster.history().End(lost, reply.value_or(Reply()));
    Fail(Kind::kSafety,
         absl::StrCat("the call whose entry was replaced is answered ",
                      reply.has_value() ? Name(reply->err) : "nothing"));
  }
  cluster.Check(client.get(), "k", "keptmore");
  cluster.End();
}

// A request is so late that its client has gone on: it was answered by another
// attempt, and has sent its next one. The late one must change nothing.
TEST(KVRaft3AScenario, DelayedRequest) {
  KvScenario scenario("Test (3A+): a request that arrives after its successor");
  KvCluster& cluster = scenario.cluster;
  scenario.Elect(0);
  std::atomic<uint64_t> held = 0;
  scenario.TapClient(100, [&held](const Packet& packet) {
    const bool is_first = packet.kind == Packet::Kind::kRequest &&
                          packet.method == kvraft::kPutAppend.name && held == 0;
    if (!is_first) return Ruling::kPass;
    held = packet.call;
    return Ruling::kHold;
  });
  const Ends ends = MakeEnds(&cluster, 100);
  rpc::ClientEnd* const server = ends[0].get();
  const uint64_t session =
      scenario.Execute(server, kvraft::kOpenSession, {}).session;

  const kvraft::PutAppendArgs first{"k", "a", true, session, 1};
  auto late = KvScenario::Call(server, kvraft::kPutAppend, first);
  for (const auto& args :
       {first, kvraft::PutAppendArgs{"k", "b", true, session, 2}}) {
    const size_t operation = cluster.history().Begin(
        BeginRecord(100, porcupine::Kind::kAppend, "k", args.value));
    cluster.history().End(operation,
                          scenario.Execute(server, kvraft::kPutAppend, args));
  }
  cluster.stage().network().Release(held);
  scenario.Await(&late);

  const auto reader = cluster.MakeClient();
  cluster.Check(reader.get(), "k", "ab");
  cluster.End();
}

// The answer to a request is lost, and the next leader gets it once more.
TEST(KVRaft3AScenario, RepeatedAtNextLeader) {
  KvScenario scenario("Test (3A+): a request that two leaders get");
  KvCluster& cluster = scenario.cluster;
  scenario.Elect(0);
  const auto client = cluster.MakeClient();
  client->Put("k", "");

  std::atomic<bool> lost = false;
  scenario.TapClient(client->id(), [&lost](const Packet& packet) {
    const bool is_answer = IsExecuted(packet);
    return is_answer && !lost.exchange(true) ? Ruling::kDrop : Ruling::kPass;
  });
  PendingCall append(&cluster.stage(), [&] { client->Append("k", "a"); });
  scenario.WaitUntil("an answer to be lost", [&lost] { return lost.load(); });
  scenario.AwaitEqualLogs();  // or S1 may not lead
  scenario.Elect(1);
  if (!append.Returns(seconds(20))) {
    Fail(Kind::kLiveness, "the call that is repeated does not return");
  }
  cluster.Check(client.get(), "k", "a");
  cluster.End();
}

// Makes that many calls to S0, which leads and cannot commit, and waits until
// their entries are in its log.
std::vector<std::future<std::optional<Reply>>> MakeWaiters(KvScenario* scenario,
                                                           int calls) {
  constexpr int kAtOnce = 20;
  scenario->Elect(0);
  scenario->Stall(0);
  const raft::Index last = scenario->StatusOf(0).last_index;
  std::vector<std::future<std::optional<Reply>>> replies;
  for (int i = 1; i <= calls; ++i) {
    const Ends ends = MakeEnds(&scenario->cluster, 100 + i);
    replies.push_back(KvScenario::Call(ends[0].get(), kvraft::kGet, {"k"}));
    if (i % kAtOnce != 0 && i < calls) continue;
    scenario->WaitUntil("S0 to append all", [&] {
      return scenario->StatusOf(0).last_index == last + replies.size();
    });
  }
  return replies;
}

// Calls wait at a leader that cannot commit, and it is killed: all end, soon.
TEST(KVRaft3AScenario, KillWithWaiters) {
  KvScenario scenario("Test (3A+): a server is killed while calls wait");
  KvCluster& cluster = scenario.cluster;
  auto calls = MakeWaiters(&scenario, 50);

  cluster.stage().group().Crash(0);
  for (auto& call : calls) {
    const std::optional<Reply> reply = scenario.Await(&call);
    if (reply.has_value() && reply->err == Err::kOk) {
      Fail(Kind::kSafety, "a read is answered by a leader without a majority");
    }
  }
  scenario.LeaveFree();
  cluster.stage().group().Start(0);
  cluster.stage().group().Connect(0);
  const auto client = cluster.MakeClient();
  client->Put("k", "v");
  cluster.Check(client.get(), "k", "v");
  cluster.End();
}

// A thousand calls wait at a leader that cannot commit, and cost no threads: a
// service that keeps one for each is right, and fails for its costs alone, when
// all calls have been answered.
TEST(KVRaft3AScenario, ThousandWaiters) {
  constexpr int kMostThreads = 40;
  KvScenario scenario("Test (3A+): a thousand calls wait");
  auto calls = MakeWaiters(&scenario, 1000);
  if (const int threads = CountThreads(); threads >= kMostThreads) {
    scenario.cluster.stage().FoundError(
        {Kind::kEconomy, absl::StrCat("a thousand calls that wait take ",
                                      threads, " threads")});
  }

  scenario.LeaveFree();
  for (auto& call : calls) {
    const std::optional<Reply> reply = scenario.Await(&call);
    if (!reply.has_value() || reply->err != Err::kNoKey) {
      Fail(Kind::kLiveness, "a call that waited ends without a result");
    }
  }
  scenario.cluster.End();
}

// A cluster that ends while calls wait leaves no thread: many clusters, one
// after the other, need no more than one. The simulator keeps threads for
// later ones, and not in each run as many.
TEST(KVRaft3AScenario, NoThreadLeft) {
  constexpr int kClusters = 10;
  int before = 0;
  for (int i = 0; i <= kClusters; ++i) {
    if (i == 1) before = CountThreads();
    KvScenario scenario("Test (3A+): ends while calls wait");
    MakeWaiters(&scenario, 10);
    scenario.cluster.End();
  }
  if (const int left = CountThreads() - before; left >= kClusters) {
    Fail(Kind::kLiveness, absl::StrCat(left, " threads are left by ", kClusters,
                                       " clusters that have ended"));
  }
}

// Clients that call without a pause share one key. The log says in which order
// their calls were executed; nothing else could decide it in time.
TEST(KVRaft3AScenario, OneKey) {
  constexpr int kClients = 5;
  constexpr int kCalls = 200;
  KvCluster cluster({.servers = 5, .reliable = false});
  cluster.Begin("Test (3A+): many clients on one key");
  cluster.SpawnClientsAndWait(kClients, [](int number, KvClient* client) {
    base::Random random =
        base::Random::ForOwner(absl::StrCat("client/", number));
    for (int i = 0; i < kCalls; ++i) {
      const uint64_t draw = random.Below(20);
      if (draw < 10) {
        client->Append("k", Element(number, i));
      } else if (draw == 10) {
        client->Put("k", Element(number, i));
      } else {
        client->Get("k");
      }
    }
  });
  cluster.End();
}

// One client writes, another one reads, while the network is divided: its reads
// never show less than before.
TEST(KVRaft3AScenario, ReaderInPartitions) {
  KvCluster cluster({.servers = 5});
  cluster.Begin("Test (3A+): another client reads, partitions");
  std::atomic<bool> stopped = false;
  TestThreads threads([&cluster] { cluster.stage().CheckHasFailed(); });
  cluster.Spawn(&threads, [&] {
    const auto writer = cluster.MakeClient();
    for (int i = 0; !stopped; ++i) {
      AwaitRound(milliseconds(20));
      writer->Append("k", Element(0, i));
    }
  });
  cluster.Spawn(&threads, [&] {
    const auto reader = cluster.MakeClient();
    std::string last;
    while (!stopped) {
      AwaitRound(milliseconds(20));
      const std::string value = reader->Get("k");
      if (!value.starts_with(last)) {
        Fail(Kind::kSafety,
             absl::StrCat("a read of ", value, "\nfollows one of ", last));
      }
      last = value;
    }
  });
  PartitionAgainAndAgain(&cluster, seconds(8), &stopped, Place::Here());
  threads.Join();
  cluster.End();
}

// Servers restart a hundred times, now and then all together, while clients
// write. Every element that a client has written is there, once.
TEST(KVRaft3AScenario, HundredRestarts) {
  constexpr int kClients = 5;
  KvCluster cluster({.servers = 5, .max_raft_state = 4000});
  cluster.Begin("Test (3A+): a hundred restarts");
  std::atomic<bool> stopped = false;
  std::vector<int> written(kClients);
  TestThreads clients([&cluster] { cluster.stage().CheckHasFailed(); });
  for (int i = 0; i < kClients; ++i) {
    cluster.Spawn(&clients, [&, i] {
      const auto client = cluster.MakeClient();
      const std::string key = absl::StrCat(i % 2);
      for (int& j = written[static_cast<size_t>(i)]; !stopped; ++j) {
        AwaitRound(milliseconds(50));
        client->Append(key, Element(i, j));
      }
    });
  }

  base::Random random = base::Random::ForOwner("test");
  harness::ServiceCluster& stage = cluster.stage();
  for (int restarts = 0; restarts < 100; ++restarts) {
    if (restarts % 20 == 19) {
      stage.CrashAll();
      stage.StartAll();
      stage.ConnectAll();
    } else {
      const auto server = static_cast<ServerId>(random.Below(5));
      stage.group().Crash(server);
      stage.Sleep(milliseconds(random.Between(0, 200)));
      stage.group().Start(server);
      stage.group().Connect(server);
    }
    stage.Sleep(milliseconds(random.Between(0, 300)));
  }
  stopped = true;
  clients.Join();
  stage.CheckError();

  const auto reader = cluster.MakeClient();
  for (int i = 0; i < kClients; ++i) {
    CheckAppends(i, reader->Get(absl::StrCat(i % 2)),
                 written[static_cast<size_t>(i)]);
  }
  cluster.End();
}

// What a Clerk cannot do, and what a server refuses.
TEST(KVRaft3AScenario, Refusals) {
  KvScenario scenario("Test (3A+): calls that are refused");
  scenario.Elect(0);
  kvraft::Clerk clerk(MakeEnds(&scenario.cluster, 100));
  const std::string long_key(kvraft::kMaxKeyBytes + 1, 'k');
  const std::string long_value(raft::kMaxCommandBytes, 'v');
  EXPECT_EQ(clerk.Get(long_key).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(clerk.Append(long_key, "v").code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(clerk.Put("k", long_value).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(clerk.PutVersioned("k", long_value, 0), Err::kTooLarge);
  EXPECT_EQ(clerk.GetVersioned("k").err, Err::kNoKey);

  kvraft::Clerk alone({});
  EXPECT_EQ(alone.Get("k").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(alone.PutVersioned("k", "v", 0), Err::kNoServers);

  // Of a version that is not there: of no key, yet to come, older.
  const auto client = scenario.cluster.MakeClient();
  EXPECT_EQ(client->PutVersioned("k", "v", 1), Err::kNoKey);
  EXPECT_EQ(client->PutVersioned("k", "v", 0), Err::kOk);
  EXPECT_EQ(client->PutVersioned("k", "w", 2), Err::kVersion);
  EXPECT_EQ(client->PutVersioned("k", "w", 0), Err::kVersion);
  EXPECT_EQ(client->GetVersioned("k").value, "v");

  clerk.Close();
  EXPECT_EQ(clerk.Get("k").status().code(), absl::StatusCode::kCancelled);
  scenario.cluster.End();
}

}  // namespace
}  // namespace tests
