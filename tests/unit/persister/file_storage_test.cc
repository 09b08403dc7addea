// Unit tests of persister/files/file_storage.h.

#include "persister/files/file_storage.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "gtest/gtest.h"
#include "persister/files/directory.h"
#include "persister/files/format.h"
#include "persister/files/simulated_files.h"
#include "tests/storage/model.h"

namespace persister {
namespace {

using base::MutexLock;
using storage_test::Model;
using storage_test::ModelOf;
using storage_test::Pack;
using Kind = FileOperation::Kind;

constexpr char kDirectory[] = "/data";
constexpr uint64_t kSegmentBytes = 4096;

// Lets the flusher come to its flushes, and go on, one by one.
class Gate {
 public:
  void Pass() {
    MutexLock lock(&mu_);
    waits_ = closed_;
    changed_.SignalAll();
    while (closed_) changed_.Wait(&mu_);
    waits_ = false;
  }
  void AwaitFlusher() {
    MutexLock lock(&mu_);
    while (!waits_) changed_.Wait(&mu_);
  }
  void Set(bool closed) {
    MutexLock lock(&mu_);
    closed_ = closed;
    changed_.SignalAll();
  }

 private:
  base::Mutex mu_;
  base::CondVar changed_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  bool waits_ ABSL_GUARDED_BY(mu_) = false;  // the flusher, for it
};

class FileStorageTest : public testing::Test {
 protected:
  FileStorageTest() { Open(); }

  void Open() {
    storage_.reset();
    auto storage =
        FileStorage::Open(&disk_, kDirectory,
                          {.wal = {.identity = {.cluster = 1, .server = 1},
                                   .segment_bytes = kSegmentBytes},
                           .on_failure = [this](const absl::Status& status) {
                             MutexLock lock(&mu_);
                             failure_ = status;
                           }});
    CHECK(storage.ok()) << storage.status();
    storage_ = *std::move(storage);
  }
  Model Reopen() {
    Open();
    return ModelOf(storage_->TakeRecovered());
  }
  absl::Status failure() {
    MutexLock lock(&mu_);
    return failure_;
  }
  // Appends entries until the disk has no more room; returns the next index.
  uint64_t FillDisk() {
    EXPECT_TRUE(storage_->WaitDurable(storage_->SetVote(1, 0)));
    storage_->Close();
    Open();
    disk_.SetCapacity(2 * kSegmentBytes + 1024);
    uint64_t index = 1;
    while (storage_->HasRoom() && index < 100) {
      EXPECT_TRUE(storage_->WaitDurable(
          storage_->Append(index++, Pack({{1, std::string(500, 'x')}}))));
    }
    return index;
  }
  int CountFlushes() const {
    int count = 0;
    for (const FileOperation& operation : disk_.operations()) {
      if (operation.kind == Kind::kFlush) ++count;
    }
    return count;
  }

