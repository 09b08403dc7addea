// Unit tests of shardkv/group.h: what each log entry does to a group, in what
// order it may come, and that repeated, early and late ones do nothing.

#include "shardkv/group.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "kvraft/replicated_store.h"
#include "rpc/codec.h"
#include "rsm/sessions.h"
#include "rsm/typed.h"
#include "shardctrler/config.h"

namespace shardkv {
namespace {

using kvraft::Store;
using rsm::Sessions;
using shardctrler::Config;
using shardctrler::Gid;
using shardctrler::kShards;

constexpr Gid kOne = 1;
constexpr Gid kTwo = 2;

std::vector<std::string> ServersOf(Gid gid) {
  return {absl::StrCat(gid, "a"), absl::StrCat(gid, "b")};
}

// All shards are at `owner`, but for shard 0.
Config At(int64_t num, Gid owner_of_0, Gid owner = kOne) {
  Config config{.num = num};
  config.shards.fill(owner);
  config.shards[0] = owner_of_0;
  config.groups = {{kOne, ServersOf(kOne)}, {kTwo, ServersOf(kTwo)}};
  return config;
}

// A group, and what the tests ask of it.
struct TestGroup {
  explicit TestGroup(Gid the_gid)
      : gid(the_gid), group(gid, [this](const Transfers&) { ++told; }) {}

  std::string Do(Command command) { return group.Apply(rpc::Encode(command)); }

  // The answer of a shard that is served; "-" otherwise.
  std::string Run(int shard, std::string request) {
    const Result result =
        *rpc::Decode<Result>(Do({Execute{shard, std::move(request)}}));
    if (!result.served) return "-";
    const Sessions::Answer answer = *Sessions::Decode(result.value);
    if (answer.status != Sessions::Status::kOk) return "refused";
    return answer.value;
  }
  std::string Run(int shard, const kvraft::Command& command, uint64_t session,
                  uint64_t number) {
    const std::string answer =
        Run(shard, Sessions::EncodeCommand(session, number,
                                           rsm::Typed<Store>::Encode(command)));
    if (answer == "-" || answer == "refused") return answer;
    return rsm::Typed<Store>::Decode(answer)->value;
  }
  std::string Get(int shard, const std::string& key) {
    return Run(shard, {kvraft::Command::Kind::kGet, key}, 0, 0);
  }
  std::string Append(int shard, const std::string& key,
                     const std::string& value, uint64_t session = 0,
                     uint64_t number = 0) {
    return Run(shard, {kvraft::Command::Kind::kAppend, key, value}, session,
               number);
  }
  bool Serves(int shard) { return Get(shard, "x") != "-"; }
  const Transfers& moves() { return group.transfers(); }
  ShardState StateOf(int shard) {
    return shardkv::StateOf(Told(moves()), gid, shard);
  }

  const Gid gid;
  int told = 0;
  Group group;
};

// The whole of a shard that is leaving, as an entry of the new owner's log.
Install InstallOf(TestGroup* source, MoveId move) {
  return {move, {}, source->moves().leaving.at(move)->Read({})};
}

TEST(Group, ConfigurationsComeOneByOne) {
  TestGroup one(kOne);
  EXPECT_FALSE(one.Serves(0));
  one.Do({Reconfigure{At(2, kOne)}});
  EXPECT_EQ(one.moves().config.num, 0);
  one.Do({Reconfigure{At(1, kOne)}});
  EXPECT_EQ(one.moves().config.num, 1);
  one.Do({Reconfigure{At(1, kTwo)}});
  EXPECT_EQ(one.moves().config.shards[0], kOne);
  one.Do({Reconfigure{At(3, kTwo)}});
  EXPECT_EQ(one.moves().config.num, 1);
  EXPECT_EQ(one.told, 1);
}

// A shard that no group had is served at once, and empty.
TEST(Group, FirstOwnerPullsNothing) {
  TestGroup one(kOne);
  one.Do({Reconfigure{At(1, kTwo)}});
  EXPECT_FALSE(one.Serves(0));
  EXPECT_EQ(one.StateOf(0), ShardState::kAbsent);
  for (int shard = 1; shard < kShards; ++shard) {
    EXPECT_TRUE(one.Serves(shard));
    EXPECT_EQ(one.StateOf(shard), ShardState::kOwned);
  }
  EXPECT_TRUE(one.moves().coming.empty());
  EXPECT_TRUE(one.moves().to_confirm.empty());
}

class MoveTest : public testing::Test {
 protected:
  // Shard 0 moves from one group to the other at configuration 2.
  MoveTest() {
    for (TestGroup* group : {&one, &two}) {
      group->Do({Reconfigure{At(1, kOne)}});
    }
    session = *Sessions::DecodeId(one.Run(0, Sessions::EncodeOpen()));
    one.Append(0, "k", "a", session, 1);
    for (TestGroup* group : {&one, &two}) {
      group->Do({Reconfigure{At(2, kTwo)}});
    }
  }

