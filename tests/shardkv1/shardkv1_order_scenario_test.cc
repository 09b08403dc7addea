// Scenario tests of the sharded key/value service of 2025: exact orders of
// messages that the course's tests meet by luck, if at all.
//
// Each test runs on its test's main thread, with a cluster of its own.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "gtest/gtest.h"
#include "kvraft/messages.h"
#include "labrpc/network.h"
#include "rpc/codec.h"
#include "shardkv1/config.h"
#include "shardkv1/messages.h"
#include "tests/harness/link.h"
#include "tests/kvraft/pending_call.h"
#include "tests/kvraft/versioned_puts.h"
#include "tests/runner/suite.h"
#include "tests/shardkv1/shard_test.h"

namespace tests {
namespace {

using harness::Fail;
using harness::Kind;
using harness::Place;
using harness::ShardKV1Client;
using harness::ShardKV1Cluster;
using labrpc::Packet;
using labrpc::Ruling;
using shardkv1::Config;
using shardkv1::Gid;
using shardkv1::kFirstGroup;
using std::chrono::milliseconds;
using std::chrono::seconds;

const auto kSuite =
    runner::Suite::OfScenarios("ShardKV1OrderScenario", "shardkv1", "");

// Rules about messages as the test says, and releases what it has held.
// Thread safety: safe; its lock is a leaf.
class Gate {
 public:
  // It may keep a state: one message at a time.
  using Rule = std::function<Ruling(const Packet&)>;

  labrpc::Tap MakeTap() {
    return [this](const Packet& packet) { return Decide(packet); };
  }

  void Set(Rule rule) EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    rule_ = std::move(rule);
  }

  size_t held() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    return calls_.size();
  }

  // Interferes no more.
  void Open(labrpc::Network* network) EXCLUDES(mu_) {
    std::vector<uint64_t> calls;
    {
      base::MutexLock lock(&mu_);
      rule_ = nullptr;
      calls.swap(calls_);
    }
    for (const uint64_t call : calls) network->Release(call);
  }

 private:
  Ruling Decide(const Packet& packet) EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    const Ruling ruling = rule_ ? rule_(packet) : Ruling::kPass;
    if (ruling == Ruling::kHold) calls_.push_back(packet.call);
    return ruling;
  }

  base::Mutex mu_;
  Rule rule_ ABSL_GUARDED_BY(mu_);
  std::vector<uint64_t> calls_ ABSL_GUARDED_BY(mu_);
};

bool IsRequest(const Packet& packet, std::string_view method) {
  return packet.kind == Packet::Kind::kRequest && packet.method == method;
}

void WaitUntil(ShardTest* test, const std::string& what,
               const std::function<bool()>& is_so,
               Place place = Place::Here()) {
  const auto limit = std::chrono::steady_clock::now() + seconds(20);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > limit) {
      Fail(Kind::kLiveness,
           absl::StrCat("expected ", what, " within 20 s\n",
                        test->cluster().Describe()),
           place);
    }
    test->stage().Sleep(milliseconds(5), place);
  }
}

// The value that key has after `version` writes, of these tests.
std::string ValueOf(size_t i, uint64_t version) {
  return absl::StrCat(ShardTest::Key(i), " ", version);
}

// Puts all keys, which have that version, and checks them.
void PutAll(ShardTest* test, ShardKV1Client* client, uint64_t version) {
  for (size_t i = 0; i < test->keys(); ++i) {
    client->PutVersioned(ShardTest::Key(i), ValueOf(i, version + 1), version);
  }
}
void CheckAll(ShardTest* test, ShardKV1Client* client, uint64_t version) {
  for (size_t i = 0; i < test->keys(); ++i) {
    CheckGet(client, ShardTest::Key(i), ValueOf(i, version), version);
  }
}

// Nothing is installed while five shards and more are on their way: the others
// are served.
TEST(ShardKV1OrderScenario, OthersAreServedDuringAMove) {
  std::atomic<int> installs = 0;
  Gate gate;
  ShardTest test("Scenario: shards that do not move ...",
                 {.tap = gate.MakeTap()});
  test.SpreadPuts();
  const Gid gid = test.NewGid();
  const absl::StatusOr<Config> next =
      shardkv1::Join(test.Query(), {{gid, ShardKV1Cluster::ServersOf(gid)}});
  gate.Set([&installs](const Packet& packet) {
    if (!IsRequest(packet, shardkv1::kInstall.name)) return Ruling::kPass;
    ++installs;
    return Ruling::kDrop;
  });
  PendingCall join(&test.stage(), [&] { test.Join({gid}); });
  WaitUntil(&test, "shards to be installed", [&] { return installs >= 20; });

  PendingCall reads(&test.stage(), [&] {
    const auto client = test.cluster().MakeClient();
    for (size_t i = 0; i < test.keys(); ++i) {
      const int shard = shardkv1::ShardOf(ShardTest::Key(i));
      if (next->shards[static_cast<size_t>(shard)] != kFirstGroup) continue;
      test.Check(client.get(), i);
    }
  });
  if (!reads.Returns(seconds(5))) {
    Fail(Kind::kLiveness, "shards that do not move are not served");
  }
  gate.Open(&test.stage().network());
  if (!join.Returns(seconds(20))) Fail(Kind::kLiveness, "Join didn't complete");
  test.CheckAll();
  test.End();
}