  SimulatedFiles disk_;
  base::Mutex mu_;
  absl::Status failure_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<FileStorage> storage_;
};

TEST_F(FileStorageTest, ANewOneIsEmpty) {
  EXPECT_EQ(ModelOf(storage_->TakeRecovered()), Model{});
  EXPECT_EQ(Reopen(), Model{});
  EXPECT_TRUE(storage_->HasRoom());
  EXPECT_EQ(storage_->last(), 0U);
  EXPECT_TRUE(storage_->WaitDurable(0));
}

// Its parent too, for a new directory is durable itself.
TEST_F(FileStorageTest, ASlashAtTheEndOfTheNameIsNothing) {
  SimulatedFiles disk;
  ASSERT_TRUE(FileStorage::Open(
                  &disk, "/data//",
                  {.wal = {.identity = {}, .segment_bytes = kSegmentBytes}})
                  .ok());
  EXPECT_TRUE(std::ranges::any_of(
      disk.operations(), [](const FileOperation& operation) {
        return operation.kind == Kind::kFlushDirectory && operation.path == "/";
      }));
  EXPECT_TRUE(disk.Contains("/data/ID"));
}

TEST_F(FileStorageTest, TheRootIsADirectoryToo) {
  SimulatedFiles disk;
  ASSERT_TRUE(FileStorage::Open(
                  &disk, "/", {.wal = {.identity = {}, .segment_bytes = 4096}})
                  .ok());
  EXPECT_TRUE(disk.Contains("/"));
}

TEST_F(FileStorageTest, WhatIsDurableIsThereAgain) {
  storage_->SetVote(3, 2);
  storage_->Append(1, Pack({{1, "a"}, {3, ""}, {3, "c"}}));
  storage_->TruncateFrom(3);
  storage_->Append(3, Pack({{3, "d"}, {3, "e"}}));
  EXPECT_TRUE(
      storage_->WaitDurable(storage_->InstallSnapshot(1, 1, "the snapshot")));
  EXPECT_EQ(Reopen(), (Model{.term = 3,
                             .voted_for = 2,
                             .snapshot_index = 1,
                             .snapshot_term = 1,
                             .snapshot = "the snapshot",
                             .entries = {{3, ""}, {3, "d"}, {3, "e"}}}));
  EXPECT_EQ(ModelOf(storage_->TakeRecovered()), Model{});  // it was taken
}

// What was durable before is not touched.
TEST_F(FileStorageTest, TheLastBatchAloneIsWrittenAgain) {
  for (const uint64_t term : {1, 2}) {
    EXPECT_TRUE(storage_->WaitDurable(storage_->SetVote(term, 0)));
  }
  storage_->Close();
  const size_t before = disk_.operations().size();
  Open();
  std::vector<FileOperation> operations = disk_.operations();
  operations.erase(operations.begin(),
                   operations.begin() + static_cast<ptrdiff_t>(before));
  std::erase_if(operations, [](const FileOperation& operation) {
    return operation.kind != Kind::kWrite;
  });
  ASSERT_EQ(operations.size(), 1U);
  const size_t batch_bytes = sizeof(BatchHeader) + sizeof(RecordHeader);
  EXPECT_EQ(operations[0].offset, kFirstBatchOffset + batch_bytes);
  EXPECT_EQ(operations[0].bytes.size(), batch_bytes);
}

TEST_F(FileStorageTest, ASnapshotOfMoreThanTheLogReplacesIt) {
  storage_->Append(1, Pack({{1, "a"}}));
  storage_->InstallSnapshot(9, 1, "nine");
  storage_->Append(10, Pack({{2, "b"}}));
  const Model model = Reopen();
  EXPECT_EQ(model.snapshot_index, 9U);
  EXPECT_EQ(model.entries, (std::vector<storage_test::Entry>{{2, "b"}}));
}

TEST_F(FileStorageTest, TruncatingBeyondTheEndIsNoChange) {
  const Storage::Ticket ticket = storage_->Append(1, Pack({{1, "a"}}));
  EXPECT_EQ(storage_->TruncateFrom(2), ticket);
}

TEST_F(FileStorageTest, TakesWhatComesTogetherWithOneFlush) {
  Gate gate;
  disk_.SetHook([&gate](const FileOperation& operation) {
    if (operation.kind == Kind::kFlush) gate.Pass();
    return absl::OkStatus();
  });
  storage_->WaitDurable(storage_->SetVote(1, 0));
  // Before it takes this one, the flusher makes the next segment.
  storage_->WaitDurable(storage_->SetVote(2, 0));
  gate.Set(true);
  storage_->SetVote(3, 0);
  gate.AwaitFlusher();  // with this one; all else comes together
  for (uint64_t index = 1; index <= 100; ++index) {
    storage_->Append(index, Pack({{3, "x"}}));
  }
  const int before = CountFlushes();
  gate.Set(false);
  EXPECT_TRUE(storage_->WaitDurable(storage_->last()));
  storage_->Close();
  // One each for the two batches, and for the segment that the second one needs
  // and the one after that.
  EXPECT_LE(CountFlushes() - before, 4);
}

TEST_F(FileStorageTest, TellsWhatIsDurableInOrderWithNoLockHeld) {
  std::vector<Storage::Ticket> told;
  storage_->OnDurable([&](Storage::Ticket ticket) {
    base::Mutex::AssertNoneHeld("OnDurable's function");
    EXPECT_TRUE(storage_->WaitDurable(ticket));
    told.push_back(ticket);
  });
  for (uint64_t index = 1; index <= 10; ++index) {
    storage_->Append(index, Pack({{1, "x"}}));
  }
  storage_->Close();
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back(), storage_->last());
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
}

TEST_F(FileStorageTest, NothingWaitsForTheDiskButWaitDurable) {
  Gate gate;
  gate.Set(true);
  disk_.SetHook([&gate](const FileOperation&) {
    gate.Pass();
    return absl::OkStatus();
  });
  storage_->SetVote(1, 0);
  const Storage::Ticket ticket = storage_->Append(1, Pack({{1, "x"}}));
  storage_->InstallSnapshot(1, 1, "s");
  EXPECT_GT(storage_->last(), ticket);
  std::atomic<bool> durable{false};
  std::thread waiter([&] { durable = storage_->WaitDurable(ticket); });
  EXPECT_FALSE(durable);
  gate.Set(false);
  waiter.join();
  EXPECT_TRUE(durable);
  storage_->Close();  // whose thread comes to the gate once more
}

TEST_F(FileStorageTest, ManyThreadsMakeChangesAndWait) {
  std::vector<std::thread> threads;
  base::Mutex mu;
  uint64_t next = 1;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        Storage::Ticket ticket = 0;
        {
          MutexLock lock(&mu);
          ticket = storage_->Append(next++, Pack({{1, "entry"}}));
        }
        EXPECT_TRUE(storage_->WaitDurable(ticket));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Reopen().entries.size(), 200U);
}