  void Move() {
    two.Do({InstallOf(&one, move)});
    one.Do({Delete{move}});
    two.Do({Confirmed{move}});
  }

  const MoveId move = {2, 0};
  TestGroup one{kOne};
  TestGroup two{kTwo};
  uint64_t session = 0;
};

TEST_F(MoveTest, NobodyServesAShardOnItsWay) {
  EXPECT_FALSE(one.Serves(0));
  EXPECT_FALSE(two.Serves(0));
  EXPECT_TRUE(one.Serves(1));
  EXPECT_EQ(one.StateOf(0), ShardState::kAbsent);
  EXPECT_TRUE(one.moves().leaving.contains(move));
  EXPECT_EQ(two.StateOf(0), ShardState::kComing);
  EXPECT_EQ(two.moves().coming.at(move).from.gid, kOne);
  EXPECT_EQ(two.moves().coming.at(move).from.servers, ServersOf(kOne));
}

TEST_F(MoveTest, InstallServesAndDeleteDrops) {
  two.Do({InstallOf(&one, move)});
  EXPECT_EQ(two.StateOf(0), ShardState::kToConfirm);
  EXPECT_EQ(two.moves().to_confirm.at(move).servers, ServersOf(kOne));
  EXPECT_EQ(two.Get(0, "k"), "a");
  EXPECT_TRUE(one.moves().leaving.contains(move));

  one.Do({Delete{move}});
  EXPECT_TRUE(one.moves().leaving.empty());
  two.Do({Confirmed{move}});
  EXPECT_TRUE(two.moves().to_confirm.empty());
  EXPECT_EQ(two.StateOf(0), ShardState::kOwned);
}

// An operation that was accepted just before the shard left executes nothing,
// and can be executed where the shard is now.
TEST_F(MoveTest, WhatIsNotServedIsNotRemembered) {
  EXPECT_EQ(one.Append(0, "k", "b", session, 2), "-");
  EXPECT_EQ(two.Append(0, "k", "b", session, 2), "-");
  two.Do({InstallOf(&one, move)});
  EXPECT_EQ(two.Get(0, "k"), "a");
  EXPECT_EQ(two.Append(0, "k", "b", session, 2), "");
  EXPECT_EQ(two.Get(0, "k"), "ab");
}

// What was executed before the move is not executed again after it.
TEST_F(MoveTest, SessionsMoveToo) {
  two.Do({InstallOf(&one, move)});
  two.Append(0, "k", "a", session, 1);
  EXPECT_EQ(two.Get(0, "k"), "a");
  // Nor does a client there get the session of another.
  EXPECT_GT(*Sessions::DecodeId(two.Run(0, Sessions::EncodeOpen())), session);
}

TEST_F(MoveTest, AnotherInstallDoesNothing) {
  const Install install = InstallOf(&one, move);
  two.Do({install});
  two.Append(0, "k", "b");
  two.Do({install});
  EXPECT_EQ(two.Get(0, "k"), "ab");
  one.Do({Delete{move}});
  two.Do({Confirmed{move}});
  two.Do({install});
  EXPECT_EQ(two.Get(0, "k"), "ab");
  EXPECT_EQ(two.StateOf(0), ShardState::kOwned);
}

TEST_F(MoveTest, InstallComesInParts) {
  const kvraft::SharedStore left = one.moves().leaving.at(move);
  const Install first = {move, {}, left->Read({}, /*bytes=*/1)};
  const kvraft::Cursor middle = first.part.next;
  const Install last = {move, middle, left->Read(middle)};
  EXPECT_EQ(middle, (kvraft::Cursor{1, 0}));
  two.Do({last});  // too early
  two.Do({first});
  two.Do({first});  // again
  EXPECT_EQ(two.moves().coming.at(move).next, middle);
  EXPECT_FALSE(two.Serves(0));

  TestGroup restored(kTwo);
  ASSERT_TRUE(restored.group.Restore(two.group.Snapshot()).ok());
  for (TestGroup* group : {&two, &restored}) {
    group->Do({last});
    EXPECT_EQ(group->Get(0, "k"), "a");
  }
}

// A configuration is taken only when all shards of the one before have come.
TEST_F(MoveTest, WaitsForWhatIsComing) {
  two.Do({Reconfigure{At(3, kTwo, kTwo)}});
  EXPECT_EQ(two.moves().config.num, 2);
  two.Do({InstallOf(&one, move)});
  two.Do({Reconfigure{At(3, kTwo, kTwo)}});
  EXPECT_EQ(two.moves().config.num, 3);
}

// What is leaving or to be confirmed does not hold a group up: the shard comes
// back, leaves again, and each confirmation finds its own copy.
TEST_F(MoveTest, DeleteFindsItsOwnCopy) {
  two.Do({InstallOf(&one, move)});
  two.Append(0, "k", "b");
  const MoveId back = {3, 0};
  for (TestGroup* group : {&one, &two}) group->Do({Reconfigure{At(3, kOne)}});
  EXPECT_TRUE(two.moves().to_confirm.contains(move));
  EXPECT_TRUE(two.moves().leaving.contains(back));

  // Late: the shard is already on its way back, or has come.
  TestGroup early(kOne);
  ASSERT_TRUE(early.group.Restore(one.group.Snapshot()).ok());
  early.Do({Delete{move}});
  early.Do({InstallOf(&two, back)});
  EXPECT_EQ(early.Get(0, "k"), "ab");

  one.Do({InstallOf(&two, back)});
  one.Append(0, "k", "c");
  one.Do({Delete{move}});
  EXPECT_EQ(one.Get(0, "k"), "abc");
  EXPECT_TRUE(one.moves().leaving.empty());
  EXPECT_EQ(one.StateOf(0), ShardState::kToConfirm);

  two.Do({Delete{move}});
  EXPECT_TRUE(two.moves().leaving.contains(back));
  two.Do({Delete{back}});
  EXPECT_TRUE(two.moves().leaving.empty());
}

TEST_F(MoveTest, EntriesOfOtherMovesDoNothing) {
  const Install install = InstallOf(&one, move);
  const auto with = [&install](MoveId other) {
    Install changed = install;
    changed.move = other;
    return changed;
  };
  const int told = two.told;
  two.Do({with({1, 0})});
  two.Do({with({3, 0})});
  two.Do({with({2, 1})});
  two.Do({Delete{move}});
  two.Do({Confirmed{move}});
  two.Do({Nothing()});
  EXPECT_EQ(two.told, told);
  EXPECT_FALSE(two.Serves(0));
  one.Do({Delete{{1, 0}}});
  one.Do({Delete{{2, 1}}});
  EXPECT_TRUE(one.moves().leaving.contains(move));
}

// When all groups leave, their shards have no group, and are empty later.
TEST_F(MoveTest, AShardWithoutAGroupIsGone) {
  Move();
  one.Do({Reconfigure{At(3, kTwo)}});
  one.Do({Reconfigure{{.num = 4}}});
  EXPECT_FALSE(one.Serves(1));
  EXPECT_TRUE(one.moves().leaving.empty());
  one.Do({Reconfigure{At(5, kTwo)}});
  EXPECT_TRUE(one.Serves(1));
  EXPECT_TRUE(one.moves().coming.empty());
}

// A Clerk that has a session of what the shard was before learns that it is
// unknown: otherwise it would be taken for that of another Clerk, and its write
// for one that was executed.
TEST(Group, AShardThatIsEmptyAgainGivesNewSessionNumbers) {
  TestGroup one(kOne);
  std::vector<uint64_t> earlier;
  for (int64_t num = 1; num <= 5; num += 2) {
    one.Do({Reconfigure{At(num, kOne)}});
    const uint64_t session =
        *Sessions::DecodeId(one.Run(0, Sessions::EncodeOpen()));
    one.Append(0, "k", "a", session, 1);
    for (const uint64_t other : earlier) {
      EXPECT_EQ(one.Append(0, "k", "x", other, 1), "refused");
      EXPECT_EQ(one.Append(0, "k", "x", other, 2), "refused");
    }
    EXPECT_EQ(one.Get(0, "k"), "a");
    earlier.push_back(session);
    one.Do({Reconfigure{{.num = num + 1}}});
  }
}

TEST_F(MoveTest, SnapshotHasAllOfIt) {
  const auto check = [](TestGroup* group, Gid gid) {
    TestGroup restored(gid);
    restored.Do({Reconfigure{At(1, kOne, kTwo)}});
    ASSERT_TRUE(restored.group.Restore(group->group.Snapshot()).ok());
    EXPECT_EQ(restored.told, 2);
    EXPECT_EQ(restored.group.Snapshot(), group->group.Snapshot());
    for (int shard = 0; shard < kShards; ++shard) {
      EXPECT_EQ(restored.StateOf(shard), group->StateOf(shard));
      EXPECT_EQ(restored.Get(shard, "k"), group->Get(shard, "k"));
    }
  };
  check(&one, kOne);
  check(&two, kTwo);
  two.Do({InstallOf(&one, move)});
  check(&two, kTwo);
  one.Do({Delete{move}});
  check(&one, kOne);
}

TEST_F(MoveTest, RestoreRefusesNonsense) {
  EXPECT_FALSE(one.group.Restore(base::Rope("nonsense")).ok());
}

TEST(Group, BytesThatAreNoCommand) {
  TestGroup one(kOne);
  EXPECT_FALSE(rpc::Decode<Result>(one.group.Apply("nonsense"))->served);
  EXPECT_FALSE(one.Serves(-1));
  EXPECT_FALSE(one.Serves(kShards));
}

TEST(Messages, ShardOf) {
  EXPECT_EQ(ShardOf(""), 0);
  EXPECT_EQ(ShardOf("0"), 8);
  EXPECT_EQ(ShardOf("1"), 9);
  EXPECT_EQ(ShardOf("2"), 0);
  EXPECT_EQ(ShardOf("9"), 7);
  EXPECT_EQ(ShardOf("19"), 9);
  EXPECT_EQ(ShardOf("\xff"), 5);
}

// Three groups that take random configurations and exchange their entries, in a
// random order and some of them again.
class RandomMovesTest : public testing::Test {
 protected:
  static constexpr Gid kGroups = 3;
  static constexpr int kConfigs = 60;

