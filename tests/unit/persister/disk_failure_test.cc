// Any call of the disk may fail: what called it says so, and goes no further.

#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "persister/files/directory.h"
#include "persister/files/dump.h"
#include "persister/files/file_storage.h"
#include "persister/files/simulated_files.h"
#include "tests/storage/model.h"

namespace persister {
namespace {

using Disk = std::unique_ptr<SimulatedFiles>;

constexpr char kDirectory[] = "/data";
constexpr int kMostCalls = 1000;

absl::StatusOr<std::unique_ptr<FileStorage>> Open(SimulatedFiles* disk) {
  return FileStorage::Open(
      disk, kDirectory,
      {.wal = {.identity = {.cluster = 7, .server = 3}, .segment_bytes = 4096},
       .on_failure = [](const absl::Status&) {}});
}

void Put(SimulatedFiles* disk, const std::string& path, uint64_t offset,
         const std::string& bytes) {
  const auto file = disk->Contains(path) ? disk->Open(path, Files::Mode::kWrite)
                                         : disk->Create(path);
  CHECK(file.ok() && (*file)->Write(offset, bytes).ok());
}

// All that a crash may leave: several segments, a snapshot and an older one, a
// torn batch, and files that were not finished.
Disk UsedDisk() {
  Disk disk = std::make_unique<SimulatedFiles>();
  {
    const auto storage = Open(disk.get());
    CHECK(storage.ok());
    for (uint64_t index = 1; index <= 8; ++index) {
      (*storage)->WaitDurable((*storage)->Append(
          index, storage_test::Pack({{1, std::string(1000, 'x')}})));
    }
    (*storage)->InstallSnapshot(1, 1, "snapshot");
  }
  Put(disk.get(), SnapshotPath(kDirectory, 1, 0), 0, "older");
  Put(disk.get(), SegmentPath(kDirectory, 9) + kTemporary, 0, "");
  uint64_t last = 1;
  while (disk->Contains(SegmentPath(kDirectory, last + 2))) ++last;
  Put(disk.get(), SegmentPath(kDirectory, last), 3100, "torn");
  return disk;
}

// A new one that stopped before it had an ID.
Disk BegunDisk() {
  Disk disk = std::make_unique<SimulatedFiles>();
  CHECK(Open(disk.get()).ok());
  CHECK(disk->Remove(IdentityPath(kDirectory)).ok());
  return disk;
}

Disk CopyOf(const SimulatedFiles& disk) {
  return disk.Crash([](size_t) { return true; });
}

// Calls use(disk) on copies of the disk, of whose calls one fails: the first,
// the second, and so on, until there are no more. Returns how many there are.
template <typename Use>
int FailEachCall(const SimulatedFiles& original, const Use& use) {
  for (int failing = 0; failing < kMostCalls; ++failing) {
    const Disk disk = CopyOf(original);
    int calls = 0;
    const auto caller = std::this_thread::get_id();  // not the flusher
    const absl::Status failure =
        absl::UnavailableError(absl::StrCat("call ", failing));
    disk->SetHook([&](const FileOperation&) {
      if (std::this_thread::get_id() != caller) return absl::OkStatus();
      return calls++ == failing ? failure : absl::OkStatus();
    });
    const absl::Status status = use(disk.get());
    if (calls <= failing) {
      EXPECT_TRUE(status.ok()) << status;
      return failing;
    }
    EXPECT_EQ(status, failure);
  }
  return kMostCalls;
}

TEST(DiskFailure, OpeningSaysWhichCallFailed) {
  const auto open = [](SimulatedFiles* disk) { return Open(disk).status(); };
  EXPECT_GT(FailEachCall(*UsedDisk(), open), 30);
  EXPECT_GT(FailEachCall(SimulatedFiles(), open), 15);
  EXPECT_GT(FailEachCall(*BegunDisk(), open), 15);
}

TEST(DiskFailure, ADumpSaysWhichCallFailed) {
  const auto dump = [](SimulatedFiles* disk) {
    std::ostringstream out;
    return Dump(disk, kDirectory, out);
  };
  EXPECT_GT(FailEachCall(*UsedDisk(), dump), 10);
}

TEST(DiskFailure, WhatACrashLeftIsRemovedAndNothingElse) {
  const Disk disk = UsedDisk();
  Put(disk.get(), WalDirectory(kDirectory) + "/notes.txt", 0, "");
  ASSERT_TRUE(Open(disk.get()).ok());
  EXPECT_EQ(*disk->List(SnapshotDirectory(kDirectory)),
            std::vector<std::string>{"000000000001-1.snap"});
  EXPECT_FALSE(disk->Contains(SegmentPath(kDirectory, 9) + kTemporary));
  EXPECT_TRUE(disk->Contains(WalDirectory(kDirectory) + "/notes.txt"));
  EXPECT_TRUE(disk->Contains(SegmentPath(kDirectory, 1)));
}

// What is removed makes room for the copy of what is cut.
TEST(DiskFailure, AFullDiskIsOpened) {
  const Disk disk = UsedDisk();
  Put(disk.get(), SnapshotPath(kDirectory, 1, 0), 0, std::string(4096, 'o'));
  uint64_t used = 0;
  for (const std::string& folder :
       {std::string(kDirectory), WalDirectory(kDirectory),
        SnapshotDirectory(kDirectory)}) {
    const auto names = disk->List(folder);
    ASSERT_TRUE(names.ok());
    for (const std::string& name : *names) {
      const auto file =
          disk->Open(absl::StrCat(folder, "/", name), Files::Mode::kRead);
      used += (*file)->Size().value();
    }
  }
  disk->SetCapacity(used);
  const absl::Status status = Open(disk.get()).status();
  EXPECT_TRUE(status.ok()) << status;
}

// What is cut is durable before the next batch is written: otherwise bytes of
// both would be found.
TEST(DiskFailure, ACutIsFlushed) {
  const Disk disk = CopyOf(*UsedDisk());
  bool is_cut = false;
  int flushes_after = 0;
  disk->SetHook([&](const FileOperation& operation) {
    if (operation.kind == FileOperation::Kind::kWrite &&
        operation.path == SegmentPath(kDirectory, 3) &&
        AllZero(operation.bytes)) {
      is_cut = true;
    }
    if (is_cut && operation.kind == FileOperation::Kind::kFlush &&
        operation.path == SegmentPath(kDirectory, 3)) {
      ++flushes_after;
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(Open(disk.get()).ok());
  EXPECT_TRUE(is_cut);
  EXPECT_EQ(flushes_after, 1);
}

}  // namespace
}  // namespace persister
