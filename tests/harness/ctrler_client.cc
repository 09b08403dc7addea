#include "tests/harness/ctrler_client.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"

namespace harness {

using shardctrler::Config;
using shardctrler::Gid;

void CtrlerClient::End(const absl::Status& error, Place place) {
  stage_->CheckError(place);
  if (error.ok()) {
    stage_->CountOperation();
    return;
  }
  Fail(Kind::kSafety, absl::StrCat("controller: ", error.message()), place);
}

void CtrlerClient::Join(const shardctrler::Groups& groups, Place place) {
  End(clerk_->Join(groups), place);
  std::vector<Gid> gids;
  for (const auto& [gid, servers] : groups) gids.push_back(gid);
  if (ShardClerksShareNothing()) CheckLasting(gids, /*joined=*/true, place);
}

void CtrlerClient::Leave(const std::vector<Gid>& gids, Place place) {
  End(clerk_->Leave(gids), place);
  if (ShardClerksShareNothing()) CheckLasting(gids, /*joined=*/false, place);
}

void CtrlerClient::Move(int shard, Gid gid, Place place) {
  End(clerk_->Move(shard, gid), place);
}

Config CtrlerClient::Query(int64_t num, Place place) {
  absl::StatusOr<Config> config = clerk_->Query(num);
  End(config.status(), place);
  if (ShardClerksShareNothing()) CheckKnown(*config, place);
  return *std::move(config);
}

// Another Clerk is told of it, too: without that a Clerk could do nothing, and
// say that it is done.
void CtrlerClient::CheckLasting(const std::vector<Gid>& gids, bool joined,
                                Place place) {
  const absl::StatusOr<Config> latest =
      make_clerk_()->Query(shardctrler::kLatest);
  End(latest.status(), place);
  for (const Gid gid : gids) {
    if (latest->groups.contains(gid) == joined) continue;
    Fail(Kind::kSafety,
         absl::StrCat(joined ? "missing group " : "expected no group ", gid),
         place);
  }
}

// And the same, by its number: or it could answer all by itself.
void CtrlerClient::CheckKnown(const Config& config, Place place) {
  const absl::StatusOr<Config> known = make_clerk_()->Query(config.num);
  End(known.status(), place);
  CheckSameConfig(config, *known, place);
}

void CheckGroups(CtrlerClient* client, const std::vector<Gid>& groups,
                 Place place) {
  const Config config = client->Query(shardctrler::kLatest, place);
  const auto fail = [place](const auto&... parts) {
    Fail(Kind::kSafety, absl::StrCat(parts...), place);
  };
  if (config.groups.size() != groups.size()) {
    fail("wanted ", groups.size(), " groups, got ", config.groups.size());
  }
  for (const Gid gid : groups) {
    if (!config.groups.contains(gid)) fail("missing group ", gid);
  }
  if (groups.empty()) return;

  std::map<Gid, int> counts;
  for (const auto& [gid, servers] : config.groups) counts[gid] = 0;
  for (size_t shard = 0; shard < config.shards.size(); ++shard) {
    const Gid gid = config.shards[shard];
    if (!config.groups.contains(gid)) {
      fail("shard ", shard, " -> invalid group ", gid);
    }
    ++counts[gid];
  }
  const auto [min, max] = std::minmax_element(
      counts.begin(), counts.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
  if (max->second > min->second + 1) {
    fail("max ", max->second, " too much larger than min ", min->second);
  }
}

void CheckSameConfig(const Config& a, const Config& b, Place place) {
  const auto check = [place](bool is_same, const char* otherwise) {
    if (!is_same) Fail(Kind::kSafety, otherwise, place);
  };
  check(a.num == b.num, "Num wrong");
  check(a.shards == b.shards, "Shards wrong");
  check(a.groups.size() == b.groups.size(), "number of Groups is wrong");
  for (const auto& [gid, servers] : a.groups) {
    const auto found = b.groups.find(gid);
    check(found != b.groups.end() && found->second.size() == servers.size(),
          "len(Groups) wrong");
    check(found->second == servers, "Groups wrong");
  }
}

}  // namespace harness
