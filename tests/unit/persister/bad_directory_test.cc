// Directories that FileStorage refuses: each with one line, its exit status,
// and nothing changed on the disk. And those that it repairs.

#include <cstdint>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "persister/files/directory.h"
#include "persister/files/dump.h"
#include "persister/files/file_storage.h"
#include "persister/files/simulated_files.h"
#include "tests/storage/model.h"

namespace persister {
namespace {

using storage_test::Pack;

constexpr char kDirectory[] = "/data";
constexpr Identity kIdentity = {.cluster = 7, .server = 3};

absl::StatusOr<std::unique_ptr<FileStorage>> Open(
    SimulatedFiles* disk, const Identity& identity = kIdentity) {
  return FileStorage::Open(
      disk, kDirectory, {.wal = {.identity = identity, .segment_bytes = 4096}});
}

// A storage with entries 1 to 20 of 1,000 bytes, in several segments; one flush
// each.
class BadDirectory : public testing::Test {
 protected:
  BadDirectory() {
    auto storage = Open(&disk_);
    CHECK(storage.ok());
    CHECK((*storage)->WaitDurable((*storage)->SetVote(5, 1)));
    for (uint64_t index = 1; index <= 20; ++index) Append(index, &**storage);
    (*storage)->Close();
  }

  static void Append(uint64_t index, Storage* storage) {
    const std::string packed = Pack({{5, std::string(1000, 'x')}});
    CHECK(storage->WaitDurable(storage->Append(index, packed)));
  }
  void TakeSnapshot(uint64_t index) {
    auto storage = Open(&disk_);
    CHECK(storage.ok());
    (*storage)->InstallSnapshot(index, 5, "snapshot");
    (*storage)->Close();
  }
  void Write(const std::string& path, uint64_t offset,
             const std::string& bytes) {
    const auto file = disk_.Open(path, Files::Mode::kWrite);
    CHECK(file.ok()) << file.status();
    CHECK((*file)->Write(offset, bytes).ok());
    CHECK((*file)->Flush().ok());
  }

  // Opening fails with that exit status and these texts in one line, changes
  // nothing, and so does Dump().
  void ExpectRefused(ExitStatus exit_status,
                     const std::vector<std::string>& texts,
                     const Identity& identity = kIdentity) {
    const size_t changes = disk_.operations().size();
    const auto storage = Open(&disk_, identity);
    ASSERT_FALSE(storage.ok());
    const std::string line(storage.status().message());
    EXPECT_EQ(ExitStatusOf(storage.status()), exit_status) << line;
    for (const std::string& text : texts) {
      EXPECT_TRUE(absl::StrContains(line, text)) << line;
    }
    EXPECT_FALSE(absl::StrContains(line, "\n"));
    if (identity == kIdentity) {
      std::ostringstream out;
      EXPECT_EQ(ExitStatusOf(Dump(&disk_, kDirectory, out)), exit_status);
    }
    EXPECT_EQ(disk_.operations().size(), changes);
  }

