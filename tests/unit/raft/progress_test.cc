// Unit tests of raft/progress.h: when a follower is due, and what each outcome
// of a request changes.

#include "raft/progress.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace raft {
namespace {

using std::chrono::milliseconds;

const Timing kTiming;
constexpr Clock::time_point kStart{std::chrono::hours(1)};
constexpr Clock::time_point kAtOnce{};

Log LogOf(size_t entries, size_t bytes = 1) {
  Log log;
  for (size_t i = 0; i < entries; ++i) log.Append(1, std::string(bytes, 'x'));
  return log;
}

// A follower that has acknowledged `match` entries, with nothing in flight; the
// leader sent the last request at kStart.
Progress Settled(Index match, Index commit = 0) {
  Progress progress(match + 1);
  const Progress::Request request{/*number=*/1, match, 0};
  progress.OnSent(kStart, request, commit);
  progress.OnAccepted(request);
  return progress;
}

TEST(Progress, ANewLeadersFollowerIsDueAtOnce) {
  const Log log = LogOf(2);
  const Progress progress(/*next=*/3);
  EXPECT_EQ(progress.match(), 0u);
  EXPECT_EQ(progress.next(), 3u);
  const Clock::time_point just_started;  // as the clock of a new machine
  for (const Clock::time_point now : {kStart, just_started}) {
    EXPECT_LE(progress.DueAt(now, false, {log, 0, {}}, kTiming), now);
  }
}

TEST(Progress, WhenSettledItIsDueByWhatItLacks) {
  const Log one = LogOf(1);
  const Log two = LogOf(2);
  const Log much = LogOf(2, kMaxLaggardBytes - Entries::kHeaderBytes);
  const Log more = LogOf(2, kMaxLaggardBytes);
  const struct {
    const char* what;
    const Log* log;
    bool decides;
    Index commit;
    Clock::time_point due;
  } kCases[] = {
      {"nothing", &one, true, 0, kStart + kTiming.heartbeat_interval},
      {"an entry, and it decides", &two, true, 0, kAtOnce},
      {"an entry, and it does not", &two, false, 0,
       kStart + kTiming.laggard_interval},
      {"as much as may wait", &much, false, 0,
       kStart + kTiming.laggard_interval},
      {"more", &more, false, 0, kAtOnce},
      {"the commit index", &one, true, 1,
       kStart + milliseconds(7) + kTiming.commit_notice_delay},
      {"both", &two, false, 1,
       kStart + milliseconds(7) + kTiming.commit_notice_delay},
  };
  for (const auto& c : kCases) {
    const Progress progress = Settled(/*match=*/1);
    EXPECT_EQ(
        progress.DueAt(kStart + milliseconds(8), c.decides,
                       {*c.log, c.commit, kStart + milliseconds(7)}, kTiming),
        c.due)
        << c.what;
  }
}

// What was told already, or lies beyond what the follower is known to hold, is
// no reason to send.
TEST(Progress, TheCommitIndexIsToldOnceAndUpToTheMatch) {
  const Log log = LogOf(5);
  const Clock::time_point beat = kStart + kTiming.heartbeat_interval;
  EXPECT_EQ(
      Settled(5, /*commit=*/5).DueAt(kStart, true, {log, 5, kStart}, kTiming),
      beat);
  Progress told = Settled(4);
  told.OnSent(kStart, {/*number=*/2, /*prev_log_index=*/4, /*entries=*/1}, 5);
  told.OnAccepted({2, 4, 1});
  EXPECT_EQ(told.DueAt(kStart, true, {log, 5, kStart}, kTiming), beat);
  Progress lagging(/*next=*/6);
  lagging.OnSent(kStart, {1, 5, 0}, /*commit=*/0);
  EXPECT_EQ(lagging.DueAt(kStart, true, {log, 5, kStart}, kTiming), beat);
}

TEST(Progress, OneRequestWithEntriesIsInFlight) {
  const Log log = LogOf(3);
  Progress progress = Settled(1);
  progress.OnSent(kStart, {/*number=*/2, /*prev_log_index=*/1, /*entries=*/1},
                  0);
  const struct {
    milliseconds later;
    bool responsive;
    bool wants;
  } kCases[] = {
      {milliseconds(0), true, false},
      {kTiming.responsive_time - milliseconds(1), true, false},
      {kTiming.responsive_time, false, false},
      {kTiming.heartbeat_interval - milliseconds(1), false, false},
      {kTiming.heartbeat_interval, false, true},  // again
  };
  for (const auto& c : kCases) {
    const Clock::time_point now = kStart + c.later;
    EXPECT_EQ(progress.IsResponsive(now, kTiming), c.responsive)
        << c.later.count();
    EXPECT_EQ(progress.WantsEntries(now, log.LastIndex(), kTiming), c.wants)
        << c.later.count();
  }
  progress.OnAccepted({2, 1, 1});
  EXPECT_TRUE(progress.WantsEntries(kStart, log.LastIndex(), kTiming));
  EXPECT_FALSE(progress.WantsEntries(kStart, 2, kTiming));
}

TEST(Progress, RepliesMoveItByWhatTheirRequestsSaid) {
  const struct {
    const char* what;
    Progress::Request request;
    bool accepted;
    Index retry;  // where a rejection says that the logs may differ
    Index match;
    Index next;
    bool responsive;
  } kCases[] = {
      // Of a log of 9, 4 match, and 5..6 are in flight as request 7.
      {"accepted", {7, 4, 2}, true, 0, 6, 7, true},
      {"accepted late: a heartbeat", {3, 2, 0}, true, 0, 4, 5, true},
      {"accepted late: a long one", {6, 4, 5}, true, 0, 9, 10, true},
      {"rejected, back to the match", {7, 4, 2}, false, 2, 4, 5, false},
      {"rejected, and forward", {7, 4, 2}, false, 9, 4, 5, false},
      {"rejected late", {3, 8, 0}, false, 2, 4, 5, true},
  };
  for (const auto& c : kCases) {
    Progress progress = Settled(4);
    progress.OnSent(kStart, {7, 4, 2}, 0);
    if (c.accepted) {
      progress.OnAccepted(c.request);
    } else {
      progress.OnRejected(c.request, c.retry);
    }
    EXPECT_EQ(progress.match(), c.match) << c.what;
    EXPECT_EQ(progress.next(), c.next) << c.what;
    EXPECT_EQ(progress.IsResponsive(kStart, kTiming), c.responsive) << c.what;
  }
}

TEST(Progress, EntriesInFlightAwaitTheirOwnAnswer) {
  Progress progress = Settled(4);
  progress.OnSent(kStart, {7, 4, 2}, 0);
  progress.OnSent(kStart, Progress::Request{8, 4, 0}, 0);  // a heartbeat
  EXPECT_TRUE(progress.IsResponsive(kStart, kTiming));
  progress.OnAccepted({8, 4, 0});
  EXPECT_FALSE(progress.WantsEntries(kStart, /*last_index=*/9, kTiming));
}

TEST(Progress, ARejectionBacksUpAndTriesAgainAtOnce) {
  const Log log = LogOf(9);
  Progress progress(/*next=*/10);
  progress.OnSent(kStart, {1, 9, 0}, 0);
  progress.OnRejected({1, 9, 0}, /*next=*/4);
  EXPECT_EQ(progress.next(), 4u);
  EXPECT_EQ(progress.DueAt(kStart, true, {log, 0, {}}, kTiming), kAtOnce);
  progress.OnRejected({1, 9, 0}, /*next=*/2);  // twice: old news
  EXPECT_EQ(progress.next(), 4u);
}

TEST(Progress, WhatIsInFlightBehindARejectionCountsNoMore) {
  Progress progress(/*next=*/5);
  progress.OnSent(kStart, {1, 4, 0}, 0);
  progress.OnSent(kStart, {2, 4, 5}, 0);
  progress.OnRejected({1, 4, 0}, /*next=*/2);
  EXPECT_TRUE(progress.WantsEntries(kStart, /*last_index=*/9, kTiming));
}

TEST(Progress, ItHasLostItsLogIfItRejectsWhatItHadAcknowledged) {
  const struct {
    Index prev;
    Index acknowledged;
    bool lost;
  } kCases[] = {{0, 0, false}, {0, 1, true}, {1, 1, true},
                {2, 1, false}, {1, 2, true}, {3, 0, false}};
  for (const auto& c : kCases) {
    Progress progress = Settled(4);
    progress.OnRejected({7, c.prev, 0, c.acknowledged}, /*next=*/1);
    EXPECT_EQ(progress.lost_log(), c.lost) << c.prev << "," << c.acknowledged;
    progress.OnRejected({8, 9, 0, 4}, /*next=*/1);
    EXPECT_EQ(progress.lost_log(), c.lost) << "from then on";
  }
}

TEST(Progress, ItIsNotResponsiveUntilItAnswersWhatIsSentAgain) {
  Progress progress = Settled(1);
  const Clock::time_point later = kStart + kTiming.heartbeat_interval;
  progress.OnSent(kStart, {2, 1, 1}, 0);
  progress.OnSent(later, {3, 1, 1}, 0);
  EXPECT_FALSE(progress.IsResponsive(later, kTiming));
  progress.OnLost(3);
  progress.OnSent(later, {4, 1, 1}, 0);
  EXPECT_FALSE(progress.IsResponsive(later, kTiming));
  progress.OnRejected({2, 9, 1}, /*next=*/1);  // old news, but an answer
  EXPECT_TRUE(progress.IsResponsive(later, kTiming));
}

TEST(Progress, WhatWasLostIsSentAgainButNotInATightLoop) {
  const Log log = LogOf(2);
  Progress progress = Settled(1);
  progress.OnSent(kStart, {2, 1, 1}, 0);
  progress.OnLost(1);  // another one
  EXPECT_TRUE(progress.IsResponsive(kStart, kTiming));
  progress.OnLost(2);
  EXPECT_FALSE(progress.IsResponsive(kStart, kTiming));
  EXPECT_EQ(progress.DueAt(kStart, /*decides=*/true, {log, 0, {}}, kTiming),
            kStart + kTiming.laggard_interval);
  progress.OnAccepted({1, 1, 0});
  EXPECT_TRUE(progress.IsResponsive(kStart, kTiming));
}

TEST(Progress, AnEntryHastensTheFirstAndTheLastOfManyBytes) {
  Progress progress = Settled(1);
  EXPECT_TRUE(progress.HastensWith(LogOf(2)));
  EXPECT_FALSE(progress.HastensWith(LogOf(3)));
  const size_t half = kMaxLaggardBytes / 2 - Entries::kHeaderBytes;
  EXPECT_FALSE(progress.HastensWith(LogOf(3, half)));
  EXPECT_TRUE(progress.HastensWith(LogOf(3, kMaxLaggardBytes)));
  progress.OnSent(kStart, {2, 1, 1}, 0);
  EXPECT_FALSE(progress.HastensWith(LogOf(3, kMaxLaggardBytes)));
}

TEST(Progress, WhatTheLogHasNoMoreNeedsASnapshot) {
  Log log = LogOf(4);
  log.DiscardUpTo(2);
  EXPECT_TRUE(Settled(0).NeedsSnapshot(kStart, log, kTiming));
  EXPECT_TRUE(Settled(1).NeedsSnapshot(kStart, log, kTiming));
  EXPECT_FALSE(Settled(2).NeedsSnapshot(kStart, log, kTiming));
  EXPECT_EQ(Settled(1).DueAt(kStart, false, {log, 0, {}}, kTiming), kAtOnce);
  EXPECT_EQ(Settled(2).DueAt(kStart, false, {log, 0, {}}, kTiming),
            kStart + kTiming.laggard_interval)
      << "the next entry is still here";

  Progress promised = Settled(1);  // entries are in flight
  promised.OnSent(kStart, {2, 1, 2}, 0);
  EXPECT_FALSE(promised.NeedsSnapshot(kStart, log, kTiming));
  EXPECT_TRUE(promised.NeedsSnapshot(kStart + kTiming.heartbeat_interval, log,
                                     kTiming));
}

// So that a follower which only waits for its batch needs no snapshot.
TEST(Progress, WhatIsAboutToBeDiscardedGoesAtOnce) {
  const Log log = LogOf(3);
  const auto due = [&log](Index discard_to) {
    return Settled(1).DueAt(kStart, false, {log, 0, {}, discard_to}, kTiming);
  };
  EXPECT_EQ(due(1), kStart + kTiming.laggard_interval);
  EXPECT_EQ(due(2), kAtOnce);
  EXPECT_EQ(due(3), kAtOnce);
}

// A follower that gets a snapshot, up to index 2.
Progress GettingSnapshot(size_t bytes = kSmallSnapshotBytes + 1) {
  Progress progress = Settled(0);
  progress.BeginSnapshot({/*last_included_index=*/2, /*last_included_term=*/1,
                          base::Rope(std::string(bytes, 's'))});
  return progress;
}

TEST(Progress, ASnapshotGoesOneChunkAtATime) {
  Log log = LogOf(4);
  log.DiscardUpTo(2);
  const auto due = [&log](const Progress& progress) {
    return progress.DueAt(kStart, true, {log, 4, {}}, kTiming);
  };
  Progress progress = GettingSnapshot();
  EXPECT_EQ(due(progress), kAtOnce);
  progress.OnSent(kStart, {/*number=*/2, /*last_included_index=*/2, 0});
  EXPECT_FALSE(progress.WantsChunk(kStart, kTiming));
  EXPECT_EQ(due(progress), kStart + kTiming.heartbeat_interval);
  EXPECT_FALSE(progress.HastensWith(log));
  progress.OnStored({2, 2, 0}, /*next_offset=*/4);
  EXPECT_EQ(progress.transfer().offset, 4u);
  EXPECT_EQ(due(progress), kAtOnce);
  progress.OnSent(kStart, {3, 2, 4});
  progress.OnInstalled({3, 2, 4});
  EXPECT_EQ(progress.state(), Progress::State::kReplicate);
  EXPECT_EQ(progress.match(), 2u);
  EXPECT_EQ(progress.next(), 3u);
}

TEST(Progress, OnlyTheAnswerToTheNewestChunkIsNews) {
  Progress progress = GettingSnapshot(/*bytes=*/10);
  progress.OnStored({1, 2, 0}, 4);
  const struct {
    Progress::Chunk chunk;
    uint64_t next_offset;
    uint64_t offset;
  } kCases[] = {
      {{2, 2, /*offset=*/0}, 6, 4},                          // an earlier chunk
      {{2, /*last_included_index=*/1, /*offset=*/4}, 6, 4},  // another snapshot
      {{2, 2, 4}, 0, 0},    // the follower has crashed
      {{2, 2, 4}, 99, 10},  // what cannot be
  };
  for (const auto& c : kCases) {
    Progress copy = progress;
    copy.OnStored(c.chunk, c.next_offset);
    EXPECT_EQ(copy.transfer().offset, c.offset);
  }
}

TEST(Progress, WhatIsUnansweredAtTheNextHeartbeatWaitsForAnAnswer) {
  Progress progress = GettingSnapshot();
  progress.OnSent(kStart, Progress::Request{1, 2, 0}, 0);
  EXPECT_TRUE(progress.WantsChunk(kStart, kTiming)) << "nothing was in flight";
  progress.OnSent(kStart, {2, 2, 0});
  EXPECT_TRUE(progress.IsResponsive(kStart, kTiming));
  progress.OnSent(kStart, Progress::Request{3, 2, 0}, 0);  // a heartbeat
  EXPECT_FALSE(progress.WantsChunk(kStart, kTiming));
  EXPECT_FALSE(progress.IsResponsive(kStart, kTiming));
  progress.OnRejected({3, 2, 0}, 1);
  EXPECT_TRUE(progress.WantsChunk(kStart, kTiming));
  EXPECT_EQ(progress.next(), 1u) << "the snapshot repairs it";

  progress.OnSent(kStart, {4, 2, 0});
  progress.OnLost(4);
  EXPECT_FALSE(progress.WantsChunk(kStart, kTiming));
  progress.OnRejected({3, 2, 0}, 1);
  EXPECT_TRUE(progress.WantsChunk(kStart, kTiming));
}

TEST(Progress, ALateAnswerToAChunkShowsThatTheFollowerIsThere) {
  const auto unanswered = [] {
    Progress progress = GettingSnapshot();
    progress.OnSent(kStart, {2, 2, 0});
    progress.OnSent(kStart, Progress::Request{3, 2, 0}, 0);
    EXPECT_FALSE(progress.IsResponsive(kStart, kTiming));
    return progress;
  };
  Progress stored = unanswered();
  stored.OnStored({2, 2, 0}, /*next_offset=*/4);
  EXPECT_TRUE(stored.WantsChunk(kStart, kTiming));
  Progress installed = unanswered();
  installed.OnInstalled({2, 2, 0});
  EXPECT_TRUE(installed.IsResponsive(kStart, kTiming));
}

// As entries are.
TEST(Progress, ASmallSnapshotGoesToAFollowerThatDoesNotAnswerToo) {
  const Log log = LogOf(4);
  Progress progress = GettingSnapshot(kSmallSnapshotBytes);
  progress.OnSent(kStart, {2, 2, 0});
  EXPECT_FALSE(progress.WantsChunk(kStart, kTiming));
  const auto later = kStart + kTiming.heartbeat_interval;
  EXPECT_TRUE(progress.WantsChunk(later, kTiming));
  progress.OnSent(later, {3, 2, 0});
  EXPECT_FALSE(progress.IsResponsive(later, kTiming));

  progress.OnLost(3);
  EXPECT_TRUE(progress.WantsChunk(later, kTiming));
  EXPECT_EQ(progress.DueAt(later, true, {log, 4, {}}, kTiming),
            later + kTiming.laggard_interval)
      << "not in a tight loop";
  progress.OnSent(later, {4, 2, 0});
  EXPECT_FALSE(progress.IsResponsive(later, kTiming)) << "no answer so far";
}

TEST(Progress, EntriesInFlightCountAsLostWhenASnapshotTakesTheirPlace) {
  Progress progress = Settled(0);
  progress.OnSent(kStart, {2, 0, 1}, 0);
  progress.BeginSnapshot(GettingSnapshot().transfer());
  EXPECT_FALSE(progress.IsResponsive(kStart, kTiming));
  EXPECT_FALSE(progress.WantsChunk(kStart, kTiming));
  progress.OnAccepted({2, 0, 1});
  EXPECT_TRUE(progress.WantsChunk(kStart, kTiming));
  EXPECT_EQ(progress.match(), 1u);
  progress.OnAccepted({3, 0, 2});
  EXPECT_EQ(progress.state(), Progress::State::kReplicate);
}

// What answers them cannot say how much of the snapshot is there.
TEST(Progress, ARejectionOfEntriesOvertakenByAChunkIsOldNews) {
  Progress progress(/*next=*/2);
  progress.OnSent(kStart, {1, 1, 1}, 0);
  progress.BeginSnapshot(GettingSnapshot().transfer());
  progress.OnSent(kStart, {2, 2, 0});
  progress.OnRejected({1, 1, 1}, /*next=*/1);
  EXPECT_FALSE(progress.WantsChunk(kStart, kTiming)) << "one is in flight";
}

TEST(Progress, WhatIsInFlightOfASnapshotCountsNoMoreOnceTheLogMatches) {
  Progress progress = GettingSnapshot();
  progress.OnSent(kStart, {2, 2, 0});
  progress.OnAccepted({1, 0, 2});  // sent before it
  EXPECT_EQ(progress.state(), Progress::State::kReplicate);
  EXPECT_TRUE(progress.WantsEntries(kStart, /*last_index=*/4, kTiming));
}

TEST(QuorumFirst, LeavesOutWhatGetsASnapshot) {
  const std::vector<Progress> followers = {Settled(1), GettingSnapshot(),
                                           Settled(1)};
  const auto decides = QuorumFirst(followers, 0, kStart, kTiming);
  EXPECT_EQ(std::vector<bool>(decides.begin(), decides.end()),
            (std::vector<bool>{false, false, true}));
}

TEST(QuorumFirst, TakesTheFirstResponsiveOnesThatMakeAMajority) {
  const struct {
    std::vector<bool> responsive;
    ServerId leader;
    std::vector<bool> decides;
  } kCases[] = {
      {{true}, 0, {false}},
      {{true, true}, 1, {true, false}},
      {{true, true, true}, 0, {false, true, false}},
      {{true, true, true, true, true}, 0, {false, true, true, false, false}},
      {{true, false, true, true, true}, 0, {false, false, true, true, false}},
      {{true, true, true, true, true}, 1, {true, false, true, false, false}},
      {{false, false, true}, 2, {false, false, false}},
  };
  for (const auto& c : kCases) {
    std::vector<Progress> followers;
    for (const bool responsive : c.responsive) {
      followers.push_back(Settled(1));
      if (responsive) continue;
      followers.back().OnSent(kStart, {2, 1, 1}, 0);
      followers.back().OnLost(2);
    }
    const auto decides = QuorumFirst(followers, c.leader, kStart, kTiming);
    EXPECT_EQ(std::vector<bool>(decides.begin(), decides.end()), c.decides);
  }
}

}  // namespace
}  // namespace raft
