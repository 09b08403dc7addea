// The log as tables: every operation, and Figure 7 of the paper.

#include "raft/log.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/rope.h"
#include "gtest/gtest.h"
#include "raft/entries.h"
#include "rpc/codec.h"

namespace raft {
namespace {

using Terms = std::vector<Term>;

Log LogOf(const Terms& terms, Index last_included_index = 0,
          Term last_included_term = 0) {
  Log log(last_included_index, last_included_term);
  for (const Term term : terms) log.Append(term, "x");
  return log;
}

Entries EntriesOf(const Terms& terms) {
  Entries entries;
  for (const Term term : terms) entries.Append(term, "x");
  return entries;
}

Terms TermsOf(const Log& log) {
  Terms terms;
  for (Index i = log.FirstIndex(); i <= log.LastIndex(); ++i) {
    terms.push_back(log.TermAt(i));
  }
  return terms;
}

// What AppendEntries does with a log that passed the consistency check.
void Store(Log* log, Index prev_index, const Entries& entries) {
  const Index first_new = log->FirstNewIndex(prev_index, entries);
  if (first_new == prev_index + entries.size() + 1) return;
  log->TruncateFrom(first_new);
  log->AppendFrom(entries, /*skip=*/first_new - prev_index - 1);
}

TEST(Log, IndexesStartAtOneAfterAVirtualEntryOfTermZero) {
  const Log log;
  EXPECT_EQ(log.FirstIndex(), 1u);
  EXPECT_EQ(log.LastIndex(), 0u);
  EXPECT_EQ(log.LastTerm(), 0u);
  EXPECT_EQ(log.TermAt(0), 0u);
  EXPECT_TRUE(log.Matches(0, 0));
  EXPECT_FALSE(log.Matches(0, 1));
  EXPECT_FALSE(log.Matches(1, 0));
}

TEST(Log, AppendReturnsDenseIndexes) {
  Log log;
  EXPECT_EQ(log.Append(1, "a"), 1u);
  EXPECT_EQ(log.Append(1, ""), 2u);
  EXPECT_EQ(log.Append(3, std::string(100000, 'c')), 3u);
  EXPECT_EQ(TermsOf(log), (Terms{1, 1, 3}));

  const Entries all = log.Slice(1, 3, /*max_bytes=*/1 << 20);
  std::vector<size_t> sizes;
  for (const EntryView entry : all) sizes.push_back(entry.command.size());
  EXPECT_EQ(sizes, (std::vector<size_t>{1, 0, 100000}));
}

// As they go to a follower in one process: neither side copies them.
TEST(Log, ManyEntriesAreSharedNotCopied) {
  Log leader;
  for (int i = 0; i < 120; ++i) leader.Append(1, std::string(1000, 'x'));
  // Of the last chunk, which has entries 65 to 128.
  const Entries sent = leader.Slice(71, 120, 1 << 20);
  const absl::StatusOr<Entries> received =
      rpc::Decode<Entries>(rpc::EncodeFrame(sent));
  ASSERT_TRUE(received.ok()) << received.status();
  Log follower;
  for (int i = 0; i < 75; ++i) follower.Append(1, std::string(1000, 'x'));
  follower.AppendFrom(*received, /*skip=*/5);
  EXPECT_EQ(follower.bytes(), leader.bytes());
  EXPECT_EQ(follower.Newest(76).data(), leader.Newest(76).data());
}

TEST(Log, UpToDateComparesLastTermThenLength) {
  const struct {
    Terms mine;
    Index last_index;
    Term last_term;
    bool up_to_date;
  } kCases[] = {
      {{}, 0, 0, true},
      {{1, 1}, 2, 1, true},
      {{1, 1}, 3, 1, true},
      {{1, 1}, 1, 1, false},
      {{1, 1}, 1, 2, true},      // a newer last term
                                 // beats any length
      {{1, 1, 2}, 9, 1, false},  // length alone never decides
      {{1, 2}, 0, 0, false},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(LogOf(c.mine).IsUpToDate(c.last_index, c.last_term), c.up_to_date)
        << c.last_index << "," << c.last_term;
  }
}

TEST(Log, StoreTruncatesOnlyOnARealConflict) {
  const struct {
    const char* what;
    Terms before;
    Index prev;
    Terms sent;
    Terms after;
  } kCases[] = {
      {"nothing sent", {1, 1, 2}, 1, {}, {1, 1, 2}},
      {"append to an empty log", {}, 0, {1, 1}, {1, 1}},
      {"append at the end", {1}, 1, {1, 2}, {1, 1, 2}},
      {"all known: a late request keeps what came after",
       {1, 1, 2, 2},
       0,
       {1, 1},
       {1, 1, 2, 2}},
      {"partly known", {1, 1}, 0, {1, 1, 1}, {1, 1, 1}},
      {"conflict at once", {1, 1, 1}, 1, {2}, {1, 2}},
      {"conflict after known ones", {1, 1, 1, 1}, 0, {1, 1, 2}, {1, 1, 2}},
      {"conflict drops all that follows", {1, 2, 2, 2}, 1, {3}, {1, 3}},
  };
  for (const auto& c : kCases) {
    Log log = LogOf(c.before);
    Store(&log, c.prev, EntriesOf(c.sent));
    EXPECT_EQ(TermsOf(log), c.after) << c.what;
  }
}

TEST(Log, ConflictNamesTheTermAndItsFirstIndex) {
  const struct {
    Terms log;
    Index at;
    Term term;
    Index index;
  } kCases[] = {
      {{}, 1, 0, 1},  // too short: no term, the index after the end
      {{1, 1}, 7, 0, 3},       {{1, 1, 1}, 3, 1, 1},
      {{1, 2, 2, 2}, 4, 2, 2}, {{1, 2, 2, 3}, 4, 3, 4},
  };
  for (const auto& c : kCases) {
    const Conflict conflict = LogOf(c.log).ConflictAt(c.at);
    EXPECT_EQ(conflict.term, c.term) << "at " << c.at;
    EXPECT_EQ(conflict.index, c.index) << "at " << c.at;
  }
}

TEST(Log, LastIndexOfATerm) {
  const Log log = LogOf({1, 1, 3, 3, 3, 6});
  EXPECT_EQ(log.LastIndexOf(1), 2u);
  EXPECT_EQ(log.LastIndexOf(2), 0u);
  EXPECT_EQ(log.LastIndexOf(3), 5u);
  EXPECT_EQ(log.LastIndexOf(6), 6u);
  EXPECT_EQ(log.LastIndexOf(7), 0u);
}

TEST(Log, AfterAConflictComesTheOwnEndOfItsTermOrTheFollowersIndex) {
  const Log log = LogOf({1, 1, 1, 4, 4, 5, 5, 6, 6, 6});  // Figure 7's leader
  const struct {
    const char* what;
    Conflict conflict;
    Index next;
  } kCases[] = {
      {"too short", {0, 4}, 4},
      {"a term that the leader has", {4, 4}, 6},
      {"the first term", {1, 1}, 4},
      {"a term that it never had", {3, 7}, 7},
      {"a term that goes on after that place", {6, 8}, 8},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(log.NextAfterConflict(/*prev_index=*/10, c.conflict), c.next)
        << c.what;
  }
}

TEST(Log, SliceIsBoundedByBytesButCarriesOneEntry) {
  Log log;
  for (int i = 0; i < 4; ++i) log.Append(1, std::string(100, 'x'));
  const size_t one = Entries::kHeaderBytes + 100;

  EXPECT_EQ(log.Slice(1, 4, 4 * one).size(), 4u);
  EXPECT_EQ(log.Slice(1, 4, 4 * one - 1).size(), 3u);
  EXPECT_EQ(log.Slice(2, 4, 2 * one).size(), 2u);
  EXPECT_EQ(log.Slice(2, 2, 9 * one).size(), 1u);
  EXPECT_EQ(log.Slice(3, 4, 1).size(), 1u);
  EXPECT_EQ(log.Slice(5, 4, 1).size(), 0u);
  EXPECT_EQ(log.BytesFrom(2), 3 * one);
  EXPECT_EQ(log.BytesFrom(5), 0u);
}

// By its version a server knows that the log was saved as it is.
TEST(Log, EachChangeHasAVersionOfItsOwnAndOnlyChangesHave) {
  Log log;
  uint64_t version = log.version();
  const auto changed = [&] {
    return log.version() > std::exchange(version, log.version());
  };
  log.Append(1, "x");
  EXPECT_TRUE(changed());
  log.AppendFrom(EntriesOf({1, 2}), /*skip=*/0);
  EXPECT_TRUE(changed());
  log.AppendFrom(EntriesOf({1, 2}), /*skip=*/2);
  log.AppendFrom(Entries(), /*skip=*/0);
  EXPECT_FALSE(changed());
  log.TruncateFrom(4);
  log.TruncateFrom(9);
  EXPECT_FALSE(changed());
  log.TruncateFrom(3);
  EXPECT_TRUE(changed());
  log.DiscardUpTo(0);
  EXPECT_FALSE(changed());
  log.DiscardUpTo(1);
  EXPECT_TRUE(changed());
  log.DiscardUpTo(1);
  EXPECT_FALSE(changed());
  log.DiscardAll(7, 2);
  EXPECT_TRUE(changed());
}

TEST(LogDeathTest, TermsNeverDecrease) {
  Log log = LogOf({2});
  EXPECT_DEATH(log.Append(1, "x"), "Check failed");
  EXPECT_DEATH(log.AppendFrom(EntriesOf({1}), /*skip=*/0), "Check failed");
  EXPECT_DEATH(log.AppendFrom(EntriesOf({4, 3}), /*skip=*/0), "Check failed");
  log.AppendFrom(EntriesOf({2, 2, 4}), /*skip=*/0);
  EXPECT_EQ(TermsOf(log), (Terms{2, 2, 2, 4}));
}

TEST(Log, ItsBytesAreItsEntriesPacked) {
  Log log = LogOf({1, 2, 2, 5});
  log.TruncateFrom(3);
  log.Append(6, "six");

  Log restored;
  restored.AppendFrom(Entries(3, log.bytes()), /*skip=*/0);
  EXPECT_EQ(TermsOf(restored), (Terms{1, 2, 6}));
  EXPECT_EQ(restored.bytes(), log.bytes());
}

// The arithmetic must not care what has been discarded.
TEST(Log, WhatASnapshotCoversShiftsEveryIndex) {
  Log log =
      LogOf({4, 4, 5}, /*last_included_index=*/10, /*last_included_term=*/3);
  EXPECT_EQ(log.FirstIndex(), 11u);
  EXPECT_EQ(log.LastIndex(), 13u);
  EXPECT_TRUE(log.Matches(10, 3));
  EXPECT_FALSE(log.Matches(10, 2));
  EXPECT_TRUE(log.Matches(9, 7));  // covered, so committed
  EXPECT_EQ(log.LastIndexOf(3), 10u);
  EXPECT_EQ(log.ConflictAt(12).index, 11u);
  EXPECT_EQ(log.Slice(12, 13, 1 << 20).size(), 2u);

  Store(&log, 12, EntriesOf({6, 6}));
  EXPECT_EQ(TermsOf(log), (Terms{4, 4, 6, 6}));
  log.TruncateFrom(11);
  EXPECT_EQ(log.LastIndex(), 10u);
  EXPECT_EQ(log.LastTerm(), 3u);
  EXPECT_EQ(log.Append(7, "x"), 11u);
}

TEST(Log, DiscardingChangesNoEntryThatStays) {
  Log log = LogOf({1, 1, 2, 2, 3});
  log.DiscardUpTo(3);
  EXPECT_EQ(log.last_included_index(), 3u);
  EXPECT_EQ(log.last_included_term(), 2u);
  EXPECT_EQ(TermsOf(log), (Terms{2, 3}));
  EXPECT_EQ(log.FirstNewIndex(/*prev_index=*/1, EntriesOf({1, 2, 2})), 5u);
  log.DiscardUpTo(3);
  EXPECT_EQ(TermsOf(log), (Terms{2, 3}));
  log.DiscardUpTo(5);
  EXPECT_EQ(log.LastIndex(), 5u);
  EXPECT_EQ(log.LastTerm(), 3u);
  EXPECT_TRUE(log.bytes().empty());

  log.DiscardAll(9, 4);
  EXPECT_EQ(log.LastIndex(), 9u);
  EXPECT_EQ(log.LastTerm(), 4u);
  EXPECT_EQ(log.Append(5, "x"), 10u);
}

// Random changes against a plain vector.
TEST(Log, BehavesLikeAVectorWhateverIsDiscarded) {
  base::Random random(7);
  for (int run = 0; run < 8; ++run) {
    Log log;
    std::vector<std::pair<Term, std::string>> model = {{0, ""}};  // [0] is 0
    for (int step = 0; step < 300; ++step) {
      const Index first = log.FirstIndex();
      const Index last = log.LastIndex();
      const Index few = random.Below(std::min<Index>(last - first + 2, 12));
      switch (random.Below(20)) {
        case 0:
          log.TruncateFrom(last + 1 - few);
          model.resize(log.LastIndex() + 1);
          break;
        case 1:
          log.DiscardUpTo(first - 1 + few);
          break;
        default: {
          const Term term = log.LastTerm() + random.Below(2) + (last == 0);
          const std::string command(random.Below(3'000), 'a' + step % 26);
          log.Append(term, command);
          model.emplace_back(term, command);
        }
      }
      ASSERT_EQ(log.LastIndex() + 1, model.size());
      size_t bytes = 0;
      for (Index i = log.LastIndex(); i >= log.FirstIndex(); --i) {
        ASSERT_EQ(log.TermAt(i), model[i].first);
        bytes += Entries::kHeaderBytes + model[i].second.size();
        ASSERT_EQ(log.BytesFrom(i), bytes);
      }
      const Entries all =
          log.Slice(log.FirstIndex(), log.LastIndex(), size_t{1} << 30);
      ASSERT_EQ(all.bytes(), log.bytes().ToString());
      const Log again(log.last_included_index(), log.last_included_term(),
                      log.bytes());
      ASSERT_EQ(again.LastIndex(), log.LastIndex());
      ASSERT_EQ(again.LastTerm(), log.LastTerm());
    }
  }
}

TEST(LogDeathTest, DiscardsOnlyWhatItHas) {
  Log log = LogOf({1, 1});
  EXPECT_DEATH(log.DiscardUpTo(3), "LastIndex");
  log.DiscardUpTo(2);
  EXPECT_DEATH(log.DiscardUpTo(1), "last_included_index_");
}

// A copy of the bytes, as the Persister keeps one, must not see later changes.
TEST(Log, SavedBytesAreIndependent) {
  Log log = LogOf({1, 1, 1});
  const base::Rope saved = log.bytes();
  const std::string before = saved.ToString();
  log.TruncateFrom(2);
  log.Append(2, "other");
  EXPECT_EQ(saved.ToString(), before);
}

// Figure 7: the leader of term 8, and what followers may look like.
struct Figure7Case {
  const char* name;
  Terms log;
  bool matches;       // the first AppendEntries, after (10,6)
  Conflict conflict;  // what a rejection says
  bool grants_vote;   // to the leader that (10,6) ends its log
};

const Terms kFigure7Leader = {1, 1, 1, 4, 4, 5, 5, 6, 6, 6};

const Figure7Case kFigure7[] = {
    {"a", {1, 1, 1, 4, 4, 5, 5, 6, 6}, false, {0, 10}, true},
    {"b", {1, 1, 1, 4}, false, {0, 5}, true},
    {"c", {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6}, true, {}, false},
    {"d", {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7}, true, {}, false},
    {"e", {1, 1, 1, 4, 4, 4, 4}, false, {0, 8}, true},
    {"f", {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3}, false, {3, 7}, true},
};

TEST(Log, Figure7) {
  const Log leader = LogOf(kFigure7Leader);
  for (const Figure7Case& c : kFigure7) {
    SCOPED_TRACE(c.name);
    Log follower = LogOf(c.log);
    EXPECT_EQ(follower.IsUpToDate(leader.LastIndex(), leader.LastTerm()),
              c.grants_vote);
    EXPECT_EQ(follower.Matches(10, 6), c.matches);
    if (!c.matches) {
      const Conflict conflict = follower.ConflictAt(10);
      EXPECT_EQ(conflict.term, c.conflict.term);
      EXPECT_EQ(conflict.index, c.conflict.index);
    }

    // However far back it must go, the follower ends with the leader's log, and
    // with its own surplus only where nothing contradicts it.
    Index prev = leader.LastIndex();
    while (!follower.Matches(prev, leader.TermAt(prev))) --prev;
    Store(&follower, prev, leader.Slice(prev + 1, leader.LastIndex(), 1 << 20));
    Terms head = TermsOf(follower);
    head.resize(kFigure7Leader.size());
    EXPECT_EQ(head, kFigure7Leader);
  }
}

TEST(Entries, RoundTripAndView) {
  const Entries entries = {{1, "a"}, {2, ""}, {3, std::string_view("\0b", 2)}};
  EXPECT_EQ(entries.size(), 3u);

  const auto decoded = rpc::Decode<Entries>(rpc::Encode(entries));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, entries);
  std::vector<EntryView> views;
  for (const EntryView entry : *decoded) views.push_back(entry);
  EXPECT_EQ(views, (std::vector<EntryView>{
                       {1, "a"}, {2, ""}, {3, std::string_view("\0b", 2)}}));
}

TEST(Entries, TheLastCommandMayBeEmpty) {
  const Entries entries = {{1, "x"}, {2, ""}};
  size_t count = 0;
  EXPECT_TRUE(Entries::CountWhole(entries.bytes().ToString(), &count));
  EXPECT_EQ(count, 2u);
}

// Each piece of a rope must be whole, not only the last one.
TEST(Entries, EachPieceIsChecked) {
  const std::string one =
      Entries{{1, std::string(base::Rope::kShareFrom, 'x')}}.bytes().ToString();
  base::Rope good(one);
  good.Append(one);
  const auto decoded = rpc::Decode<Entries>(rpc::EncodeFrame(Entries(2, good)));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  size_t count = 0;
  for (const EntryView entry : *decoded) count += entry.term;
  EXPECT_EQ(count, 2u);

  base::Rope cut(one + "stray");
  EXPECT_FALSE(rpc::Decode<Entries>(rpc::EncodeFrame(Entries(1, cut))).ok());
  cut.Append(one);
  EXPECT_FALSE(rpc::Decode<Entries>(rpc::EncodeFrame(Entries(2, cut))).ok());
}

TEST(Entries, MalformedBytesAreAnError) {
  const Entries entries = {{1, "abc"}, {2, "def"}};
  const std::string good = rpc::Encode(entries);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(rpc::Decode<Entries>(good.substr(0, size)).ok()) << size;
  }
  std::string wrong_count = good;
  wrong_count[0] = 3;
  EXPECT_FALSE(rpc::Decode<Entries>(wrong_count).ok());
  std::string wrong_length = good;
  wrong_length[16 + sizeof(Term)] = 100;  // of the first command
  EXPECT_FALSE(rpc::Decode<Entries>(wrong_length).ok());
}

}  // namespace
}  // namespace raft