// A controller has a group join; its Installs are executed, the answers to them
// are lost, and it sends them again.
struct LateInstalls {
  std::shared_ptr<ShardTest::Controller> other;  // has finished the change
  std::unique_ptr<PendingCall> change;           // the first one's
};

// Until the gate is opened its second Installs are held.
LateInstalls JoinWithLateInstalls(ShardTest* test, Gate* gate, Gid gid) {
  test->cluster().StartGroup(gid);
  std::map<uint64_t, int32_t> shards;  // by call
  std::set<int32_t> done;
  gate->Set([shards, done](const Packet& packet) mutable {
    if (packet.method != shardkv1::kInstall.name) return Ruling::kPass;
    if (packet.kind == Packet::Kind::kRequest) {
      const int32_t shard =
          rpc::Decode<shardkv1::InstallArgs>(packet.bytes)->move.shard;
      shards[packet.call] = shard;
      return done.contains(shard) ? Ruling::kHold : Ruling::kPass;
    }
    const auto reply = rpc::Decode<shardkv1::MoveReply>(packet.bytes);
    if (reply->err != shardkv1::Err::kOk) return Ruling::kPass;
    done.insert(shards[packet.call]);
    return Ruling::kDrop;
  });
  LateInstalls late;
  late.change = std::make_unique<PendingCall>(&test->stage(), [test, gid] {
    test->ChangeToWith(test->controller(), gid);
  });
  WaitUntil(test, "half of the shards to be installed again",
            [gate] { return gate->held() == shardkv1::kShards / 2; });
  gate->Set(nullptr);
  late.other = test->cluster().MakeController();
  const absl::Status finished = late.other->InitController();
  if (!finished.ok()) {
    Fail(Kind::kSafety, std::string(finished.message()));
  }
  return late;
}

void Open(ShardTest* test, Gate* gate, LateInstalls* late) {
  gate->Open(&test->stage().network());
  if (!late->change->Returns(seconds(20))) {
    Fail(Kind::kLiveness, "the change didn't end");
  }
}

// Shards are installed again when they have been written to.
TEST(ShardKV1OrderScenario, InstallAfterWrites) {
  Gate gate;
  ShardTest test("Scenario: shards are installed again after writes ...",
                 {.tap = gate.MakeTap()});
  test.SpreadPuts();
  const auto client = test.cluster().MakeClient();
  LateInstalls late = JoinWithLateInstalls(&test, &gate, test.NewGid());
  PutAll(&test, client.get(), 1);
  Open(&test, &gate, &late);
  CheckAll(&test, client.get(), 2);
  test.End();
}

// The same when they have left again. A Clerk that has not heard of that must
// not read there what they were.
TEST(ShardKV1OrderScenario, InstallAfterItsShardHasLeft) {
  Gate gate;
  ShardTest test("Scenario: shards are installed late ...",
                 {.tap = gate.MakeTap()});
  test.SpreadPuts();
  const auto client = test.cluster().MakeClient();
  const auto reader = test.cluster().MakeClient();
  const Gid gid = test.NewGid();
  LateInstalls late = JoinWithLateInstalls(&test, &gate, gid);
  PutAll(&test, reader.get(), 1);
  if (!test.ChangeToWithout(*late.other, gid)) {
    Fail(Kind::kSafety, "the group has not left");
  }
  PutAll(&test, client.get(), 2);
  Open(&test, &gate, &late);
  CheckAll(&test, reader.get(), 3);
  test.End();
}

