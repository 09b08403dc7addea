// Unit tests of shardctrler/config.h: tables of changes, and long random
// sequences of them against the two rules: balance, and as few moves as it
// takes.

#include "shardctrler/config.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"

namespace shardctrler {
namespace {

using Shards = std::array<Gid, kShards>;

Groups GroupsOf(const std::set<Gid>& gids) {
  Groups groups;
  for (const Gid gid : gids) {
    groups[gid] = {absl::StrCat(gid, "a"), absl::StrCat(gid, "b")};
  }
  return groups;
}

Config With(const std::set<Gid>& gids, const Shards& shards) {
  return {.num = 7, .shards = shards, .groups = GroupsOf(gids)};
}

// The shares of the groups, largest first.
std::vector<int> SharesOf(const Config& config) {
  std::map<Gid, int> counts;
  for (const auto& [gid, servers] : config.groups) counts[gid] = 0;
  for (const Gid gid : config.shards) ++counts[gid];
  std::vector<int> shares;
  for (const auto& [gid, count] : counts) shares.push_back(count);
  std::sort(shares.rbegin(), shares.rend());
  return shares;
}

int MovesBetween(const Config& a, const Config& b) {
  int moves = 0;
  for (size_t i = 0; i < kShards; ++i) moves += a.shards[i] != b.shards[i];
  return moves;
}

// How many shards have to move at least so that `config`, in which each share
// counts its shards at the groups of `after`, is balanced: the large shares
// that may have one more than the others are the largest that there are.
int FewestMoves(const Config& before, const Groups& after) {
  if (after.empty()) {
    return static_cast<int>(
        std::count_if(before.shards.begin(), before.shards.end(),
                      [](Gid gid) { return gid != kNoGroup; }));
  }
  std::map<Gid, int> counts;
  int moves = 0;
  for (const auto& [gid, servers] : after) counts[gid] = 0;
  for (const Gid gid : before.shards) {
    if (after.contains(gid)) {
      ++counts[gid];
    } else {
      ++moves;  // it has no group now
    }
  }
  std::vector<int> shares;
  for (const auto& [gid, count] : counts) shares.push_back(count);
  std::sort(shares.rbegin(), shares.rend());
  const int groups = static_cast<int>(shares.size());
  for (int i = 0; i < groups; ++i) {
    const int most = kShards / groups + (i < kShards % groups ? 1 : 0);
    moves += std::max(0, shares[static_cast<size_t>(i)] - most);
  }
  return moves;
}

TEST(Config, TheFirstHasNoGroups) {
  const Config config;
  EXPECT_EQ(config.num, 0);
  EXPECT_EQ(config.shards, Shards());
  EXPECT_TRUE(config.groups.empty());
}

TEST(Config, Join) {
  struct Case {
    Config before;
    std::set<Gid> gids;
    Shards after;
  };
  const Case cases[] = {
      {With({}, {}), {1}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
      {With({}, {}), {1, 2}, {1, 2, 1, 2, 1, 2, 1, 2, 1, 2}},
      {With({}, {}), {1, 2, 3}, {1, 2, 3, 1, 2, 3, 1, 2, 3, 1}},
      {With({5}, {5, 5, 5, 5, 5, 5, 5, 5, 5, 5}),
       {2},
       {2, 2, 2, 2, 2, 5, 5, 5, 5, 5}},
      // Two groups at once.
      {With({1}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}),
       {2, 3},
       {2, 3, 2, 3, 2, 3, 1, 1, 1, 1}},
      // More groups than shards.
      {With({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}),
       {11, 12},
       {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
      // After a Move others than the new one may be unbalanced.
      {With({1, 2}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 2}),
       {3},
       {3, 2, 3, 2, 3, 1, 1, 1, 1, 2}},
  };
  for (const Case& test : cases) {
    const absl::StatusOr<Config> after = Join(test.before, GroupsOf(test.gids));
    ASSERT_TRUE(after.ok()) << after.status();
    EXPECT_EQ(after->num, 8);
    EXPECT_EQ(after->shards, test.after);
    Groups groups = test.before.groups;
    groups.merge(GroupsOf(test.gids));
    EXPECT_EQ(after->groups, groups);
  }
}

TEST(Config, Leave) {
  struct Case {
    Config before;
    std::vector<Gid> gids;
    Shards after;
  };
  const Case cases[] = {
      {With({1}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}), {1}, {}},
      {With({1, 2}, {2, 2, 2, 2, 2, 1, 1, 1, 1, 1}),
       {2},
       {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
      {With({1, 2, 3}, {1, 2, 3, 1, 2, 3, 1, 2, 3, 1}),
       {1},
       {2, 2, 3, 3, 2, 3, 2, 2, 3, 3}},
      {With({1, 2, 3}, {1, 2, 3, 1, 2, 3, 1, 2, 3, 1}), {1, 2, 3}, {}},
      // A group that had no shards leaves, one that is not there is ignored.
      {With({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
            {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}),
       {11, 99},
       {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
      // One that had none gets some.
      {With({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
            {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}),
       {3},
       {1, 2, 11, 4, 5, 6, 7, 8, 9, 10}},
  };
  for (const Case& test : cases) {
    const absl::StatusOr<Config> after = Leave(test.before, test.gids);
    ASSERT_TRUE(after.ok()) << after.status();
    EXPECT_EQ(after->num, 8);
    EXPECT_EQ(after->shards, test.after);
    for (const Gid gid : test.gids) EXPECT_FALSE(after->groups.contains(gid));
  }
}

TEST(Config, MoveChangesThatShardAlone) {
  const Config before = With({1, 2}, {1, 1, 1, 1, 1, 2, 2, 2, 2, 2});
  for (int shard = 0; shard < kShards; ++shard) {
    const absl::StatusOr<Config> after = Move(before, shard, 2);
    ASSERT_TRUE(after.ok());
    Config expected = before;
    expected.num = 8;
    expected.shards[static_cast<size_t>(shard)] = 2;
    EXPECT_EQ(*after, expected);
  }
}

TEST(Config, WhatChangesNothingMakesNone) {
  const Config config = With({1, 2}, {1, 1, 1, 1, 1, 2, 2, 2, 2, 2});
  EXPECT_EQ(*Join(config, {}), config);
  EXPECT_EQ(*Join(config, GroupsOf({2})), config);
  EXPECT_EQ(*Leave(config, {}), config);
  EXPECT_EQ(*Leave(config, {3, 99}), config);
  EXPECT_EQ(*Move(config, 0, 3), config);
}

// The controller does not know what a group has.
TEST(Config, AGroupMayComeBackWithOtherServers) {
  const Config both = With({1, 2}, {1, 1, 1, 1, 1, 2, 2, 2, 2, 2});
  const Config one = *Leave(both, {2});
  EXPECT_EQ(Join(one, {{2, {"x"}}})->groups.at(2),
            std::vector<std::string>{"x"});
}

TEST(Config, Refused) {
  const Config config = With({1, 2}, {1, 1, 1, 1, 1, 2, 2, 2, 2, 2});
  const auto refusal = [](const absl::StatusOr<Config>& next) {
    return std::string(next.status().message());
  };
  EXPECT_EQ(refusal(Join(config, {{0, {"x"}}})),
            "group 0: groups are numbered from 1");
  EXPECT_EQ(refusal(Join(config, {{-1, {"x"}}})),
            "group -1: groups are numbered from 1");
  EXPECT_EQ(refusal(Join(config, {{3, {"x"}}, {4, {}}})),
            "group 4 has no servers");
  EXPECT_EQ(refusal(Join(config, {{2, {"x"}}})),
            "group 2 is there already, with other servers");
  EXPECT_EQ(refusal(Join(config, {{3, {"x", "1b"}}})),
            "server 1b is in group 1 and in group 3");
  EXPECT_EQ(refusal(Join(config, {{3, {"x"}}, {4, {"y", "x"}}})),
            "server x is in group 3 and in group 4");
  EXPECT_EQ(refusal(Move(config, -1, 1)),
            "shard -1: shards are numbered from 0 to 9");
  EXPECT_EQ(refusal(Move(config, 10, 1)),
            "shard 10: shards are numbered from 0 to 9");
}

// The course's tests have such a group.
TEST(Config, AGroupMayNameAServerTwice) {
  EXPECT_TRUE(Join({}, {{11, {"11a", "11b", "11b"}}}).ok());
}

// Checks what must hold after a Join or Leave. 2024's check of movement is
// among it: a shard goes to a group that has come, or comes from one that has
// gone.
void CheckChange(const Config& before, const Config& after, bool was_balanced) {
  const std::vector<int> shares = SharesOf(after);
  if (!after.groups.empty()) {
    EXPECT_LE(shares.front(), shares.back() + 1);
  }
  EXPECT_EQ(MovesBetween(before, after), FewestMoves(before, after.groups));
  for (size_t i = 0; i < kShards; ++i) {
    const Gid from = before.shards[i];
    const Gid to = after.shards[i];
    EXPECT_TRUE(after.groups.empty() ? to == kNoGroup
                                     : after.groups.contains(to));
    if (from == to || !was_balanced) continue;
    EXPECT_TRUE(!after.groups.contains(from) || !before.groups.contains(to))
        << "shard " << i << " moved from gid " << from << " to gid " << to
        << ", but shouldn't have";
  }
}

bool IsBalanced(const Config& config) {
  if (config.groups.empty()) return true;
  const std::vector<int> shares = SharesOf(config);
  return shares.front() <= shares.back() + 1;
}

TEST(Config, RandomSequences) {
  base::Random random = base::Random::ForOwner("configs");
  const auto some_gids = [&random] {
    std::set<Gid> gids;
    for (uint64_t i = random.Below(4); i > 0; --i) {
      gids.insert(static_cast<Gid>(1 + random.Below(14)));
    }
    return gids;
  };
  Config config;
  for (int i = 0; i < 20'000; ++i) {
    const std::set<Gid> gids = some_gids();
    const uint64_t kind = random.Below(5);
    Config next;
    if (kind == 0) {
      next = *Move(config, static_cast<int>(random.Below(kShards)),
                   static_cast<Gid>(1 + random.Below(14)));
      EXPECT_LE(MovesBetween(config, next), 1);
    } else {
      next = kind < 3 ? *Join(config, GroupsOf(gids))
                      : *Leave(config, {gids.begin(), gids.end()});
      if (next.num > config.num) {
        CheckChange(config, next, IsBalanced(config));
      }
    }
    ASSERT_FALSE(HasFailure()) << "at change " << i;
    EXPECT_EQ(next.num > config.num, next != config);
    config = next;
  }
}

}  // namespace
}  // namespace shardctrler
