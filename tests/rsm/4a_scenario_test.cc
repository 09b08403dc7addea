// Scenario tests of part 4A: what becomes of commands that wait when their
// place in the log is lost.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "rpc/codec.h"
#include "tests/harness/rsm_cluster.h"
#include "tests/harness/service_scenario.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::CounterCommand;
using harness::Fail;
using harness::Kind;
using harness::Place;
using harness::RsmCluster;
using harness::RsmClusterOptions;
using raft::ServerId;
using std::chrono::seconds;

const auto kSuite = runner::Suite::OfScenarios("RSM4AScenario", "rsm", "4A");

// A cluster whose leaders are the test's choice.
class RsmScenario : public harness::ServiceScenario {
 public:
  explicit RsmScenario(std::string_view title, RsmClusterOptions options = {})
      : cluster(WithTap(std::move(options), &tap_)) {
    cluster.Begin(title);
  }

  // Submits, which must not be refused.
  std::future<rsm::Result> Submit(ServerId leader, CounterCommand command,
                                  Place place = Place::Here()) {
    auto promise = std::make_shared<std::promise<rsm::Result>>();
    auto refused = std::make_shared<std::atomic<bool>>(false);
    cluster.RsmOf(leader)->SubmitAsync(harness::EncodeCounterCommand(command),
                                       [promise, refused](rsm::Result result) {
                                         *refused = result.outcome ==
                                                    rsm::Outcome::kNotLeader;
                                         promise->set_value(std::move(result));
                                       });
    if (*refused) {
      Fail(Kind::kLiveness, absl::StrCat("expected S", leader, " to lead"),
           place);
    }
    return promise->get_future();
  }

  static bool IsReady(const std::future<rsm::Result>& result) {
    return result.wait_for(seconds(0)) == std::future_status::ready;
  }

  // Waits for the outcome, which must be that, and returns the value.
  int64_t Expect(rsm::Outcome outcome, std::future<rsm::Result>* future,
                 Place place = Place::Here()) {
    WaitUntil(
        "an outcome", [&] { return IsReady(*future); }, place);
    const rsm::Result result = future->get();
    if (result.outcome != outcome) {
      Fail(result.outcome == rsm::Outcome::kDone ? Kind::kSafety
                                                 : Kind::kLiveness,
           absl::StrCat("expected outcome ", static_cast<int>(outcome),
                        ", got ", static_cast<int>(result.outcome)),
           place);
    }
    if (outcome != rsm::Outcome::kDone) return 0;
    return rpc::Decode<int64_t>(result.value).value();
  }

 private:
  static RsmClusterOptions WithTap(RsmClusterOptions options,
                                   harness::Tap* tap) {
    options.tap = tap->Handler();
    return options;
  }

  harness::ServiceCluster& stage() override { return cluster.stage(); }

 public:
  RsmCluster cluster;
};

// The leader of the majority gets no commands, so nothing is ever applied at
// the indexes that S0 waits for: a newer term alone must end the waiting.
//
//   S0   1 1 1 ...     waits for the last ones
//   S1   1             leads term 2
//   S2   1
TEST(RSM4AScenario, IdleLeaderAfterHeal) {
  RsmScenario scenario("Test (4A+): the new leader is idle");
  scenario.Elect(0);
  std::future<rsm::Result> first = scenario.Submit(0, CounterCommand::kInc);
  EXPECT_EQ(scenario.Expect(rsm::Outcome::kDone, &first), 1);
  scenario.cluster.CheckCounter(1, /*servers=*/3);

  scenario.CutOff(0);
  std::vector<std::future<rsm::Result>> waiting;
  for (int i = 0; i < 10; ++i) {
    waiting.push_back(scenario.Submit(0, CounterCommand::kNull));
  }
  scenario.ElectAnother(0);
  for (const auto& result : waiting) EXPECT_FALSE(scenario.IsReady(result));

  scenario.Heal();
  for (auto& result : waiting) scenario.Expect(rsm::Outcome::kLost, &result);
  scenario.cluster.CheckCounter(1, /*servers=*/3);
  scenario.cluster.End();
}

