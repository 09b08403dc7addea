#include "tests/shardkv1/restarts.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "shardkv1/config.h"
#include "tests/harness/failure.h"

namespace tests {

using harness::Fail;
using harness::Kind;
using shardkv1::Gid;
using shardkv1::kFirstGroup;

void RunJoinLeaveBasic(ShardTest* test) {
  test->SpreadPuts();
  const Gid gid = test->NewGid();
  test->Join({gid});
  test->CheckShutdownSharding(kFirstGroup);
  test->CheckAll();

  if (!test->ChangeToWithout(test->controller(), kFirstGroup)) {
    Fail(Kind::kSafety, absl::StrCat(kFirstGroup, " is a member after leave"));
  }
  test->cluster().ShutdownGroup(kFirstGroup);
  test->CheckAll();

  test->cluster().StartGroup(kFirstGroup);
  if (!test->ChangeToWith(test->controller(), kFirstGroup)) {
    Fail(Kind::kSafety, absl::StrCat(kFirstGroup, " isn't a member"));
  }
  test->CheckAll();
  test->CheckShutdownSharding(gid);
  test->End();
}

void RunShutdown(ShardTest* test) {
  test->SpreadPuts();
  std::vector<Gid> gids = test->NewGids(2);
  test->Join(gids);
  test->CheckShutdownSharding(gids.front());
  test->CheckAll();

  gids.insert(gids.begin(), kFirstGroup);
  for (const Gid gid : gids) test->cluster().ShutdownGroup(gid);
  for (const Gid gid : gids) test->cluster().StartGroup(gid);
  test->CheckAll();
  test->End();
}

}  // namespace tests
