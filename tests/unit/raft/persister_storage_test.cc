// Unit tests of raft/persister_storage.h: whatever changes, what is saved is
// whole, and is the log.

#include "raft/persister_storage.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "persister/async_persister.h"
#include "persister/simulated_disk.h"
#include "persister/slow_disk.h"
#include "raft/log.h"
#include "raft/saved_state.h"
#include "raft/saved_state_reader.h"

namespace raft {
namespace {

// A log, and its storage on a disk.
struct Saved {
  explicit Saved(std::shared_ptr<persister::SimulatedDisk> on =
                     std::make_shared<persister::SimulatedDisk>())
      : disk(std::move(on)),
        storage("S0", disk, [this] { return log.bytes(); }) {}

  void Append(Term term, const std::string& command) {
    const Index index = log.Append(term, command);
    EXPECT_EQ(storage.Append(index, log.Newest(index)), 0u);
  }
  void TruncateFrom(Index index) {
    log.TruncateFrom(index);
    storage.TruncateFrom(index);
  }
  void InstallSnapshot(Index index, Term term, const std::string& snapshot) {
    if (log.Matches(index, term)) {
      log.DiscardUpTo(index);
    } else {
      log.TruncateFrom(index + 1);
      storage.TruncateFrom(index + 1);
      log.DiscardAll(index, term);
    }
    storage.InstallSnapshot(index, term, snapshot);
  }
  void ExpectSaved() const {
    Saved again(disk->Copy());
    const persister::Recovered recovered = again.storage.TakeRecovered();
    EXPECT_EQ(recovered.entries, log.bytes());
    EXPECT_EQ(recovered.last_index, log.LastIndex());
    EXPECT_EQ(recovered.snapshot_index, log.last_included_index());
    EXPECT_EQ(recovered.snapshot_term, log.last_included_term());
  }