  SimulatedFiles disk_;
  const std::string first_ = SegmentPath(kDirectory, 1);
  const std::string second_ = SegmentPath(kDirectory, 2);
};

TEST_F(BadDirectory, AForeignIdentity) {
  ExpectRefused(
      kExitUnusable,
      {"/data is of cluster 7, server 3", "not of cluster 7, server 4"},
      {.cluster = 7, .server = 4});
  ExpectRefused(kExitUnusable, {"not of cluster 8"},
                {.cluster = 8, .server = 3});
}

TEST_F(BadDirectory, AnotherProcessUsesIt) {
  const auto storage = Open(&disk_);
  ASSERT_TRUE(storage.ok());
  ExpectRefused(kExitUnusable, {"/data/LOCK is locked: another process"});
}

TEST_F(BadDirectory, AFileOfSomethingElse) {
  SimulatedFiles disk;
  ASSERT_TRUE(disk.MakeDirectory(kDirectory).ok());
  ASSERT_TRUE(disk.Create("/data/notes.txt").ok());
  const auto storage = Open(&disk);
  EXPECT_EQ(storage.status(),
            absl::FailedPreconditionError(
                "/data is not empty and no storage: it has notes.txt"));
  EXPECT_FALSE(disk.Contains("/data/LOCK"));
}

TEST_F(BadDirectory, AVersionOfTomorrow) {
  for (const std::string& path : {IdentityPath(kDirectory), first_}) {
    SetUp();
    const auto file = disk_.Open(path, Files::Mode::kRead);
    const std::string before = *(*file)->Read(8, 1);
    Write(path, 8, "\x02");
    ExpectRefused(kExitUnusable, {path, "format version 2", "newer than 1"});
    Write(path, 8, before);
  }
  EXPECT_TRUE(Open(&disk_).ok());
}

TEST_F(BadDirectory, AMissingSegment) {
  ASSERT_TRUE(disk_.Remove(second_).ok());
  ExpectRefused(kExitDamaged, {second_ + " is missing"});
}

TEST_F(BadDirectory, TheFirstSegmentIsMissing) {
  ASSERT_TRUE(disk_.Remove(first_).ok());
  ExpectRefused(kExitDamaged, {"the entries 1 to 3 are missing"});
}

TEST_F(BadDirectory, ASegmentInTheWrongPlace) {
  ASSERT_TRUE(disk_.Rename(first_, "/data/aside").ok());
  ASSERT_TRUE(disk_.Rename(second_, first_).ok());
  ASSERT_TRUE(disk_.Rename("/data/aside", second_).ok());
  ExpectRefused(kExitDamaged, {first_ + " is the segment 2"});
}

TEST_F(BadDirectory, NoId) {
  ASSERT_TRUE(disk_.Remove(IdentityPath(kDirectory)).ok());
  const size_t changes = disk_.operations().size();
  const auto storage = Open(&disk_);
  EXPECT_EQ(storage.status().message(),
            "/data/ID is missing, but there is /data/wal/000000000002.wal");
  EXPECT_EQ(ExitStatusOf(storage.status()), kExitDamaged);
  EXPECT_EQ(disk_.operations().size(), changes);
}

// The first segment may be there without one, if nothing is in it.
TEST_F(BadDirectory, NoIdBesideTheFirstSegmentOrASnapshot) {
  ASSERT_TRUE(disk_.Remove(IdentityPath(kDirectory)).ok());
  for (uint64_t sequence = 2; disk_.Contains(SegmentPath(kDirectory, sequence));
       ++sequence) {
    ASSERT_TRUE(disk_.Remove(SegmentPath(kDirectory, sequence)).ok());
  }
  EXPECT_EQ(Open(&disk_).status(),
            absl::DataLossError("/data/ID is missing, but there is " + first_));
  Write(first_, 0, std::string(4096, '\0'));
  const std::string snapshot = SnapshotPath(kDirectory, 3, 1);
  ASSERT_TRUE(disk_.Create(snapshot).ok());
  EXPECT_EQ(
      Open(&disk_).status(),
      absl::DataLossError("/data/ID is missing, but there is " + snapshot));
  ASSERT_TRUE(disk_.Remove(snapshot).ok());
  EXPECT_TRUE(Open(&disk_).ok());
}

TEST_F(BadDirectory, NoSegmentAtAll) {
  for (uint64_t sequence = 1; disk_.Contains(SegmentPath(kDirectory, sequence));
       ++sequence) {
    ASSERT_TRUE(disk_.Remove(SegmentPath(kDirectory, sequence)).ok());
  }
  ExpectRefused(kExitDamaged, {"/data/wal has no segment"});
}

TEST_F(BadDirectory, RotNamesFileOffsetAndIndexes) {
  disk_.FlipBit(first_, 8 * (512 + 56 + 1100));  // in the second entry
  ExpectRefused(kExitDamaged, {first_, "offset", "after entry 1)", "is whole"});
}

TEST_F(BadDirectory, RotInTheLastBatchIsNotTakenForTorn) {
  uint64_t last = 1;
  while (disk_.Contains(SegmentPath(kDirectory, last + 2))) ++last;
  disk_.FlipBit(SegmentPath(kDirectory, last), 8 * 2000);
  ExpectRefused(kExitDamaged, {SegmentPath(kDirectory, last), "offset 1584",
                               "after entry 19"});
}

TEST_F(BadDirectory, RotInAHeader) {
  disk_.FlipBit(first_, 8 * 40);
  ExpectRefused(kExitDamaged,
                {first_ + " has a damaged header: its checksum is wrong"});
  disk_.FlipBit(first_, 8 * 40);
  disk_.FlipBit(first_, 0);
  ExpectRefused(kExitDamaged,
                {first_ + " has a damaged header: no magic number"});
}

TEST_F(BadDirectory, AnIdThatIsCutShort) {
  disk_.Create(IdentityPath(kDirectory)).value().reset();
  ExpectRefused(kExitDamaged,
                {IdentityPath(kDirectory) + " is cut short in its header"});
}

TEST_F(BadDirectory, NoWalDirectory) {
  for (uint64_t sequence = 1; disk_.Contains(SegmentPath(kDirectory, sequence));
       ++sequence) {
    ASSERT_TRUE(disk_.Remove(SegmentPath(kDirectory, sequence)).ok());
  }
  ASSERT_TRUE(disk_.Remove(WalDirectory(kDirectory)).ok());
  ExpectRefused(kExitDamaged, {WalDirectory(kDirectory) + " is missing"});
}

// A segment that is made ahead comes last; its bytes are looked at, too.
TEST_F(BadDirectory, AMissingHeader) {
  Write(second_, 0, std::string(512, '\0'));
  ExpectRefused(kExitDamaged,
                {second_ + " is damaged at offset 512 (batch 5, after entry 3",
                 "its header is missing, but batch 6 at offset"});
  Write(second_, 512, std::string(4096 - 512, '\0'));
  ExpectRefused(kExitDamaged, {SegmentPath(kDirectory, 3) +
                               " has no header, but is not the last segment"});
}

TEST_F(BadDirectory, AMissingHeaderOfTheFirstSegment) {
  Write(first_, 0, std::string(512, '\0'));
  ExpectRefused(kExitDamaged,
                {first_ + " is damaged at offset 512 (batch 1, after entry 0",
                 "its header is missing, but batch 2 at offset"});
}

// A batch may be torn only in the last segment.
TEST_F(BadDirectory, ATornBatchBeforeAnotherSegment) {
  Write(first_, 3072, std::string(512, '\0'));
  ExpectRefused(kExitDamaged, {second_ + " follows a segment that is damaged "
                                         "at offset 2712"});
  Write(second_, 0, std::string(512, '\0'));
  for (uint64_t sequence = 3; disk_.Contains(SegmentPath(kDirectory, sequence));
       ++sequence) {
    ASSERT_TRUE(disk_.Remove(SegmentPath(kDirectory, sequence)).ok());
  }
  Write(second_, 1584, std::string(4096 - 1584, '\0'));
  ExpectRefused(kExitDamaged, {second_ + " has no header, and the segment "
                                         "before is damaged"});
}

TEST_F(BadDirectory, OnlyASegmentThatIsNotTheFirst) {
  uint64_t last = 1;
  while (disk_.Contains(SegmentPath(kDirectory, last + 1))) ++last;
  for (uint64_t sequence = 1; sequence < last; ++sequence) {
    ASSERT_TRUE(disk_.Remove(SegmentPath(kDirectory, sequence)).ok());
  }
  ExpectRefused(kExitDamaged,
                {SegmentPath(kDirectory, last - 1) + " is missing"});
}

// What a segment's header says of the log is what the segments before come to.
TEST_F(BadDirectory, AHeaderThatSaysSomethingElse) {
  const auto file = disk_.Open(second_, Files::Mode::kRead);
  const auto header = Decode<SegmentHeader>(*(*file)->Read(0, 512));
  ASSERT_TRUE(header.ok());
  const auto write = [&](const std::function<void(SegmentHeader*)>& change) {
    SegmentHeader changed = *header;
    change(&changed);
    Write(second_, 0, Encode(changed));
  };
  write([](SegmentHeader* changed) { changed->start.voted_for = 2; });
  ExpectRefused(kExitDamaged,
                {second_ + " begins after entry 3, term 5, vote 2, but the "
                           "segment before ends with entry 3, term 5, vote 1"});
  write([](SegmentHeader* changed) { ++changed->first_batch; });
  ExpectRefused(kExitDamaged,
                {second_ + " begins with batch 6, but the one before ends with "
                           "batch 4 and entry 3"});
  for (const uint64_t snapshot : {4, 9}) {
    write([snapshot](SegmentHeader* changed) {
      changed->start.snapshot_index = snapshot;
    });
    ExpectRefused(kExitDamaged,
                  {absl::StrCat(second_, " begins after entry 3, but its ",
                                "snapshot is of entry ", snapshot)});
  }
  write([](SegmentHeader* changed) { changed->start.next_index = UINT64_MAX; });
  ExpectRefused(kExitDamaged, {second_, "begins after entry",
                               ", but its snapshot is of entry 0"});
  write([](SegmentHeader* changed) { changed->identity.server = 4; });
  ExpectRefused(kExitUnusable, {second_ + " is of cluster 7, server 4"});
  write([](SegmentHeader* changed) { ++changed->file_bytes; });
  ExpectRefused(kExitDamaged,
                {second_ + " has 4096 bytes, but its header says 4097"});
}

TEST_F(BadDirectory, AMissingSnapshot) {
  TakeSnapshot(10);
  const std::string path = SnapshotPath(kDirectory, 10, 5);
  ASSERT_TRUE(disk_.Remove(path).ok());
  ExpectRefused(kExitDamaged, {path + " is missing"});
}

TEST_F(BadDirectory, ADamagedSnapshot) {
  TakeSnapshot(10);
  const std::string path = SnapshotPath(kDirectory, 10, 5);
  disk_.FlipBit(path, 8 * 66);
  ExpectRefused(kExitDamaged, {path, "damaged", "entries 1 to 10"});
}

TEST_F(BadDirectory, AnotherSnapshotUnderItsName) {
  TakeSnapshot(10);
  const std::string path = SnapshotPath(kDirectory, 10, 5);
  const auto file = disk_.Open(path, Files::Mode::kRead);
  const auto header = Decode<SnapshotHeader>(*(*file)->Read(0, 64));
  ASSERT_TRUE(header.ok());
  const auto write = [&](const std::function<void(SnapshotHeader*)>& change) {
    SnapshotHeader changed = *header;
    change(&changed);
    Write(path, 0, Encode(changed));
  };
  write([](SnapshotHeader* changed) { changed->index = 9; });
  ExpectRefused(kExitDamaged, {path + " is the snapshot of entry 9 of term 5"});
  write([](SnapshotHeader* changed) { changed->index = 11; });
  ExpectRefused(kExitDamaged, {path, "entry 11 of term 5"});
  write([](SnapshotHeader* changed) { changed->term = 4; });
  ExpectRefused(kExitDamaged, {path, "entry 10 of term 4"});
  write([](SnapshotHeader* changed) { changed->identity.server = 4; });
  ExpectRefused(kExitUnusable, {path + " is of cluster 7, server 4"});
  write([](SnapshotHeader*) {});
  EXPECT_TRUE(Open(&disk_).ok());
}

TEST_F(BadDirectory, ASnapshotOfAnotherSize) {
  TakeSnapshot(10);
  const std::string path = SnapshotPath(kDirectory, 10, 5);
  Write(path, 64 + 8, "more");
  ExpectRefused(kExitDamaged, {path, "has 12 bytes of content", "says 8"});
}

TEST_F(BadDirectory, AReadOnlyOne) {
  disk_.SetHook([](const FileOperation& operation) {
    return operation.kind == FileOperation::Kind::kLock
               ? absl::FailedPreconditionError(
                     "open /data/LOCK: Read-only file system")
               : absl::OkStatus();
  });
  ExpectRefused(kExitUnusable, {"Read-only"});
}

// Not a bad one: it may be opened, and says what it cut.
TEST_F(BadDirectory, ATornBatchIsCutAndKeptInACopy) {
  uint64_t last = 1;
  while (disk_.Contains(SegmentPath(kDirectory, last + 2))) ++last;
  const std::string path = SegmentPath(kDirectory, last);
  Write(path, 2048, std::string(512, '\0'));
  const std::string torn =
      *(*disk_.Open(path, Files::Mode::kRead))->Read(1584, 32 + 24 + 12 + 1000);
  std::ostringstream out;
  EXPECT_TRUE(Dump(&disk_, kDirectory, out).ok());
  EXPECT_TRUE(absl::StrContains(out.str(), "was not written whole"))
      << out.str();

  for (int time = 0; time < 2; ++time) {
    auto storage = Open(&disk_);
    ASSERT_TRUE(storage.ok()) << storage.status();
    EXPECT_EQ((*storage)->TakeRecovered().last_index, 19U);
    const auto copy = disk_.Open(path + "-1584.broken", Files::Mode::kRead);
    ASSERT_TRUE(copy.ok()) << copy.status();
    EXPECT_EQ(*(*copy)->Read(0, 4096), torn);
  }
  const auto storage = Open(&disk_);
  Append(20, storage->get());
}

TEST_F(BadDirectory, DumpOfNoStorage) {
  std::ostringstream out;
  EXPECT_EQ(Dump(&disk_, "/elsewhere", out).message(),
            "/elsewhere is no storage: it has no ID");
}

}  // namespace
}  // namespace persister