  RandomMovesTest() {
    for (Gid gid = 1; gid <= kGroups; ++gid) {
      groups.push_back(std::make_unique<TestGroup>(gid));
    }
    while (configs.size() <= kConfigs) configs.push_back(Next(configs.back()));
  }

  // A third of the shards moves, as likely as not to where it was.
  Config Next(Config config) {
    const bool is_first = config.num++ == 0;
    for (Gid gid = 1; gid <= kGroups; ++gid) {
      config.groups[gid] = ServersOf(gid);
    }
    for (Gid& owner : config.shards) {
      if (is_first || random.Chance(1, 3)) owner = AnyGid();
    }
    return config;
  }

  Gid AnyGid() { return static_cast<Gid>(1 + random.Below(kGroups)); }
  TestGroup* GroupOf(Gid gid) {
    return groups[static_cast<size_t>(gid - 1)].get();
  }

  void Send(Gid gid, Command command) {
    GroupOf(gid)->Do(command);
    sent.emplace_back(gid, std::move(command));
  }

  void SendAgain() {
    if (sent.empty()) return;
    const auto& [gid, command] = sent[random.Below(sent.size())];
    GroupOf(gid)->Do(command);
  }

  // What the group's manager would do, as far as chance has it.
  void Step(Gid gid) {
    const Transfers moves = GroupOf(gid)->moves();
    for (const auto& [move, coming] : moves.coming) {
      TestGroup* const source = GroupOf(coming.from.gid);
      if (source->moves().leaving.contains(move) && random.Chance(1, 2)) {
        Send(gid, {InstallOf(source, move)});
      }
    }
    for (const auto& [move, source] : moves.to_confirm) {
      if (random.Chance(1, 2)) continue;
      Send(source.gid, {Delete{move}});
      Send(gid, {Confirmed{move}});
    }
    const auto next = static_cast<size_t>(moves.config.num + 1);
    if (next < configs.size()) Send(gid, {Reconfigure{configs[next]}});
  }