  Log log;
  std::shared_ptr<persister::SimulatedDisk> disk;
  PersisterStorage storage;
};

TEST(PersisterStorage, ANewDiskIsEmpty) {
  const persister::Recovered recovered = Saved().storage.TakeRecovered();
  EXPECT_EQ(recovered.term, 0u);
  EXPECT_EQ(recovered.voted_for, kNobody);
  EXPECT_EQ(recovered.last_index, 0u);
  EXPECT_TRUE(recovered.entries.empty());
}

TEST(PersisterStorage, IsDurableAtOnce) {
  Saved saved;
  EXPECT_EQ(saved.storage.SetVote(3, 2), 0u);
  EXPECT_EQ(saved.storage.last(), 0u);
  EXPECT_TRUE(saved.storage.WaitDurable(0));
  EXPECT_TRUE(saved.storage.HasRoom());
  const persister::Recovered recovered =
      Saved(saved.disk->Copy()).storage.TakeRecovered();
  EXPECT_EQ(recovered.term, 3u);
  EXPECT_EQ(recovered.voted_for, 2);
}

// What another takes the place of goes in one save with it.
TEST(PersisterStorage, ATruncationAloneIsNotSaved) {
  Saved saved;
  saved.Append(1, "a");
  saved.Append(1, "b");
  const base::Rope before = saved.disk->ReadRaftState();
  saved.TruncateFrom(2);
  EXPECT_EQ(saved.disk->ReadRaftState(), before);
  saved.Append(2, "c");
  saved.ExpectSaved();
}

TEST(PersisterStorage, ASnapshotAndItsStateGoTogether) {
  Saved saved;
  saved.storage.SetVote(1, 0);
  for (const char* command : {"a", "b", "c"}) saved.Append(1, command);
  base::Rope snapshot("the snapshot");
  saved.storage.PrepareSnapshot(snapshot);
  saved.InstallSnapshot(2, 1, "the snapshot");
  saved.ExpectSaved();
  EXPECT_EQ(saved.disk->ReadSnapshot(), snapshot);
}

// Prepared was one, installed is another.
TEST(PersisterStorage, OnlyThePreparedSnapshotHasItsChecksum) {
  Saved saved;
  for (const char* command : {"a", "b"}) saved.Append(1, command);
  saved.storage.PrepareSnapshot("one that comes to nothing");
  saved.InstallSnapshot(1, 1, "another");
  saved.ExpectSaved();
  saved.storage.PrepareSnapshot("as long");
  saved.storage.InstallSnapshot(1, 1, "another");
  saved.ExpectSaved();
  const base::Rope shared("shared");
  base::Rope longer = shared;
  longer.Append(" and more");
  saved.storage.PrepareSnapshot(longer);
  saved.storage.InstallSnapshot(1, 1, shared);
  saved.ExpectSaved();
  saved.storage.PrepareSnapshot(shared);
  saved.log.DiscardUpTo(2);
  saved.storage.InstallSnapshot(2, 1, shared);
  saved.ExpectSaved();
  saved.storage.InstallSnapshot(2, 1, "");  // prepared was one only
  saved.ExpectSaved();
}

// Random changes. The log grows to more than lies between two marks of its
// checksum (raft/checksum.h).
TEST(PersisterStorage, IsWholeWhateverChanges) {
  base::Random random(7);
  for (int run = 0; run < 8; ++run) {
    Saved saved;
    for (int step = 0; step < 300; ++step) {
      const Index first = saved.log.FirstIndex();
      const Index last = saved.log.LastIndex();
      const Index few = random.Below(std::min<Index>(last - first + 2, 12));
      const Term term = saved.log.LastTerm() + random.Below(2) + (last == 0);
      switch (random.Below(20)) {
        case 0:
          saved.TruncateFrom(last + 1 - few);
          break;
        case 1:
          if (few == 0) break;
          saved.InstallSnapshot(first - 1 + few,
                                saved.log.TermAt(first - 1 + few), "snapshot");
          break;
        case 2:  // from a leader of another log
          saved.InstallSnapshot(first + few, term + 1, "snapshot");
          break;
        default:
          break;
      }
      saved.Append(std::max(term, saved.log.LastTerm()),
                   std::string(random.Below(3'000), 'a'));
      if (step % 10 == 0) saved.ExpectSaved();
    }
    saved.ExpectSaved();
  }
}

// The first entry alone is longer than marks are from each other; what is
// discarded ends after the mark that follows it.
TEST(PersisterStorage, DiscardsMarksOfItsChecksumToo) {
  Saved saved;
  for (const size_t bytes : {70'000, 10'000, 10'000, 10}) {
    saved.Append(1, std::string(bytes, 'x'));
  }
  saved.InstallSnapshot(2, 1, "snapshot");
  saved.TruncateFrom(4);
  saved.Append(1, "y");
  saved.ExpectSaved();
}

// What a snapshot discards is read from the disk, which may have ended before.
TEST(PersisterStorage, TakesASnapshotOnADiskThatHasEnded) {
  const auto disk = std::make_shared<persister::SlowDisk>(
      std::make_shared<persister::SimulatedDisk>(), base::Random(1));
  Log log;
  PersisterStorage storage("S0", disk, [&log] { return log.bytes(); });
  const auto append = [&](const std::string& command) {
    const Index index = log.Append(1, command);
    storage.Append(index, log.Newest(index));
  };
  append("first");
  disk->Crash();
  append(std::string(100, 'x'));
  append(std::string(200, 'x'));

  log.DiscardUpTo(2);
  storage.InstallSnapshot(2, 1, "snapshot");
  const absl::StatusOr<SavedState> saved =
      SavedStateReader().Read(disk->ReadRaftState());
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_EQ(saved->last_included_index, 2u);
  EXPECT_EQ(saved->entries.size(), 1u);
}

// Says what it was asked.
class AskedPersister : public persister::AsyncPersister {
 public:
  void Save(base::Rope, base::Rope) override { ADD_FAILURE(); }
  void SaveRaftState(base::Rope) override { ADD_FAILURE(); }
  base::Rope ReadRaftState() const override { return {}; }
  base::Rope ReadSnapshot() const override { return {}; }
  Ticket SaveLater(base::Rope, std::optional<base::Rope> snapshot) override {
    asked.push_back(snapshot.has_value() ? "save both" : "save");
    return 7;
  }
  Ticket last() const override { return 7; }
  bool WaitDurable(Ticket ticket) override {
    asked.push_back(absl::StrCat("wait ", ticket));
    return ticket == 7;
  }
  void OnDurable(std::function<void(Ticket)> function) override { function(5); }
  void Close() override { asked.push_back("close"); }

  std::vector<std::string> asked;
};

TEST(PersisterStorage, WhatIsDurableIsForThePersisterToSay) {
  const auto disk = std::make_shared<AskedPersister>();
  PersisterStorage storage("S0", disk, [] { return base::Rope(); });
  persister::Storage::Ticket told = 0;
  storage.OnDurable(
      [&told](persister::Storage::Ticket ticket) { told = ticket; });
  EXPECT_EQ(told, 5u);
  EXPECT_EQ(storage.SetVote(1, 0), 7u);
  EXPECT_EQ(storage.InstallSnapshot(1, 1, "snapshot"), 7u);
  EXPECT_EQ(storage.last(), 7u);
  EXPECT_TRUE(storage.WaitDurable(7));
  EXPECT_FALSE(storage.WaitDurable(8));
  storage.Close();
  EXPECT_EQ(disk->asked,
            (std::vector<std::string>{"save", "save both", "wait 7", "wait 8",
                                      "close"}));
}

TEST(PersisterStorageDeathTest, WaitingWithALockHeldDies) {
  Saved saved;
  base::Mutex mu;
  EXPECT_DEATH(
      {
        base::MutexLock lock(&mu);
        saved.storage.WaitDurable(0);
      },
      "WaitDurable.. is called while this thread holds");
}

TEST(PersisterStorageDeathTest, EntriesFollowEachOther) {
  Saved saved;
  saved.log.Append(1, "a");
  EXPECT_DEATH(saved.storage.Append(2, saved.log.Newest(1)),
               "entries follow each other");
}

}  // namespace
}  // namespace raft