TEST_F(FileStorageTest, CloseMakesAllDurableAndLaterChangesNothing) {
  storage_->SetVote(1, 0);
  const Storage::Ticket ticket = storage_->Append(1, Pack({{1, "a"}}));
  storage_->Close();
  storage_->Close();
  EXPECT_TRUE(storage_->WaitDurable(ticket));
  const Storage::Ticket late = storage_->SetVote(2, 0);
  EXPECT_GT(late, ticket);
  EXPECT_FALSE(storage_->WaitDurable(late));
  const Model model = Reopen();
  EXPECT_EQ(model.term, 1U);
  EXPECT_EQ(model.entries.size(), 1U);
}

// Also for a change that was never made.
TEST_F(FileStorageTest, CloseEndsWhatWaits) {
  std::thread waiter([this] { EXPECT_FALSE(storage_->WaitDurable(99)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // it waits
  storage_->Close();
  waiter.join();
}

TEST_F(FileStorageTest, ASecondCloseWaitsForTheFirst) {
  Gate gate;
  disk_.SetHook([&gate](const FileOperation& operation) {
    if (operation.kind == Kind::kFlush) gate.Pass();
    return absl::OkStatus();
  });
  gate.Set(true);
  storage_->SetVote(1, 0);
  gate.AwaitFlusher();
  std::atomic<int> returned{0};
  std::vector<std::thread> closers;
  for (int i = 0; i < 2; ++i) {
    closers.emplace_back([&] {
      storage_->Close();
      ++returned;
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(returned, 0);
  gate.Set(false);
  for (std::thread& closer : closers) closer.join();
  EXPECT_EQ(Reopen().term, 1U);
}

TEST_F(FileStorageTest, CloseGivesUpTheDirectory) {
  storage_->SetVote(1, 0);
  storage_->Close();
  const auto again = FileStorage::Open(
      &disk_, kDirectory, {.wal = {.identity = {.cluster = 1, .server = 1}}});
  EXPECT_TRUE(again.ok()) << again.status();
}

// The kernel forgets what it could not write: a second flush would succeed.
TEST_F(FileStorageTest, AFlushThatFailsIsNeverTriedAgain) {
  const Storage::Ticket durable = storage_->SetVote(1, 0);
  EXPECT_TRUE(storage_->WaitDurable(durable));
  storage_->Close();
  Open();
  std::atomic<int> flushes{0};
  disk_.SetHook([&flushes](const FileOperation& operation) {
    if (operation.kind != Kind::kFlush) return absl::OkStatus();
    ++flushes;
    return absl::UnavailableError("fdatasync: Input/output error");
  });
  EXPECT_FALSE(storage_->WaitDurable(storage_->SetVote(2, 0)));
  EXPECT_FALSE(storage_->WaitDurable(storage_->SetVote(3, 0)));
  storage_->Close();
  EXPECT_EQ(flushes, 1);
  EXPECT_EQ(ExitStatusOf(failure()), kExitDiskFailed);
  disk_.SetHook(nullptr);
}

// The function may wait for those that wait for the disk.
TEST_F(FileStorageTest, AFailureEndsWhatWaitsBeforeItIsTold) {
  disk_.SetHook([](const FileOperation& operation) {
    return operation.kind == Kind::kWrite ? absl::UnavailableError("write")
                                          : absl::OkStatus();
  });
  std::thread waiter;
  storage_.reset();
  auto storage = FileStorage::Open(
      &disk_, kDirectory,
      {.wal = {.identity = {.cluster = 1, .server = 1},
               .segment_bytes = kSegmentBytes},
       .on_failure = [&](const absl::Status&) { waiter.join(); }});
  ASSERT_TRUE(storage.ok());
  waiter = std::thread([&] { EXPECT_FALSE((*storage)->WaitDurable(99)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // it waits
  EXPECT_FALSE((*storage)->WaitDurable((*storage)->SetVote(1, 0)));
  (*storage)->Close();
  disk_.SetHook(nullptr);
}

TEST_F(FileStorageTest, ANextSegmentThatCannotBeMadeIsAFailure) {
  for (const Kind kind : {Kind::kCreate, Kind::kOpen}) {
    const absl::Status error =
        absl::UnavailableError(kind == Kind::kCreate ? "create" : "open");
    storage_.reset();
    const auto names = disk_.List(WalDirectory(kDirectory));
    const std::string next = SegmentPath(kDirectory, names->size() + 1);
    disk_.SetHook([=](const FileOperation& operation) {
      return operation.kind == kind && operation.path.starts_with(next)
                 ? error
                 : absl::OkStatus();
    });
    Open();
    uint64_t index = storage_->TakeRecovered().last_index;
    int durable = 0;
    for (int i = 0; i < 8; ++i) {  // more than two segments hold
      if (storage_->WaitDurable(
              storage_->Append(++index, Pack({{1, std::string(1000, 'x')}})))) {
        ++durable;
      }
    }
    storage_->Close();
    EXPECT_EQ(failure(), error);
    // When the first segment is in use, and after the restart at once.
    EXPECT_EQ(durable, kind == Kind::kCreate ? 1 : 0);
    disk_.SetHook(nullptr);
  }
}

TEST_F(FileStorageTest, WhatIsNeedlessAndCannotBeRemovedIsAFailure) {
  const absl::Status error = absl::UnavailableError("remove");
  storage_.reset();
  disk_.SetHook([error](const FileOperation& operation) {
    return operation.kind == Kind::kRemove ? error : absl::OkStatus();
  });
  Open();
  for (uint64_t index = 1; index <= 4; ++index) {
    storage_->WaitDurable(
        storage_->Append(index, Pack({{1, std::string(1000, 'x')}})));
  }
  storage_->InstallSnapshot(4, 1, "snapshot");
  storage_->Close();
  EXPECT_EQ(failure(), error);
  disk_.SetHook(nullptr);
}

// Some file systems need room for bytes that have some reserved.
TEST_F(FileStorageTest, AWriteThatHasNoRoomIsAFailure) {
  EXPECT_TRUE(storage_->WaitDurable(storage_->SetVote(1, 0)));
  storage_->Close();
  Open();
  disk_.SetHook([](const FileOperation& operation) {
    return operation.kind == Kind::kWrite
               ? absl::ResourceExhaustedError("write: No space left on device")
               : absl::OkStatus();
  });
  EXPECT_FALSE(storage_->WaitDurable(storage_->SetVote(2, 0)));
  storage_->Close();
  EXPECT_TRUE(absl::IsResourceExhausted(failure()));
  disk_.SetHook(nullptr);
  EXPECT_EQ(Reopen().term, 1U);
}

TEST_F(FileStorageTest, OldSegmentsAndSnapshotsGo) {
  for (uint64_t index = 1; index <= 40; ++index) {
    storage_->WaitDurable(
        storage_->Append(index, Pack({{1, std::string(1000, 'x')}})));
    if (index % 8 == 0) storage_->InstallSnapshot(index - 2, 1, "snapshot");
  }
  storage_->Close();
  EXPECT_EQ(disk_.List(SnapshotDirectory(kDirectory))->size(), 1U);
  // The last two entries, the current segment, and the one made ahead.
  EXPECT_LE(disk_.List(WalDirectory(kDirectory))->size(), 4U);
  EXPECT_EQ(Reopen().last_index(), 40U);
}

// Segments of three entries: the first goes when the snapshot covers all three.
TEST_F(FileStorageTest, WhatASnapshotMakesNeedlessGoesAndNoMore) {
  uint64_t next = 1;
  const auto append = [&] {
    EXPECT_TRUE(storage_->WaitDurable(
        storage_->Append(next++, Pack({{1, std::string(1000, 'x')}}))));
  };
  while (next <= 7) append();
  const auto take_snapshot = [&](uint64_t index) {
    storage_->InstallSnapshot(index, 1, "snapshot");
    append();  // when this is durable, what is needless is gone
  };
  take_snapshot(1);
  take_snapshot(2);
  EXPECT_FALSE(disk_.Contains(SnapshotPath(kDirectory, 1, 1)));
  EXPECT_TRUE(disk_.Contains(SnapshotPath(kDirectory, 2, 1)));
  EXPECT_TRUE(disk_.Contains(SegmentPath(kDirectory, 1)));
  take_snapshot(3);
  EXPECT_FALSE(disk_.Contains(SegmentPath(kDirectory, 1)));
  EXPECT_TRUE(disk_.Contains(SegmentPath(kDirectory, 2)));
  EXPECT_EQ(Reopen().last_index(), 10U);
}

TEST_F(FileStorageTest, ASegmentIsContinuedAfterARestart) {
  for (int time = 0; time < 5; ++time) {
    EXPECT_TRUE(storage_->WaitDurable(storage_->SetVote(time, 0)));
    Open();
  }
  EXPECT_TRUE(disk_.Contains(SegmentPath(kDirectory, 2)));  // made ahead
  EXPECT_FALSE(disk_.Contains(SegmentPath(kDirectory, 3)));
}

// Batches of 56 and 3,528 bytes.
TEST_F(FileStorageTest, BatchesMayFillASegment) {
  EXPECT_TRUE(storage_->WaitDurable(storage_->SetVote(1, 0)));
  EXPECT_TRUE(storage_->WaitDurable(
      storage_->Append(1, Pack({{1, std::string(3460, 'x')}}))));
  storage_->Close();
  EXPECT_TRUE(disk_.Contains(SegmentPath(kDirectory, 2)));
  EXPECT_FALSE(disk_.Contains(SegmentPath(kDirectory, 3)));
  EXPECT_EQ(Reopen().last_index(), 1U);
  EXPECT_TRUE(storage_->WaitDurable(storage_->SetVote(2, 0)));
  storage_->Close();
  EXPECT_TRUE(disk_.Contains(SegmentPath(kDirectory, 3)));
}

TEST_F(FileStorageTest, ASnapshotMayHaveMegabytes) {
  base::Rope snapshot;
  for (const char letter : {'a', 'b', 'c'}) {
    snapshot.Append(std::string(1'500'000, letter));
  }
  storage_->InstallSnapshot(5, 1, snapshot);
  EXPECT_EQ(Reopen().snapshot, snapshot.ToString());
}

// A batch that has become large is not added to.
TEST_F(FileStorageTest, ABatchHasMegabytesAtTheMost) {
  Gate gate;
  disk_.SetHook([&gate](const FileOperation& operation) {
    if (operation.kind == Kind::kFlush) gate.Pass();
    return absl::OkStatus();
  });
  storage_->WaitDurable(storage_->SetVote(1, 0));
  gate.Set(true);
  for (uint64_t index = 1; index <= 12; ++index) {
    storage_->Append(index, Pack({{1, std::string(1 << 20, 'x')}}));
  }
  gate.Set(false);
  storage_->Close();
  size_t largest = 0;
  for (const FileOperation& operation : disk_.operations()) {
    largest = std::max(largest, operation.bytes.size());
  }
  EXPECT_GT(largest, size_t{3} << 20);
  EXPECT_LT(largest, size_t{6} << 20);
  EXPECT_EQ(Reopen().last_index(), 12U);
}

TEST_F(FileStorageTest, ClosingWithALockHeldDies) {
  base::Mutex mu;
  EXPECT_DEATH(
      {
        MutexLock lock(&mu);
        storage_->Close();
      },
      "Close.. is called while this thread holds");
}

TEST_F(FileStorageTest, ARecordMayBeLargerThanASegment) {
  const std::string large(3 * kSegmentBytes, 'y');
  storage_->Append(1, Pack({{1, "a"}}));
  storage_->WaitDurable(storage_->Append(2, Pack({{1, large}})));
  storage_->WaitDurable(storage_->Append(3, Pack({{1, "c"}})));
  const Model model = Reopen();
  ASSERT_EQ(model.entries.size(), 3U);
  EXPECT_EQ(model.entries[1].bytes, large);
}

// Votes have room still, and when there is some again, entries have.
TEST_F(FileStorageTest, AFullDiskRefusesCommandsUntilThereIsRoom) {
  uint64_t index = FillDisk();
  EXPECT_LT(index, 20U);
  EXPECT_TRUE(storage_->WaitDurable(storage_->SetVote(2, 0)));
  EXPECT_TRUE(failure().ok());

  // It looks once a second whether there is room.
  const size_t changes = disk_.operations().size();
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  const size_t more = disk_.operations().size() - changes;
  EXPECT_GT(more, 0U);
  EXPECT_LT(more, 10U);
  disk_.SetCapacity(100 * kSegmentBytes);
  while (!storage_->HasRoom()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(storage_->WaitDurable(storage_->Append(index, Pack({{2, "x"}}))));
}

TEST_F(FileStorageTest, WhatHadNoRoomTakesNone) {
  FillDisk();
  storage_->Close();
  const auto names = disk_.List(WalDirectory(kDirectory));
  EXPECT_EQ(names->size(), 2U);
  for (const std::string& name : *names) {
    EXPECT_FALSE(name.ends_with(kTemporary)) << name;
  }
}

TEST_F(FileStorageTest, ChangesThatAreNoneOfARaftsDie) {
  storage_->SetVote(5, 0);
  storage_->Append(1, Pack({{1, "a"}, {2, "b"}}));
  storage_->InstallSnapshot(1, 1, "s");
  EXPECT_DEATH(storage_->SetVote(4, 0), "terms never decrease");
  EXPECT_DEATH(storage_->Append(4, Pack({{2, "x"}})), "follow each other");
  EXPECT_DEATH(storage_->Append(3, "short"), "not well packed");
  EXPECT_DEATH(storage_->Append(3, ""), "not well packed");
  EXPECT_DEATH(storage_->TruncateFrom(1), "covers this entry");
  EXPECT_DEATH(storage_->InstallSnapshot(1, 1, ""), "later snapshot");
}

TEST_F(FileStorageTest, WaitingWithALockHeldDies) {
  base::Mutex mu;
  EXPECT_DEATH(
      {
        MutexLock lock(&mu);
        storage_->WaitDurable(0);
      },
      "WaitDurable.. is called while this thread holds");
}

}  // namespace
}  // namespace persister