// The answer to a Put is lost; when it is sent again the shard is with another
// group, which has the version that the Put has made.
TEST(ShardKV1OrderScenario, PutFollowsItsShard) {
  bool is_lost = false;
  Gate gate;
  ShardTest test("Scenario: a Put that is sent again to the new owner ...",
                 {.tap = gate.MakeTap()});
  test.SpreadPuts();
  std::string key;  // of the first shard that moves
  for (int i = 0; key.empty(); ++i) {
    if (shardkv1::ShardOf(absl::StrCat("x", i)) == 0)
      key = absl::StrCat("x", i);
  }
  gate.Set([&is_lost](const Packet& packet) {
    if (packet.method != shardkv1::kPut.name) return Ruling::kPass;
    if (packet.kind == Packet::Kind::kRequest) {
      return is_lost ? Ruling::kHold : Ruling::kPass;
    }
    const auto reply = rpc::Decode<shardkv1::Reply>(packet.bytes);
    if (!reply.ok() || reply->err != shardkv1::Err::kOk) return Ruling::kPass;
    is_lost = true;
    return Ruling::kDrop;
  });
  const auto client = test.cluster().MakeClient();
  kvraft::Err err = kvraft::Err::kOk;
  PendingCall put(&test.stage(),
                  [&] { err = client->PutVersioned(key, "a", 0); });
  WaitUntil(&test, "the Put to be sent again", [&] { return gate.held() > 0; });

  const Gid gid = test.NewGid();
  test.Join({gid});
  if (test.Query().shards[0] != gid) Fail(Kind::kSafety, "it has not moved");
  gate.Open(&test.stage().network());
  if (!put.Returns(seconds(20))) Fail(Kind::kLiveness, "Put didn't complete");
  if (err != kvraft::Err::kMaybe) {
    Fail(Kind::kSafety, absl::StrCat("expected ErrMaybe, got ", Name(err)));
  }
  CheckGet(client.get(), key, "a", 1);
  test.End();
}

// A group that leaves answers no Delete of one controller; another controller
// finishes the change, and the group is shut down for good: the first one must
// not wait for it.
TEST(ShardKV1OrderScenario, LeftGroupIsGoneForGood) {
  std::atomic<int> deletes = 0;
  Gate gate;
  ShardTest test("Scenario: a group that has left is gone for good ...",
                 {.tap = gate.MakeTap()});
  test.SpreadPuts();
  const Gid gid = test.NewGid();
  test.Join({gid});
  gate.Set([&deletes](const Packet& packet) {
    if (!IsRequest(packet, shardkv1::kDelete.name)) return Ruling::kPass;
    ++deletes;
    return Ruling::kDrop;
  });
  const auto first = test.cluster().MakeController();
  PendingCall change(&test.stage(), [&] { test.ChangeToWithout(*first, gid); });
  WaitUntil(&test, "Deletes to be sent again", [&] { return deletes >= 20; });

  first->Connect(false);
  gate.Open(&test.stage().network());
  const auto second = test.cluster().MakeController();
  const absl::Status finished = second->InitController();
  if (!finished.ok()) {
    Fail(Kind::kSafety, std::string(finished.message()));
  }
  test.cluster().ShutdownGroup(gid);
  first->Connect(true);
  if (!change.Returns(seconds(20))) {
    Fail(Kind::kLiveness, "the change didn't end");
  }
  test.CheckAll();
  test.End();
}

// A controller has read the configuration, and before it can post the next one
// another controller has done so and has made it the current one: the first one
// must be told so. With `loses` its first post is lost, so that it cannot know
// whether that was executed.
void PostAfterAnother(std::string_view title, bool loses) {
  const std::string store = harness::ServerName(0, 0);
  int calls = 0;
  Gate gate;
  ShardTest test(title, {.tap = gate.MakeTap()});
  test.SpreadPuts();
  const Gid slow = test.NewGid();
  const Gid fast = test.NewGid();
  for (const Gid gid : {slow, fast}) test.cluster().StartGroup(gid);
  const absl::StatusOr<Config> next =
      shardkv1::Join(test.Query(), {{slow, ShardKV1Cluster::ServersOf(slow)}});

  // It reads what is next and what is current; then it posts.
  gate.Set([&](const Packet& packet) {
    const bool is_call =
        packet.kind == Packet::Kind::kRequest && packet.server == store;
    if (!is_call || ++calls < 3) return Ruling::kPass;
    if (loses && calls == 3) return Ruling::kDrop;
    return calls == (loses ? 4 : 3) ? Ruling::kHold : Ruling::kPass;
  });
  absl::Status posted;
  PendingCall change(&test.stage(),
                     [&] { posted = test.controller().ChangeConfigTo(*next); });
  WaitUntil(&test, "the post to be under way", [&] { return gate.held() > 0; });

  const auto other = test.cluster().MakeController();
  if (!test.ChangeToWith(*other, fast)) {
    Fail(Kind::kSafety, "the other controller's group is no member");
  }
  gate.Open(&test.stage().network());
  if (!change.Returns(seconds(20))) {
    Fail(Kind::kLiveness, "the change didn't end");
  }
  const Config config = test.Query();
  if (posted.ok() || config.num != next->num || !IsMember(config, fast)) {
    Fail(Kind::kSafety,
         absl::StrCat("two controllers have made ", ToString(config)));
  }
  test.CheckAll();
  test.End();
}

TEST(ShardKV1OrderScenario, PostedAfterAnother) {
  PostAfterAnother("Scenario: two controllers post the same number ...",
                   /*loses=*/false);
}

TEST(ShardKV1OrderScenario, LostPostFindsAnother) {
  PostAfterAnother("Scenario: a lost post, and another one of its number ...",
                   /*loses=*/true);
}

}  // namespace
}  // namespace tests
