// Unit tests of shardkv1/config.h: tables of changes, and where keys are.

#include "shardkv1/config.h"

#include <array>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace shardkv1 {
namespace {

using Shards = std::array<Gid, kShards>;

std::vector<std::string> ServersOf(Gid gid) {
  return {absl::StrCat(gid, "a"), absl::StrCat(gid, "b")};
}

Groups GroupsOf(const std::set<Gid>& gids) {
  Groups groups;
  for (const Gid gid : gids) groups[gid] = ServersOf(gid);
  return groups;
}

TEST(ShardKV1Config, KeysAreSpreadByFnv1a) {
  EXPECT_EQ(ShardOf("k0"), 10);
  // FNV-1a of no bytes is its offset basis.
  EXPECT_EQ(ShardOf(""), static_cast<int>(2166136261U % 12));
  std::array<int, kShards> keys = {};
  for (int i = 0; i < 60; ++i) {
    ++keys[static_cast<size_t>(ShardOf(absl::StrCat("k", i)))];
  }
  for (const int count : keys) {
    EXPECT_GE(count, 3);
    EXPECT_LE(count, 8);
  }
}

TEST(ShardKV1Config, TheFirstGroupHasAllShards) {
  const Config config = FirstConfig(ServersOf(1));
  EXPECT_EQ(config.num, 1);
  EXPECT_EQ(config.shards, (Shards{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(config.groups, GroupsOf({1}));
}

TEST(ShardKV1Config, GroupsJoinAndLeaveInTurn) {
  Config config = FirstConfig(ServersOf(1));
  config = *Join(config, GroupsOf({2}));
  EXPECT_EQ(config.num, 2);
  EXPECT_EQ(config.shards, (Shards{2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1}));

  // The lowest shard of the largest share, of equal ones that of the lowest
  // group.
  config = *Join(config, GroupsOf({3}));
  EXPECT_EQ(config.num, 3);
  EXPECT_EQ(config.shards, (Shards{3, 3, 2, 2, 2, 2, 3, 3, 1, 1, 1, 1}));

  // To the smallest share, of equal ones the lowest group.
  config = *Leave(config, {1});
  EXPECT_EQ(config.num, 4);
  EXPECT_EQ(config.shards, (Shards{3, 3, 2, 2, 2, 2, 3, 3, 2, 3, 2, 3}));
  EXPECT_EQ(config.groups, GroupsOf({2, 3}));

  config = *Leave(config, {2, 3});
  EXPECT_EQ(config.num, 5);
  EXPECT_EQ(config.shards, Shards{});
  EXPECT_TRUE(config.groups.empty());

  config = *Join(config, GroupsOf({4, 5}));
  EXPECT_EQ(config.shards, (Shards{4, 5, 4, 5, 4, 5, 4, 5, 4, 5, 4, 5}));
}

TEST(ShardKV1Config, AMemberOwnsAShard) {
  Config config = FirstConfig(ServersOf(1));
  std::set<Gid> gids;
  for (Gid gid = 2; gid <= 13; ++gid) gids.insert(gid);
  config = *Join(config, GroupsOf(gids));
  EXPECT_TRUE(config.groups.contains(13));
  EXPECT_FALSE(IsMember(config, 13));
  EXPECT_TRUE(IsMember(config, 12));
  EXPECT_FALSE(IsMember(config, 14));
}

TEST(ShardKV1Config, WhatMakesNoSenseIsAnError) {
  const Config config = FirstConfig(ServersOf(1));
  EXPECT_EQ(Join(config, GroupsOf({1})).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Leave(config, {2}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Join(config, {{2, {}}}).status().message(),
            "group 2 has no servers");
  EXPECT_EQ(Join(config, {{2, {"1a"}}}).status().message(),
            "server 1a is in group 1 and in group 2");
  EXPECT_EQ(Join(config, {{0, {"x"}}}).status().message(),
            "group 0: groups are numbered from 1");
}

TEST(ShardKV1Config, ReadsAsWords) {
  EXPECT_EQ(ToString(FirstConfig(ServersOf(1))),
            "config 1: shards 1 1 1 1 1 1 1 1 1 1 1 1, groups 1");
}

}  // namespace
}  // namespace shardkv1
