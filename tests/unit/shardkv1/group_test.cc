// Unit tests of shardkv1/group.h: what each log entry does to a shard, in what
// order it may come, and that repeated, early and late ones do nothing.

#include "shardkv1/group.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "kvraft/replicated_store.h"
#include "rpc/codec.h"

namespace shardkv1 {
namespace {

const char kKey[] = "k0";
const int32_t kShard = ShardOf(kKey);
constexpr Gid kOther = 2;

// A group, and what the tests ask of it.
class TestGroup {
 public:
  explicit TestGroup(Gid gid) : group_(gid) {}

  template <typename Reply = MoveReply, typename Entry>
  Reply Do(const Entry& entry) {
    Command command{entry};
    return *rpc::Decode<Reply>(group_.Apply(rpc::Encode(command)));
  }

  Err Put(uint64_t version, const std::string& value = "v",
          const std::string& key = kKey) {
    return Do<Reply>(kvraft::Command{kvraft::Command::Kind::kPutVersion, key,
                                     value, version})
        .err;
  }
  Reply Get(const std::string& key = kKey) {
    return Do<Reply>(
        kvraft::Command{.kind = kvraft::Command::Kind::kGet, .key = key});
  }
  FreezeReply Freeze(int64_t num, uint64_t offset = 0) {
    return Do<FreezeReply>(FreezeArgs{{num, kShard}, offset});
  }
  Err Install(int64_t num, const FreezeReply& part, uint64_t offset = 0) {
    return Do(InstallArgs{{num, kShard}, offset, part.total, part.bytes}).err;
  }
  Err Delete(int64_t num) { return Do(DeleteArgs{{num, kShard}}).err; }

  std::string Bytes() { return group_.Snapshot().ToString(); }
  size_t Garbage() { return group_.Garbage(); }

  void RestartFromSnapshot() {
    ASSERT_TRUE(group_.Restore(group_.Snapshot()).ok());
  }