// S0 leads three times. Its second index is given to three commands: one of its
// own that is lost, one of another's, which commits, and the third index again
// to one of its own, which commits too. Its service stands still meanwhile, so
// that all waiters are there together when it goes on.
//
//   index   1    2    3
//   term 1  Inc  Null Null   S0, cut off
//   term 2       Inc         S1 or S2: commits
//   term 3            Inc    S0 again: commits
TEST(RSM4AScenario, IndexUsedAgain) {
  RsmScenario scenario("Test (4A+): an index is used again");
  scenario.Elect(0);
  scenario.cluster.PauseService(0, true);
  std::future<rsm::Result> first = scenario.Submit(0, CounterCommand::kInc);
  scenario.cluster.CheckCounter(1, /*servers=*/2);  // S1 and S2

  scenario.CutOff(0);
  std::future<rsm::Result> lost = scenario.Submit(0, CounterCommand::kNull);
  std::future<rsm::Result> lost_too = scenario.Submit(0, CounterCommand::kNull);
  const ServerId other = scenario.ElectAnother(0);
  std::future<rsm::Result> second =
      scenario.Submit(other, CounterCommand::kInc);
  EXPECT_EQ(scenario.Expect(rsm::Outcome::kDone, &second), 2);

  scenario.Heal();
  scenario.WaitUntil("S0 to have the entry of the other",
                     [&] { return scenario.StatusOf(0).last_index == 2; });
  scenario.Elect(0);
  std::future<rsm::Result> third = scenario.Submit(0, CounterCommand::kInc);
  scenario.cluster.CheckCounter(3, /*servers=*/2);
  EXPECT_FALSE(scenario.IsReady(lost));

  scenario.cluster.PauseService(0, false);
  EXPECT_EQ(scenario.Expect(rsm::Outcome::kDone, &first), 1);
  scenario.Expect(rsm::Outcome::kLost, &lost);
  scenario.Expect(rsm::Outcome::kLost, &lost_too);
  EXPECT_EQ(scenario.Expect(rsm::Outcome::kDone, &third), 3);
  scenario.cluster.CheckCounter(3, /*servers=*/3);
  scenario.cluster.End();
}

// The others execute so much meanwhile that S0 gets a snapshot, in place of all
// entries at which its commands could have been answered.
TEST(RSM4AScenario, SnapshotOverWaiters) {
  RsmScenario scenario("Test (4A+): a snapshot instead of the entry",
                       {.max_raft_state = 600});
  scenario.Elect(0);
  scenario.cluster.PauseService(0, true);
  std::future<rsm::Result> first = scenario.Submit(0, CounterCommand::kInc);
  scenario.cluster.CheckCounter(1, /*servers=*/2);

  scenario.CutOff(0);
  std::vector<std::future<rsm::Result>> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(scenario.Submit(0, CounterCommand::kNull));
  }
  const ServerId other = scenario.ElectAnother(0);
  for (int i = 0; i < 50; ++i) {
    std::future<rsm::Result> result =
        scenario.Submit(other, CounterCommand::kInc);
    EXPECT_EQ(scenario.Expect(rsm::Outcome::kDone, &result), i + 2);
  }
  EXPECT_GT(scenario.StatusOf(other).first_index, 7u);

  scenario.Heal();
  scenario.WaitUntil("S0 to install a snapshot",
                     [&] { return scenario.StatusOf(0).first_index > 7; });
  scenario.cluster.PauseService(0, false);
  EXPECT_EQ(scenario.Expect(rsm::Outcome::kDone, &first), 1);
  for (auto& result : waiting) scenario.Expect(rsm::Outcome::kLost, &result);
  scenario.cluster.CheckCounter(51, /*servers=*/3);
  scenario.cluster.End();
}

// When their server is shut down none of a thousand commands waits any more.
// Until then they cost no threads; or the test fails for that alone, at its
// end.
TEST(RSM4AScenario, KillWithAThousandWaiters) {
  RsmScenario scenario("Test (4A+): a thousand commands wait");
  scenario.Elect(0);
  std::future<rsm::Result> first = scenario.Submit(0, CounterCommand::kInc);
  EXPECT_EQ(scenario.Expect(rsm::Outcome::kDone, &first), 1);

  scenario.CutOff(0);
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                         {});
  };
  const auto before = threads();
  std::vector<std::future<rsm::Result>> waiting;
  for (int i = 0; i < 1000; ++i) {
    waiting.push_back(scenario.Submit(0, CounterCommand::kNull));
  }
  // The network's may grow a little.
  if (const auto more = threads() - before; more > 10) {
    scenario.cluster.stage().FoundError(
        {Kind::kEconomy, absl::StrCat("a thousand commands that wait take ",
                                      more, " threads")});
  }

  scenario.cluster.stage().group().Crash(0);
  for (auto& result : waiting) {
    EXPECT_TRUE(scenario.IsReady(result));
    scenario.Expect(rsm::Outcome::kLost, &result);
  }
  scenario.cluster.stage().group().Start(0);
  scenario.LeaveFree();
  scenario.Heal();
  scenario.cluster.CheckCounter(scenario.cluster.OneInc(), /*servers=*/3);
  scenario.cluster.End();
}

}  // namespace
}  // namespace tests
