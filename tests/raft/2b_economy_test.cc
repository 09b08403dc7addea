// Scenario tests of part 2B (tests/harness/scenario.h) of what a repair costs:
// messages that a right but plain Raft may send, and that the paper shows how
// to save. Such a failure is of the kind kEconomy. Here too is the scenario
// that one of them shares with a test of what is right.

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/harness/raft_cluster.h"
#include "tests/harness/scenario.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::AnyMessage;
using harness::AppendEntries, harness::AppendEntriesReplies;
using harness::Kind, harness::ReportFailure;
using harness::Place;
using harness::RaftCluster;
using harness::RequestVotes;
using harness::Scenario;
using harness::Tap;
using harness::TapMessage;
using raft::Index;
using raft::Term;

const auto kSuite = runner::Suite::OfEconomy("Raft2BEconomy", "raft", "2B");

// What S0 sends S1 from here on, and what S1 has acknowledged by then.
struct AfterRejection {
  harness::Match requests;
  Index acknowledged;
};

// S1 rejects what S0 sends, until they agree; one rejection comes late, and
// then the log goes on.
AfterRejection PlayLateRejection(Scenario* scenario) {
  RaftCluster& cluster = scenario->cluster;
  Tap& tap = scenario->tap;
  scenario->Elect(2);
  scenario->AwaitApplied(scenario->Submit(2, 100), 100, /*servers=*/3);

  // S1 misses five entries; S0, elected then, does not know.
  cluster.Disconnect(1);
  Index last = 0;
  for (int i = 1; i <= 5; ++i) last = scenario->Submit(2, 100 + i);
  scenario->AwaitApplied(last, 105, /*servers=*/2);
  const int late =
      tap.Hold(AppendEntriesReplies().From(1).To(0).Refusing().Where(
          "in the term of the request", [](const TapMessage& reply) {
            return reply.ReplyTerm() == reply.RequestTerm();
          }));
  tap.Drop(AppendEntries().From(2).To(1));
  cluster.Connect(1);
  const Term term = scenario->Elect(0);
  tap.AwaitHeld(AppendEntriesReplies().From(1).To(0).InTerm(term));
  tap.Forget(late);

  // Other rejections pass, and S1 has all.
  const auto caught_up =
      AppendEntriesReplies().From(1).To(0).InTerm(term).Agreeing();
  tap.Require(caught_up.Reaching(last), "S0 leads and has these entries (5.3)");
  scenario->AwaitTwoHeartbeats(0, 1);

  // The old rejections come, and the log goes on.
  const size_t begin = tap.Now();
  tap.ReleaseAll(&cluster, AnyMessage());
  scenario->AwaitTwoHeartbeats(0, 1);
  EXPECT_EQ(scenario->Submit(0, 106), last + 1);
  scenario->AwaitApplied(last + 1, 106, /*servers=*/3);
  return {AppendEntries().From(0).To(1).InTerm(term).After(begin), last};
}

// 5.3: a rejection that arrives after the logs have met is old news. Finds a
// leader that forgets what was acknowledged, or does not send any more.
TEST(Raft2BScenario, LateAppendFailure) {
  Scenario scenario(/*servers=*/3, "Test (2B+): a rejection that arrives late");
  PlayLateRejection(&scenario);
  scenario.cluster.End();
}

// What was acknowledged need not be sent again, whatever comes late.
TEST(Raft2BEconomy, LateRejection) {
  Scenario scenario(/*servers=*/3,
                    "Test (2B+): entries sent again after a late rejection");
  const AfterRejection after = PlayLateRejection(&scenario);
  Index first = after.acknowledged;
  for (const TapMessage& request : scenario.tap.Seen(after.requests)) {
    first = std::min(first, request.append().prev_log_index);
  }
  if (first < after.acknowledged) {
    ReportFailure({Kind::kEconomy,
                   absl::StrCat("S0 obeys a rejection that is old news: it ",
                                "asks S1 for index ", first, " and sends ",
                                after.acknowledged - first, " entries again, ",
                                "which S1 has acknowledged, up to index ",
                                after.acknowledged, " (5.3)")},
                  Place::Here());
  }
  scenario.cluster.End();
}