 private:
  Group group_;
};

TEST(ShardKV1Group, TheFirstOneServesAllShardsOthersNone) {
  TestGroup first(kFirstGroup);
  EXPECT_EQ(first.Get().err, Err::kNoKey);
  EXPECT_EQ(first.Put(0), Err::kOk);
  EXPECT_EQ(first.Put(0), Err::kVersion);
  EXPECT_EQ(first.Get().version, 1U);

  TestGroup other(kOther);
  EXPECT_EQ(other.Get().err, Err::kWrongGroup);
  EXPECT_EQ(other.Put(0), Err::kWrongGroup);
}

TEST(ShardKV1Group, AShardMovesWithItsVersionsAndBack) {
  TestGroup one(kFirstGroup);
  TestGroup two(kOther);
  one.Put(0, "a");

  const FreezeReply frozen = one.Freeze(2);
  EXPECT_EQ(frozen.err, Err::kOk);
  EXPECT_EQ(frozen.total, frozen.bytes.size());
  EXPECT_EQ(two.Install(2, frozen), Err::kOk);
  EXPECT_EQ(one.Delete(2), Err::kOk);
  EXPECT_EQ(two.Get().value, "a");
  EXPECT_EQ(two.Put(0, "b"), Err::kVersion);
  EXPECT_EQ(two.Put(1, "b"), Err::kOk);

  EXPECT_EQ(one.Install(3, two.Freeze(3)), Err::kOk);
  EXPECT_EQ(two.Delete(3), Err::kOk);
  EXPECT_EQ(one.Get().value, "b");
  EXPECT_EQ(one.Put(2, "c"), Err::kOk);
}

TEST(ShardKV1Group, OtherShardsAreServedAllTheTime) {
  const std::string other = "k1";
  ASSERT_NE(ShardOf(other), kShard);
  TestGroup one(kFirstGroup);
  one.Freeze(2);
  EXPECT_EQ(one.Put(0, "v", other), Err::kOk);
  one.Delete(2);
  EXPECT_EQ(one.Get(other).value, "v");
}

TEST(ShardKV1Group, AFrozenShardAnswersNothing) {
  TestGroup one(kFirstGroup);
  one.Put(0);
  one.Freeze(2);
  EXPECT_EQ(one.Get().err, Err::kWrongGroup);
  EXPECT_EQ(one.Put(1), Err::kWrongGroup);
}

TEST(ShardKV1Group, EachCallMayComeAgain) {
  TestGroup one(kFirstGroup);
  TestGroup two(kOther);
  one.Put(0, "a");

  const FreezeReply frozen = one.Freeze(2);
  EXPECT_EQ(one.Freeze(2).bytes, frozen.bytes);
  EXPECT_EQ(two.Install(2, frozen), Err::kOk);
  EXPECT_EQ(two.Put(1, "b"), Err::kOk);
  EXPECT_EQ(two.Install(2, frozen), Err::kOk);
  EXPECT_EQ(two.Get().value, "b");
  EXPECT_EQ(one.Delete(2), Err::kOk);
  EXPECT_EQ(one.Delete(2), Err::kOk);

  // It was deleted: nothing is there to be installed.
  const FreezeReply gone = one.Freeze(2);
  EXPECT_EQ(gone.err, Err::kOk);
  EXPECT_EQ(gone.total, 0U);
}

TEST(ShardKV1Group, CallsOfAnEarlierChangeAreRefused) {
  TestGroup one(kFirstGroup);
  TestGroup two(kOther);
  const FreezeReply frozen = one.Freeze(2);
  two.Install(2, frozen);
  one.Delete(2);
  two.Put(0, "new");
  one.Install(3, two.Freeze(3));

  const std::string at_one = one.Bytes();
  EXPECT_EQ(one.Freeze(2).err, Err::kStale);
  EXPECT_EQ(one.Delete(2), Err::kStale);
  EXPECT_EQ(one.Bytes(), at_one);

  const std::string at_two = two.Bytes();
  EXPECT_EQ(two.Install(2, frozen), Err::kStale);
  EXPECT_EQ(two.Bytes(), at_two);
  two.Delete(3);
  EXPECT_EQ(two.Install(2, frozen), Err::kStale);
}

TEST(ShardKV1Group, WhatIsNotFrozenIsNotDeleted) {
  TestGroup one(kFirstGroup);
  one.Put(0);
  EXPECT_EQ(one.Delete(2), Err::kWrongGroup);
  EXPECT_EQ(one.Get().err, Err::kOk);

  TestGroup two(kOther);
  two.Install(2, one.Freeze(2));
  EXPECT_EQ(two.Delete(2), Err::kOk);  // not this group's, and changes nothing
  EXPECT_EQ(two.Get().err, Err::kOk);
}

TEST(ShardKV1Group, WhatIsNotServedIsNotFrozen) {
  TestGroup two(kOther);
  const std::string before = two.Bytes();
  EXPECT_EQ(two.Freeze(2).err, Err::kWrongGroup);
  EXPECT_EQ(two.Bytes(), before);

  two.Install(2, {.err = Err::kOk, .total = 9, .bytes = "abc"});
  EXPECT_EQ(two.Freeze(2).err, Err::kWrongGroup);  // it is coming
  EXPECT_EQ(two.Freeze(3).err, Err::kWrongGroup);
}

TEST(ShardKV1Group, AShardWithoutAnOwnerIsInstalledEmpty) {
  TestGroup two(kOther);
  EXPECT_EQ(two.Install(2, {.err = Err::kOk}), Err::kOk);
  EXPECT_EQ(two.Get().err, Err::kNoKey);
  EXPECT_EQ(two.Put(0), Err::kOk);
}

TEST(ShardKV1Group, ALargeShardTravelsInParts) {
  base::Random random(1);
  TestGroup one(kFirstGroup);
  TestGroup two(kOther);
  const std::string value = random.Name(static_cast<int>(2 * kPartBytes + 7));
  one.Put(0, value);

  int parts = 0;
  uint64_t offset = 0;
  uint64_t total = 1;
  while (offset < total) {
    const FreezeReply part = one.Freeze(2, offset);
    EXPECT_LE(part.bytes.size(), kPartBytes);
    EXPECT_EQ(two.Get().err, Err::kWrongGroup);
    EXPECT_EQ(two.Install(2, part, offset), Err::kOk);
    EXPECT_EQ(two.Install(2, part, offset), Err::kOk);  // again
    offset += part.bytes.size();
    total = part.total;
    ++parts;
  }
  EXPECT_EQ(parts, 3);
  EXPECT_EQ(two.Get().value, value);
  EXPECT_EQ(two.Put(1), Err::kOk);
}

TEST(ShardKV1Group, APartThatComesTooEarlyIsRefused) {
  TestGroup two(kOther);
  EXPECT_EQ(two.Install(2, {.err = Err::kOk, .total = 9, .bytes = "abc"}, 3),
            Err::kWrongGroup);
  EXPECT_EQ(two.Get().err, Err::kWrongGroup);
}

TEST(ShardKV1Group, TheSnapshotHasStatesAndNumbers) {
  TestGroup one(kFirstGroup);
  TestGroup two(kOther);
  one.Put(0, "a");
  const FreezeReply frozen = one.Freeze(2);

  one.RestartFromSnapshot();
  EXPECT_EQ(one.Get().err, Err::kWrongGroup);
  EXPECT_EQ(one.Freeze(1).err, Err::kStale);
  EXPECT_EQ(one.Freeze(2).bytes, frozen.bytes);

  two.Install(2, frozen);
  two.RestartFromSnapshot();
  EXPECT_EQ(two.Get().value, "a");
  EXPECT_EQ(two.Put(1, "b"), Err::kOk);
  EXPECT_EQ(two.Install(2, frozen), Err::kOk);
  EXPECT_EQ(two.Get().value, "b");

  one.Delete(2);
  one.RestartFromSnapshot();
  EXPECT_EQ(one.Freeze(2).total, 0U);
}

TEST(ShardKV1Group, WhatIsDeletedIsGarbageUntilTheNextSnapshot) {
  TestGroup one(kFirstGroup);
  one.Put(0, std::string(1000, 'x'));
  const size_t before = one.Bytes().size();
  const uint64_t bytes = one.Freeze(2).total;
  EXPECT_EQ(one.Garbage(), 0U);
  one.Delete(2);
  one.Delete(2);
  EXPECT_EQ(one.Garbage(), bytes);
  EXPECT_LT(one.Bytes().size(), before - 1000);
  EXPECT_EQ(one.Garbage(), 0U);
}

TEST(ShardKV1Group, WhatIsNoSnapshotIsRefused) {
  EXPECT_FALSE(Group(kOther).Restore("x").ok());
  EXPECT_EQ(Group(kOther).Apply("x"), "");
}

TEST(ShardKV1Group, AShardOutOfRangeIsRefused) {
  TestGroup one(kFirstGroup);
  for (const int32_t shard : {-1, kShards}) {
    EXPECT_EQ(one.Do<FreezeReply>(FreezeArgs{{2, shard}, 0}).err,
              Err::kWrongGroup);
    EXPECT_EQ(one.Do(InstallArgs{.move = {2, shard}}).err, Err::kWrongGroup);
    EXPECT_EQ(one.Do(DeleteArgs{{2, shard}}).err, Err::kWrongGroup);
  }
}

}  // namespace
}  // namespace shardkv1
