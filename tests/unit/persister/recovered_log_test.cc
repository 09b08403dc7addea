// Unit tests of persister/files/recovered_log.h and packed.h.

#include "persister/files/recovered_log.h"

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "persister/files/packed.h"
#include "tests/storage/model.h"

namespace persister {
namespace {

using storage_test::Entry;
using storage_test::Model;
using storage_test::Pack;

absl::Status AddEntries(uint64_t first, const std::vector<Entry>& entries,
                        RecoveredLog* log) {
  return log->Apply({.type = RecordType::kEntries,
                     .index = first,
                     .term = entries.back().term,
                     .payload = Pack(entries)});
}

absl::Status Truncate(uint64_t index, RecoveredLog* log) {
  return log->Apply({.type = RecordType::kTruncate, .index = index});
}

absl::Status Snapshot(uint64_t index, RecoveredLog* log) {
  return log->Apply({.type = RecordType::kSnapshot, .index = index, .term = 1});
}

TEST(Packed, WalksWholeEntries) {
  const std::string packed = Pack({{1, "a"}, {2, ""}, {2, "ccc"}});
  const PackedRun run = WalkPacked(packed, 1);
  EXPECT_TRUE(run.whole && run.in_order);
  EXPECT_EQ(run.count, 3U);
  EXPECT_EQ(run.last_term, 2U);
  EXPECT_EQ(PackedBytes(packed, 2), 25U);
  for (size_t cut = 1; cut < 15; ++cut) {
    EXPECT_FALSE(WalkPacked(packed.substr(0, packed.size() - cut)).whole);
  }
  EXPECT_FALSE(WalkPacked(packed, 2).in_order);
  EXPECT_FALSE(WalkPacked(Pack({{2, "a"}, {1, "b"}})).in_order);
  EXPECT_TRUE(WalkPacked("").whole);
}

// The same log, with all kinds of changes, against plain values: pieces and
// marks fall wherever they do.
TEST(RecoveredLog, IsWhatTheRecordsSay) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    base::Random random(seed);
    RecoveredLog log(LogState{});
    Model model;
    for (int i = 0; i < 200; ++i) {
      const uint64_t kind = random.Below(10);
      if (kind == 0) {
        const uint64_t index =
            random.Between(model.snapshot_index + 1, model.last_index() + 2);
        model.TruncateFrom(index);
        ASSERT_TRUE(Truncate(index, &log).ok());
      } else if (kind == 1) {
        const uint64_t index =
            random.Between(model.snapshot_index + 1, model.last_index() + 2);
        model.InstallSnapshot(index, 1, "");
        ASSERT_TRUE(Snapshot(index, &log).ok());
      } else {
        std::vector<Entry> entries(random.Between(1, 5));
        for (Entry& entry : entries) {
          entry = {1, std::string(random.Below(60'000), 'x')};
        }
        ASSERT_TRUE(AddEntries(model.last_index() + 1, entries, &log).ok());
        model.entries.insert(model.entries.end(), entries.begin(),
                             entries.end());
      }
      ASSERT_EQ(log.state().next_index, model.last_index() + 1);
      ASSERT_EQ(log.first_index(), model.snapshot_index + 1);
    }
    EXPECT_EQ(log.TakeEntries(), base::Rope(Pack(model.entries)));
  }
}

// The oldest segment that is left begins anywhere; what is before is unknown.
TEST(RecoveredLog, BeginsAnywhere) {
  RecoveredLog log(
      LogState{.next_index = 101, .term = 3, .snapshot_index = 40});
  EXPECT_EQ(log.first_index(), 101U);
  EXPECT_TRUE(Truncate(50, &log).ok());
  EXPECT_EQ(log.first_index(), 50U);
  EXPECT_TRUE(AddEntries(50, {{3, "a"}, {3, "b"}}, &log).ok());
  EXPECT_TRUE(Snapshot(45, &log).ok());
  EXPECT_EQ(log.first_index(), 50U);
  EXPECT_TRUE(Snapshot(50, &log).ok());
  EXPECT_EQ(log.TakeEntries(), base::Rope(Pack({{3, "b"}})));
}

// The entries after a snapshot have its term at least; after a truncation they
// may have any, for what is before is not looked at.
TEST(RecoveredLog, TermsAfterASnapshotDoNotDecrease) {
  RecoveredLog log(LogState{});
  ASSERT_TRUE(AddEntries(1, {{5, "a"}, {6, "b"}}, &log).ok());
  ASSERT_TRUE(Truncate(2, &log).ok());
  EXPECT_TRUE(AddEntries(2, {{5, "c"}}, &log).ok());
  ASSERT_TRUE(
      log.Apply({.type = RecordType::kSnapshot, .index = 2, .term = 7}).ok());
  EXPECT_EQ(log.first_index(), 3U);
  ASSERT_TRUE(Truncate(3, &log).ok());  // nothing
  EXPECT_EQ(AddEntries(3, {{6, "d"}}, &log),
            absl::DataLossError("the terms of the entries from 3 on decrease"));
  EXPECT_TRUE(AddEntries(3, {{7, "d"}}, &log).ok());
}

TEST(RecoveredLog, RefusesWhatNoLogComesTo) {
  RecoveredLog log(LogState{});
  ASSERT_TRUE(AddEntries(1, {{2, "a"}, {3, "b"}}, &log).ok());
  ASSERT_TRUE(Snapshot(1, &log).ok());
  ASSERT_TRUE(
      log.Apply({.type = RecordType::kVote, .index = 1, .term = 3}).ok());
  const auto expect_refused = [&log](const Record& record,
                                     const std::string& message) {
    EXPECT_EQ(log.Apply(record), absl::DataLossError(message));
  };
  const std::string packed = Pack({{3, "c"}});
  expect_refused({RecordType::kEntries, 4, 3, packed},
                 "entry 4 follows entry 2");
  expect_refused({RecordType::kEntries, 2, 3, packed},
                 "entry 2 follows entry 2");
  const std::string not_whole = "the entries from 3 on are not whole";
  expect_refused({RecordType::kEntries, 3, 4, packed}, not_whole);
  expect_refused({RecordType::kEntries, 3, 0, ""}, not_whole);
  expect_refused({RecordType::kEntries, 3, 3, packed.substr(1)}, not_whole);
  expect_refused({RecordType::kEntries, 3, 3, packed + "more"}, not_whole);
  expect_refused({RecordType::kEntries, 3, 2, Pack({{2, "c"}})},
                 "the terms of the entries from 3 on decrease");
  expect_refused({RecordType::kVote, 0, 2, ""}, "term 2 follows term 3");
  expect_refused({RecordType::kTruncate, 1, 0, ""},
                 "the entries from 1 on are discarded, but the snapshot covers "
                 "entry 1");
  expect_refused({RecordType::kSnapshot, 1, 2, ""},
                 "the snapshot of entry 1 follows that of entry 1");
  expect_refused({RecordType::kSnapshot, kMaxIndex, 2, ""},
                 "the snapshot of entry 4611686018427387904 follows that of "
                 "entry 1");
  expect_refused({static_cast<RecordType>(9), 3, 3, ""},
                 "a record has the unknown type 9");
  EXPECT_TRUE(AddEntries(3, {{3, "c"}}, &log).ok());
}

}  // namespace
}  // namespace persister