// A rejection is news once. The answers of S1 are late, so that several
// heartbeats are rejected for one reason; S0 acts on the first rejection, and
// the others arrive while its entries are on their way. Finds a leader that
// sends them again for each.
TEST(Raft2BEconomy, RepeatedRejections) {
  constexpr size_t kRejections = 10;
  constexpr size_t kMost = 5;  // once, and with each heartbeat meanwhile
  Scenario scenario(/*servers=*/3,
                    "Test (2B+): entries sent again for each rejection");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.Elect(2);
  scenario.AwaitApplied(scenario.Submit(2, 100), 100, /*servers=*/3);

  // S1 misses five entries; S0, elected then, does not know.
  cluster.Disconnect(1);
  Index last = 0;
  for (int i = 1; i <= 5; ++i) last = scenario.Submit(2, 100 + i);
  scenario.AwaitApplied(last, 105, /*servers=*/2);
  const auto rejections = AppendEntriesReplies().From(1).To(0).Refusing().Where(
      "in the term of the request", [](const TapMessage& reply) {
        return reply.ReplyTerm() == reply.RequestTerm();
      });
  tap.Hold(rejections);
  tap.Drop(AppendEntries().From(2).To(1));
  cluster.Connect(1);
  const Term term = scenario.Elect(0);
  scenario.WaitUntil("S1 to reject ten heartbeats", [&] {
    return tap.Held(rejections.InTerm(term)).size() >= kRejections;
  });

  // The first one arrives, then the others; no answer to the entries does.
  tap.Hold(AppendEntriesReplies().From(1).To(0));
  const size_t begin = tap.Now();
  const auto entries = AppendEntries().From(0).To(1).WithEntries().After(begin);
  tap.Release(&cluster, tap.AwaitHeld(rejections.InTerm(term)));
  tap.Await(entries);
  tap.ReleaseAll(&cluster, rejections);
  scenario.AwaitTwoHeartbeats(0, 2);
  if (const size_t sent = tap.Count(entries); sent > kMost) {
    ReportFailure({Kind::kEconomy,
                   absl::StrCat("S0 has sent S1 the same entries ", sent,
                                " times within two heartbeats, once for each ",
                                "rejection of a place that it had left ",
                                "already: these are old news (5.3)")},
                  Place::Here());
  }

  scenario.Heal();
  scenario.AwaitApplied(last, 105, /*servers=*/3);
  cluster.End();
}

// End of 5.3: a leader backs up over a whole term of conflicting entries with
// one rejection. S0 has 60 entries of three terms that no other server has, and
// misses 60 others. Counted in round trips, so that no fast network helps a
// leader that backs up entry by entry.
TEST(Raft2BEconomy, FastBackup) {
  constexpr int kTerms = 3;
  constexpr int kPerTerm = 20;
  Scenario scenario(/*servers=*/3,
                    "Test (2B+): rejections until two logs meet");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.Elect(0);
  scenario.AwaitApplied(scenario.Submit(0, 1), 1, /*servers=*/3);

  // S0 leads three terms, with one of S1's between, which has nothing to send;
  // the others get none of its entries.
  tap.Drop(AppendEntries().From(0).WithEntries());
  for (int i = 0; i < kTerms; ++i) {
    if (i > 0) scenario.Elect(1);
    scenario.Elect(0);
    for (int j = 0; j < kPerTerm; ++j) scenario.Submit(0, 1000 * i + j);
  }

  // The others commit as many entries, and S2 becomes the leader.
  cluster.Disconnect(0);
  scenario.Elect(1);
  Index last = 0;
  for (int j = 0; j < kTerms * kPerTerm; ++j)
    last = scenario.Submit(1, 9000 + j);
  const int64_t newest = 9000 + kTerms * kPerTerm - 1;
  scenario.AwaitApplied(last, newest, /*servers=*/2);
  scenario.Elect(2);

  // S0 comes back. A request that was sent twice is rejected twice: places
  // count, not messages.
  const size_t begin = tap.Now();
  tap.Drop(RequestVotes().From(0));
  cluster.Connect(0);
  scenario.Elect(2);
  scenario.AwaitApplied(last, newest, /*servers=*/3);
  std::set<Index> rejected;
  for (const TapMessage& reply :
       tap.Seen(AppendEntriesReplies().From(0).Refusing().After(begin))) {
    if (reply.ReplyTerm() == reply.RequestTerm()) {
      rejected.insert(reply.append().prev_log_index);
    }
  }
  if (rejected.size() > kTerms + 2) {
    ReportFailure(
        {Kind::kEconomy,
         absl::StrCat("S2 backed up over ", kTerms, " terms of S0's log in ",
                      rejected.size(), " steps; a step for each term, ",
                      kTerms + 2, " in all, suffice (end of 5.3)")},
        Place::Here());
  }

  cluster.End();
}

}  // namespace
}  // namespace tests
