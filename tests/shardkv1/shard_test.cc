#include "tests/shardkv1/shard_test.h"

#include <chrono>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "tests/harness/completions.h"
#include "tests/kvraft/versioned_puts.h"

namespace tests {

using harness::Completions;
using harness::Fail;
using harness::Kind;
using harness::Place;
using harness::ShardKV1Client;
using harness::ShardKV1Cluster;
using harness::TestThreads;
using shardkv1::Config;
using shardkv1::Gid;
using std::chrono::seconds;

namespace {

constexpr int kKeys = 5 * shardkv1::kShards;

}  // namespace

ShardTest::ShardTest(std::string_view title, ShardKV1Cluster::Options options,
                     Place place)
    : cluster_(std::move(options), place),
      controller_(cluster_.MakeController()),
      client_(cluster_.MakeClient()) {
  client_->DoNotCountPuts();
  cluster_.Begin(title);
  cluster_.StartGroup(shardkv1::kFirstGroup);
  const absl::Status error = controller().InitConfig(
      shardkv1::FirstConfig(ShardKV1Cluster::ServersOf(shardkv1::kFirstGroup)));
  stage().CheckError(place);
  if (!error.ok()) Fail(Kind::kSafety, std::string(error.message()), place);
}

std::string ShardTest::Key(size_t i) { return absl::StrCat("k", i); }

void ShardTest::SpreadPuts(int length, Place place) {
  base::Random random = base::Random::ForOwner("values");
  for (int i = 0; i < kKeys; ++i) {
    values_.push_back(random.Name(length));
    const std::string key = Key(values_.size() - 1);
    // A Put that is known no better has been executed: nothing else puts.
    const kvraft::Err err =
        client_->PutVersioned(key, values_.back(), /*version=*/0, place);
    if (err != kvraft::Err::kOk && err != kvraft::Err::kMaybe) {
      Fail(Kind::kSafety, absl::StrCat("Put ", key, " err ", Name(err)), place);
    }
  }
  CheckAll(place);
}

void ShardTest::Check(ShardKV1Client* client, size_t i, Place place) {
  CheckGet(client, Key(i), values_[i], /*version=*/1, place);
}

void ShardTest::CheckAll(Place place) {
  for (size_t i = 0; i < keys(); ++i) Check(client_.get(), i, place);
}

Config ShardTest::Query(Place place) {
  absl::StatusOr<Config> config = controller().Query(place);
  stage().CheckError(place);
  if (config.ok()) return *std::move(config);
  Fail(Kind::kSafety, std::string(config.status().message()), place);
}

std::vector<Gid> ShardTest::NewGids(int count) {
  std::vector<Gid> gids;
  for (int i = 0; i < count; ++i) gids.push_back(NewGid());
  return gids;
}

bool ShardTest::ChangeToWith(Controller& controller, Gid gid, Place place) {
  const absl::StatusOr<Config> config = controller.Query(place);
  stage().CheckError(place);
  if (!config.ok()) return false;
  const absl::StatusOr<Config> next =
      shardkv1::Join(*config, {{gid, ShardKV1Cluster::ServersOf(gid)}});
  if (!next.ok()) {
    Fail(Kind::kSafety,
         absl::StrCat("join: group ", gid, " is already present"), place);
  }
  controller.ChangeConfigTo(*next).IgnoreError();  // the next Query() tells
  const absl::StatusOr<Config> after = controller.Query(place);
  stage().CheckError(place);
  return after.ok() && IsMember(*after, gid);
}

bool ShardTest::ChangeToWithout(Controller& controller, Gid gid, Place place) {
  const absl::StatusOr<Config> config = controller.Query(place);
  stage().CheckError(place);
  if (!config.ok()) return false;
  const absl::StatusOr<Config> next = shardkv1::Leave(*config, {gid});
  if (!next.ok()) {
    Fail(Kind::kSafety,
         absl::StrCat("leave: group ", gid, " is already not present"), place);
  }
  controller.ChangeConfigTo(*next).IgnoreError();  // the next Query() tells
  const absl::StatusOr<Config> after = controller.Query(place);
  stage().CheckError(place);
  return after.ok() && !IsMember(*after, gid);
}

bool ShardTest::Join(Controller& controller, const std::vector<Gid>& gids,
                     Place place) {
  for (const Gid gid : gids) {
    cluster_.StartGroup(gid);
    if (!ChangeToWith(controller, gid, place)) return false;
    stage().Sleep(kPause, place);
  }
  return true;
}

bool ShardTest::Leave(Controller& controller, const std::vector<Gid>& gids,
                      Place place) {
  for (const Gid gid : gids) {
    if (!ChangeToWithout(controller, gid, place)) return false;
    cluster_.ShutdownGroup(gid);
    stage().Sleep(kPause, place);
  }
  return true;
}

void ShardTest::Join(const std::vector<Gid>& gids, Place place) {
  if (Join(controller(), gids, place)) return;
  stage().CheckError(place);
  Fail(Kind::kSafety, "joinGroups failed", place);
}

void ShardTest::Leave(const std::vector<Gid>& gids, Place place) {
  if (Leave(controller(), gids, place)) return;
  stage().CheckError(place);
  Fail(Kind::kSafety, "leaveGroups failed", place);
}

void ShardTest::CheckShutdownSharding(Gid gid, Place place) {
  cluster_.ShutdownGroup(gid);
  Completions completions;
  TestThreads readers([this] { stage().CheckHasFailed(); });
  for (size_t i = 0; i < keys(); ++i) {
    stage().Spawn(&readers, [this, i, place, &completions] {
      const auto client = cluster_.MakeClient();
      client->DoNotCount();
      Check(client.get(), i, place);
      completions.Add();
    });
  }
  const int completed = completions.AwaitSilence(seconds(2));
  stage().CheckError(place);
  if (completed == kKeys) {
    Fail(Kind::kSafety,
         absl::StrCat("expected less than ", kKeys, " completions with shard ",
                      gid, " down"),
         place);
  }
  cluster_.StartGroup(gid);
  readers.Join();
  stage().CheckError(place);
}

}  // namespace tests