  bool IsOver() {
    for (const auto& group : groups) {
      const Transfers& moves = group->moves();
      const bool is_at_end = moves.config.num == kConfigs;
      if (!is_at_end || !moves.coming.empty() || !moves.to_confirm.empty() ||
          !moves.leaving.empty()) {
        return false;
      }
    }
    return true;
  }

  base::Random random = base::Random::ForOwner("moves");
  std::vector<Config> configs = std::vector<Config>(1);  // by number
  std::vector<std::unique_ptr<TestGroup>> groups;
  std::vector<std::pair<Gid, Command>> sent;
};

// Never do two groups serve a shard, all moves end, and each Append that was
// executed is there at the end.
TEST_F(RandomMovesTest, NothingIsLostOrServedTwice) {
  std::vector<std::string> expected(kShards);
  for (int steps = 0; !IsOver(); ++steps) {
    ASSERT_LT(steps, 20'000);
    Step(AnyGid());
    if (random.Chance(1, 2)) SendAgain();

    const int shard = static_cast<int>(random.Below(kShards));
    const std::string element = absl::StrCat("<", steps, ">");
    int served = 0;
    for (const auto& group : groups) {
      served += group->Append(shard, "k", element) != "-";
    }
    ASSERT_LE(served, 1) << "shard " << shard;
    if (served == 1) expected[static_cast<size_t>(shard)] += element;
  }
  for (int shard = 0; shard < kShards; ++shard) {
    const Gid owner = configs.back().shards[static_cast<size_t>(shard)];
    EXPECT_EQ(GroupOf(owner)->Get(shard, "k"),
              expected[static_cast<size_t>(shard)]);
  }
}

}  // namespace
}  // namespace shardkv
