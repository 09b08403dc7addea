#include "tests/shardkv1/lost_controller.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "shardkv1/config.h"

namespace tests {
namespace {

using harness::Fail;
using harness::Kind;
using harness::Place;
using harness::TestThreads;
using shardkv1::Config;
using shardkv1::Gid;
using shardkv1::kFirstGroup;
using std::chrono::milliseconds;
using std::chrono::seconds;

using Clock = std::chrono::steady_clock;

// The change that the controller is making.
struct Doing {
  Gid gid = shardkv1::kNoGroup;
  bool joins = true;  // or leaves
  Clock::time_point since = Clock::now();
};

class Changer {
 public:
  Changer(ShardTest* test, std::shared_ptr<ShardTest::Controller> controller)
      : test_(test), controller_(std::move(controller)), thread_([this] {
          End();
          test_->stage().CheckHasFailed();
        }) {
    test->stage().Spawn(&thread_, [this] { Run(); });
  }

  Doing doing() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    return doing_;
  }

  // It begins no other change: the course's goes on, so that its next change
  // may be refused, or refuse that of the next round's controller.
  void EndAfterThis() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    ending_ = true;
  }

  // Gives up what it waits for.
  void End() {
    EndAfterThis();
    controller_->Close();
  }

  void Join() { thread_.Join(); }

 private:
  // Returns false when it is to end.
  bool Set(Doing doing) EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    if (ending_) return false;
    doing_ = doing;
    return true;
  }

  void Run() {
    while (true) {
      const Gid gid = test_->NewGid();
      test_->cluster().StartGroup(gid);
      if (!Set({gid, /*joins=*/true})) return;
      if (!test_->ChangeToWith(*controller_, gid)) return;
      test_->stage().Sleep(ShardTest::kPause);
      if (!Set({gid, /*joins=*/false})) return;
      if (!test_->Leave(*controller_, {gid})) return;
    }
  }

  ShardTest* const test_;
  const std::shared_ptr<ShardTest::Controller> controller_;

  base::Mutex mu_;
  Doing doing_ ABSL_GUARDED_BY(mu_);
  bool ending_ ABSL_GUARDED_BY(mu_) = false;

  TestThreads thread_;
};

// Returns whether the group is a member. The change must have been finished.
bool CheckFinished(ShardTest* test, Doing doing, int64_t num_before,
                   Place place) {
  const Config config = test->Query(place);
  if (config.num <= num_before) {
    Fail(Kind::kSafety,
         absl::StrCat("didn't recover; expected ", num_before, " > ",
                      config.num),
         place);
  }
  const bool is_member = IsMember(config, doing.gid);
  if (is_member != doing.joins) {
    Fail(Kind::kSafety,
         absl::StrCat("didn't recover ", doing.gid, " correctly after ",
                      doing.joins ? "join" : "leave"),
         place);
  }
  return is_member;
}

}  // namespace

void LoseController(ShardTest* test, bool comes_back, base::Random* random,
                    Place place) {
  harness::ServiceStage& stage = test->stage();
  const auto first = test->cluster().MakeController();
  first->InitController().IgnoreError();  // what it left, the checks find
  const int64_t num = test->Query(place).num;
  Changer changer(test, first);
  stage.Sleep(seconds(1) + milliseconds(random->Below(400)), place);

  // It gets stuck, and is lost.
  test->cluster().ShutdownGroup(kFirstGroup);
  stage.Sleep(seconds(1), place);
  // A slow one may have begun only now, and must post a change to be finished.
  const Clock::time_point limit = Clock::now() + seconds(5);
  while (Clock::now() < std::min(changer.doing().since + seconds(1), limit)) {
    stage.Sleep(milliseconds(10), place);
  }
  const Doing doing = changer.doing();
  changer.EndAfterThis();
  first->Connect(false);
  if (comes_back) stage.Sleep(seconds(1), place);

  test->cluster().StartGroup(kFirstGroup);
  const auto second = test->cluster().MakeController();
  second->InitController().IgnoreError();  // likewise
  stage.CheckError(place);
  if (CheckFinished(test, doing, num, place)) {
    test->Leave(*second, {doing.gid}, place);
  }

  if (comes_back) {
    first->Connect(true);
    stage.Sleep(milliseconds(100), place);
  } else {
    changer.End();
  }
  changer.Join();
  stage.CheckError(place);
}

}  // namespace tests
