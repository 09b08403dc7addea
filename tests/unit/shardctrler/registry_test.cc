// Unit tests of shardctrler/registry.h: what a log entry does to the list of
// configurations, and what a server answers without the log.

#include "shardctrler/registry.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "rpc/codec.h"

namespace shardctrler {
namespace {

class RegistryTest : public testing::Test {
 protected:
  template <typename Args>
  Reply Apply(const Args& args) {
    return *rpc::Decode<Reply>(registry.Apply(rpc::Encode(Command{args})));
  }

  std::shared_ptr<Configs> configs = std::make_shared<Configs>();
  Registry registry{configs};
};

TEST_F(RegistryTest, EachChangeIsOneConfiguration) {
  EXPECT_EQ(Apply(JoinArgs{.groups = {{1, {"a"}}, {2, {"b"}}}}).err, Err::kOk);
  EXPECT_EQ(Apply(MoveArgs{.shard = 0, .gid = 2}).err, Err::kOk);
  EXPECT_EQ(Apply(LeaveArgs{.gids = {1}}).err, Err::kOk);
  ASSERT_EQ(configs->Latest().num, 3);
  EXPECT_EQ(configs->Find(1)->groups.size(), 2U);
  EXPECT_EQ(configs->Find(1)->shards[0], 1);
  EXPECT_EQ(configs->Find(2)->shards[0], 2);
  EXPECT_EQ(configs->Find(3)->groups.size(), 1U);
  EXPECT_EQ(*configs->Find(0), Config());
}

TEST_F(RegistryTest, Query) {
  Apply(JoinArgs{.groups = {{1, {"a"}}}});
  EXPECT_EQ(Apply(QueryArgs{0}).config, Config());
  EXPECT_EQ(Apply(QueryArgs{1}).config.num, 1);
  EXPECT_EQ(Apply(QueryArgs{kLatest}).config.num, 1);
  EXPECT_EQ(Apply(QueryArgs{2}).config.num, 1);
}

TEST_F(RegistryTest, RefusedAndIdleRequestsMakeNone) {
  Apply(JoinArgs{.groups = {{1, {"a"}}}});
  const Reply refused = Apply(JoinArgs{.groups = {{2, {}}}});
  EXPECT_EQ(refused.err, Err::kRefused);
  EXPECT_EQ(refused.why, "group 2 has no servers");
  EXPECT_EQ(Apply(MoveArgs{.shard = 10, .gid = 1}).err, Err::kRefused);
  EXPECT_EQ(Apply(JoinArgs{.groups = {{1, {"a"}}}}).err, Err::kOk);
  EXPECT_EQ(Apply(LeaveArgs{.gids = {5}}).err, Err::kOk);
  EXPECT_EQ(rpc::Decode<Reply>(registry.Apply("nonsense"))->err, Err::kRefused);
  EXPECT_EQ(configs->Latest().num, 1);
}

TEST_F(RegistryTest, KnowsWhatNeverChanges) {
  EXPECT_TRUE(configs->Find(0).has_value());
  EXPECT_FALSE(configs->Find(1).has_value());
  EXPECT_FALSE(configs->Find(kLatest).has_value());
  Apply(JoinArgs{.groups = {{1, {"a"}}}});
  EXPECT_TRUE(configs->Find(1).has_value());
}

// A call that waits for a configuration is answered when that is known.
TEST_F(RegistryTest, AnswersThoseThatWait) {
  std::vector<int64_t> answered;
  const auto await = [&](int64_t num) {
    configs->Await(
        num,
        rpc::Responder<Reply>([&](const std::optional<std::string>& reply) {
          answered.push_back(rpc::Decode<Reply>(*reply)->config.num);
        }));
  };
  await(2);
  await(0);
  await(1);
  EXPECT_EQ(answered, std::vector<int64_t>({0}));
  Apply(JoinArgs{.groups = {{1, {"a"}}}});
  EXPECT_EQ(answered, std::vector<int64_t>({0, 1}));
  await(2);
  Apply(LeaveArgs{.gids = {1}});
  EXPECT_EQ(answered, std::vector<int64_t>({0, 1, 2, 2}));

  await(3);
  configs->Replace(std::vector<Config>({{0}, {1}, {2}, {3}, {4}}));
  EXPECT_EQ(answered.back(), 3);
}

TEST_F(RegistryTest, CloseFailsThoseThatWait) {
  int answered = 0;
  int failed = 0;
  const auto await = [&](int64_t num) {
    configs->Await(num, rpc::Responder<Reply>(
                            [&](const std::optional<std::string>& reply) {
                              ++(reply.has_value() ? answered : failed);
                            }));
  };
  await(1);
  await(7);
  EXPECT_EQ(failed, 0);
  configs->Close();
  EXPECT_EQ(failed, 2);
  await(1);
  await(0);
  EXPECT_EQ(failed, 4);
  Apply(JoinArgs{.groups = {{1, {"a"}}}});
  configs->Close();
  EXPECT_EQ(failed, 4);
  EXPECT_EQ(answered, 0);
}

TEST_F(RegistryTest, SnapshotIsTheWholeList) {
  Apply(JoinArgs{.groups = {{1, {"a"}}}});
  Apply(JoinArgs{.groups = {{2, {"b"}}}});
  const auto restored = std::make_shared<Configs>();
  Registry other(restored);
  restored->Add({.num = 1});
  ASSERT_TRUE(other.Restore(registry.Snapshot()).ok());
  EXPECT_EQ(restored->All(), configs->All());
  EXPECT_EQ(other.Snapshot(), registry.Snapshot());

  EXPECT_FALSE(other.Restore(base::Rope("x")).ok());
  EXPECT_FALSE(other.Restore(rpc::Encode(std::vector<Config>())).ok());
  EXPECT_FALSE(
      other.Restore(rpc::Encode(std::vector<Config>{{.num = 1}})).ok());
  EXPECT_EQ(restored->All(), configs->All());
}

}  // namespace
}  // namespace shardctrler
