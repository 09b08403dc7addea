// Scenario tests of part 2B (tests/harness/scenario.h): what a leader may take
// for committed, and what the others make of it.

#include <chrono>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/harness/raft_cluster.h"
#include "tests/harness/scenario.h"
#include "tests/runner/suite.h"

namespace tests {
namespace {

using harness::AnyRequest;
using harness::AppendEntries, harness::AppendEntriesReplies;
using harness::Fail, harness::Kind;
using harness::Place;
using harness::RaftCluster;
using harness::RequestVoteReplies, harness::RequestVotes;
using harness::Retry;
using harness::Scenario;
using harness::Tap;
using harness::TapMessage;
using raft::Index;
using raft::ServerId;
using raft::Term;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

const auto kSuite =
    runner::Suite::OfScenarios("Raft2BCommitScenario", "raft", "2B");

// The commands of Figure 8, named as the entries are drawn there.
constexpr int64_t kEntry1 = 100;
constexpr int64_t kEntry2 = 200;
constexpr int64_t kEntry3 = 300;
constexpr int64_t kEntry4 = 400;

// Fails if `leader` says or any server shows that `index` is committed, after
// all had time to find that out.
void CheckNotCommitted(Scenario* scenario, ServerId leader, ServerId follower,
                       Term term, Index index, Place place = Place::Here()) {
  scenario->AwaitTwoHeartbeats(leader, follower, place);
  scenario->CheckNotApplied(index, place);
  const auto says_so = AppendEntries().From(leader).InTerm(term).Where(
      "with that commit index", [index](const TapMessage& request) {
        return request.append().leader_commit >= index;
      });
  if (scenario->tap.Count(says_so) == 0) return;
  Fail(Kind::kSafety,
       absl::StrCat("S", leader, " takes index ", index, " for committed; ",
                    "the leader of term ", term, " counts only entries of ",
                    "term ", term, ", on a majority in that term (5.4.2)"),
       place);
}

// Figure 8, (a) to (c): S1 to S5 of the figure are the servers 0 to 4 here, and
// a server that crashes there is disconnected here. Returns the term of (c),
// whose leader is S1, with its old entry at index 2 on S1, S2 and S3. S5 takes
// `entries_of_s5` entries in (b); in the figure it is one.
Term PlayFigure8(Scenario* scenario, int entries_of_s5 = 1) {
  RaftCluster& cluster = scenario->cluster;
  Tap& tap = scenario->tap;
  const auto acknowledged = [&](ServerId server, Term term) {
    tap.Await(AppendEntriesReplies()
                  .From(server)
                  .InTerm(term)
                  .Reaching(2)
                  .Agreeing());
  };

  // The entry that all have, of a leader before.
  scenario->Elect(2);
  scenario->AwaitApplied(scenario->Submit(2, kEntry1), kEntry1, /*servers=*/5);

  // (a) S1 leads and has replicated the entry at index 2 partially: to S2.
  const Term term_a = scenario->Elect(0);
  int reaches = tap.Drop(AppendEntries().From(0).WithEntries().NotTo(1));
  EXPECT_EQ(scenario->Submit(0, kEntry2), 2U);
  acknowledged(1, term_a);

  // (b) S1 crashes. S5 is elected, by S3, S4 and itself, and takes another
  // entry at index 2.
  cluster.Disconnect(0);
  tap.Drop(AppendEntries().From(4).WithEntries());
  const Term term_b = scenario->Elect(4);
  tap.Forget(reaches);
  EXPECT_GT(term_b, term_a);
  for (int i = 0; i < entries_of_s5; ++i) {
    EXPECT_EQ(scenario->Submit(4, kEntry3 + i), static_cast<Index>(2 + i));
  }

  // (c) S5 crashes. S1 restarts, is elected, and goes on with the replication:
  // its entry reaches S3, and so a majority. S4 gets none.
  cluster.Disconnect(4);
  cluster.Connect(0);
  tap.Drop(AppendEntries().From(0).To(3).WithEntries());
  // S4 has less than the others, which does not keep it from following.
  const Term term_c = scenario->Elect(0);
  EXPECT_GT(term_c, term_b);
  acknowledged(1, term_c);
  acknowledged(2, term_c);
  return term_c;
}

// 5.4.2, Figure 8 (a)-(d): an entry of an earlier term is not committed by
// being on a majority, and may yet be overwritten. Finds a leader that counts
// the replicas of entries of earlier terms.
TEST(Raft2BCommitScenario, Figure8Overwritten) {
  Scenario scenario(/*servers=*/5, "Test (2B+): Figure 8, (a) to (d)");
  RaftCluster& cluster = scenario.cluster;
  const Term term_c = PlayFigure8(&scenario);
  CheckNotCommitted(&scenario, /*leader=*/0, /*follower=*/2, term_c,
                    /*index=*/2);

  // (d) S1 crashes. S5 is elected, by S2, S3 and S4, and overwrites the entry
  // with its own of term (b).
  cluster.Disconnect(0);
  cluster.Connect(4);
  scenario.tap.ForgetAll();
  scenario.Elect(4);
  EXPECT_EQ(scenario.Submit(4, kEntry4), 3U);
  scenario.AwaitApplied(3, kEntry4, /*servers=*/4);
  scenario.AwaitApplied(2, kEntry3, /*servers=*/4);

  // S1 comes back, and gives its entry up.
  scenario.Heal();
  scenario.AwaitApplied(3, kEntry4, /*servers=*/5);
  scenario.AwaitApplied(2, kEntry3, /*servers=*/5);
  cluster.End();
}

// 5.4.2, Figure 8 (a)-(c), (e): with an entry of its own term on a majority a
// leader has committed all entries before; S5 can never be elected, even if it
// has the longest log. Finds a vote that looks only at the length, or at
// nothing.
TEST(Raft2BCommitScenario, Figure8Committed) {
  Scenario scenario(/*servers=*/5, "Test (2B+): Figure 8, (a) to (c), and (e)");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  PlayFigure8(&scenario, /*entries_of_s5=*/3);

  // (e) S1 replicates an entry of its own term to S2 and S3.
  EXPECT_EQ(scenario.Submit(0, kEntry4), 3U);
  scenario.AwaitApplied(3, kEntry4, /*servers=*/3);
  scenario.AwaitApplied(2, kEntry2, /*servers=*/3);

  // S1 crashes. S5 asks S2, S3 and S4 for votes, and no other does; it gets
  // at most that of S4. A voter that stood itself in that term has no choice.
  // The others are silent before S5 is back, or they might give it their log.
  tap.ForgetAll();
  tap.Drop(AnyRequest().NotFrom(4));
  const size_t begin = tap.Now();
  cluster.Disconnect(0);
  cluster.Connect(4);
  const auto has_chosen = [&](ServerId voter) {
    for (const TapMessage& reply :
         tap.Seen(RequestVoteReplies().From(voter).To(4).After(begin))) {
      if (reply.Agrees()) {
        Fail(Kind::kSafety,
             absl::StrCat("S", voter, " votes in term ", reply.RequestTerm(),
                          " for S4, whose last entry is of an older term than ",
                          "the voter's, however long its log (5.4.1)"));
      }
      const Term term = reply.RequestTerm();
      if (reply.ReplyTerm() == term &&
          tap.Count(RequestVotes().From(voter).InTerm(term)) == 0) {
        return true;
      }
    }
    return false;
  };
  scenario.WaitUntil("S1 and S2 to refuse their votes",
                     [&] { return has_chosen(1) && has_chosen(2); });

  scenario.Heal();
  cluster.Agree(500, /*servers=*/5, Retry::kYes);
  scenario.AwaitApplied(2, kEntry2, /*servers=*/5);
  cluster.End();
}

// Figure 2, AppendEntries 5: the commit index goes no further than the last
// entry that the request vouches for. S1 holds an entry of an old leader after
// what the new one vouches for, and hears that this index is committed. Finds
// a follower that takes the end of its own log instead.
TEST(Raft2BCommitScenario, LeaderCommitBeyondEntries) {
  Scenario scenario(/*servers=*/5,
                    "Test (2B+): a commit index beyond the entries");
  RaftCluster& cluster = scenario.cluster;
  Tap& tap = scenario.tap;
  scenario.Elect(0);
  scenario.AwaitApplied(scenario.Submit(0, 100), 100, /*servers=*/5);

  // S0 gives all the second entry, but none learns that it is committed.
  const Term old_term = cluster.GetState(0).term;
  tap.Drop(AppendEntriesReplies().To(0));
  EXPECT_EQ(scenario.Submit(0, 101), 2U);
  for (const ServerId follower : {1, 2, 3, 4}) {
    tap.Await(AppendEntriesReplies()
                  .From(follower)
                  .InTerm(old_term)
                  .Reaching(2)
                  .Agreeing());
  }
  // And S1 alone a third, which will be lost.
  tap.Drop(AppendEntries().From(0).WithEntries().NotTo(1));
  EXPECT_EQ(scenario.Submit(0, 102), 3U);
  tap.Await(AppendEntriesReplies().From(1).Reaching(3).Agreeing());
  cluster.Disconnect(0);

  // S2 is elected by S3 and S4. Its entries do not reach S1, all else does: it
  // hears that the third entry is committed, and has another one there.
  const Term term = scenario.Elect(2);
  tap.Hold(AppendEntries().From(2).To(1).WithEntries());
  EXPECT_EQ(scenario.Submit(2, 201), 3U);
  scenario.AwaitApplied(3, 201, /*servers=*/3);
  const auto dangerous =
      AppendEntriesReplies().From(1).InTerm(term).Agreeing().Where(
          "to a commit index beyond the entries", [](const TapMessage& reply) {
            return reply.append().leader_commit > reply.LastIndex();
          });
  // A Raft whose requests always bring all that is missing never says so.
  const Clock::time_point end = Clock::now() + seconds(1);
  scenario.WaitUntil("S1 to hear of it, or a second to pass", [&] {
    return tap.Count(dangerous) > 0 || Clock::now() > end;
  });

  // Now they come.
  scenario.Heal();
  scenario.AwaitApplied(3, 201, /*servers=*/5);
  cluster.End();
}

// S1 acknowledges entries of S0, of which it hears at once or late: when it
// leads again in a later term, and at these indexes are other entries, which S1
// does not have.
void PlayOldAcknowledgement(Scenario* scenario, bool is_late) {
  RaftCluster& cluster = scenario->cluster;
  Tap& tap = scenario->tap;
  scenario->Elect(0);
  scenario->AwaitApplied(scenario->Submit(0, 100), 100, /*servers=*/5);

  // S0 has entries 2 to 4 on S1.
  const Term old_term = cluster.GetState(0).term;
  const auto acknowledges = AppendEntriesReplies().From(1).InTerm(old_term);
  tap.Drop(AppendEntries().From(0).WithEntries().NotTo(1));
  if (is_late) tap.Hold(acknowledges.Reaching(2).Agreeing());
  for (const int command : {101, 102, 103}) scenario->Submit(0, command);
  tap.Await(acknowledges.Reaching(4).Agreeing());
  if (!is_late) scenario->AwaitTwoHeartbeats(/*leader=*/0, /*follower=*/1);

  // S2 leads, and all have its entry at index 2.
  for (const ServerId old : {0, 1}) cluster.Disconnect(old);
  scenario->Elect(2);
  EXPECT_EQ(scenario->Submit(2, 201), 2U);
  scenario->AwaitApplied(2, 201, /*servers=*/3);  // so that S0 is not elected
  for (const ServerId old : {0, 1}) cluster.Connect(old);
  scenario->AwaitApplied(2, 201, /*servers=*/5);

  // S0 leads again. What it takes now reaches S3 only: two of five. The others
  // may hear nothing of it, and start elections, but are not heard.
  tap.ForgetAll();
  const Term term = scenario->Elect(0);
  tap.Drop(RequestVotes().NotFrom(0));
  tap.Drop(AppendEntries().From(0).WithEntries().NotTo(3));
  EXPECT_EQ(scenario->Submit(0, 301), 3U);
  EXPECT_EQ(scenario->Submit(0, 302), 4U);
  tap.Await(AppendEntriesReplies().From(3).InTerm(term).Reaching(4).Agreeing());
  tap.ReleaseAll(&cluster, acknowledges);
  CheckNotCommitted(scenario, /*leader=*/0, /*follower=*/3, term, /*index=*/3);

  // S3 leads, or one that lacks these entries.
  scenario->Heal();
  cluster.Agree(400, /*servers=*/5, Retry::kYes);
  scenario->AwaitApplied(2, 201, /*servers=*/5);
  cluster.End();
}

// 5.3, 5.4.2: an acknowledgement holds for the request that it answers. Finds
// replies used without comparing terms.
TEST(Raft2BCommitScenario, LateAppendSuccess) {
  Scenario scenario(/*servers=*/5,
                    "Test (2B+): an acknowledgement of an earlier term");
  PlayOldAcknowledgement(&scenario, /*is_late=*/true);
}

// Figure 2: a leader knows nothing of its followers when it is elected. Finds
// one that remembers what they had when it led before.
TEST(Raft2BCommitScenario, EarlierMatchIndex) {
  Scenario scenario(/*servers=*/5,
                    "Test (2B+): what a leader knew when it led before");
  PlayOldAcknowledgement(&scenario, /*is_late=*/false);
}

}  // namespace
}  // namespace tests
