// Unit tests of persister/files/dump.h: every line that it may print.

#include "persister/files/dump.h"

#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "persister/files/batch.h"
#include "persister/files/directory.h"
#include "persister/files/file_storage.h"
#include "persister/files/simulated_files.h"
#include "tests/storage/model.h"

namespace persister {
namespace {

using storage_test::Pack;

constexpr char kDirectory[] = "/data";
constexpr uint64_t kSegmentBytes = 2048;
constexpr char kFirstSegment[] =
    "/data: cluster 7, server 3\n"
    "/data/wal/000000000001.wal: from batch 1 on, after entry 0, in term 0, "
    "vote none, snapshot 0\n";

class DumpTest : public testing::Test {
 protected:
  DumpTest() : storage_(Open()) {}

  std::unique_ptr<FileStorage> Open() {
    auto storage =
        FileStorage::Open(&disk_, kDirectory,
                          {.wal = {.identity = {.cluster = 7, .server = 3},
                                   .segment_bytes = kSegmentBytes}});
    CHECK(storage.ok()) << storage.status();
    return *std::move(storage);
  }
  // Each change is a batch of its own.
  void Flush(Storage::Ticket ticket) { CHECK(storage_->WaitDurable(ticket)); }
  void Write(const std::string& path, uint64_t offset, std::string_view bytes) {
    const auto file = disk_.Open(path, Files::Mode::kWrite);
    CHECK(file.ok()) << file.status();
    CHECK((*file)->Write(offset, bytes).ok());
  }
  std::string Dumped() {
    storage_.reset();
    std::ostringstream out;
    const absl::Status status = Dump(&disk_, kDirectory, out);
    return absl::StrCat(out.str(), status.message());
  }

  SimulatedFiles disk_;
  std::unique_ptr<FileStorage> storage_;
};

TEST_F(DumpTest, OfANewOne) {
  EXPECT_EQ(Dumped(),
            "/data: cluster 7, server 3\n"
            "/data/wal/000000000001.wal: not used yet\n"
            "/data: whole: term 0, vote none, snapshot up to entry 0, log up "
            "to entry 0\n");
}

TEST_F(DumpTest, OfEachKindOfRecord) {
  Flush(storage_->SetVote(5, 1));
  Flush(storage_->SetVote(6, -1));
  Flush(storage_->SetVote(6, 0));
  Flush(storage_->Append(1, Pack({{5, "abc"}, {6, ""}})));
  Flush(storage_->TruncateFrom(2));
  Flush(storage_->InstallSnapshot(1, 5, "snapshot"));
  EXPECT_EQ(
      Dumped(),
      absl::StrCat(
          kFirstSegment,
          "  offset 512: batch 1, 56 bytes\n"
          "    term 5, vote 1\n"
          "  offset 568: batch 2, 56 bytes\n"
          "    term 6, vote none\n"
          "  offset 624: batch 3, 56 bytes\n"
          "    term 6, vote 0\n"
          "  offset 680: batch 4, 88 bytes\n"
          "    entries 1 to 2, up to term 6, 27 bytes\n"
          "  offset 768: batch 5, 56 bytes\n"
          "    entries from 2 on are discarded\n"
          "  offset 824: batch 6, 56 bytes\n"
          "    snapshot up to entry 1 of term 5\n"
          "/data/wal/000000000002.wal: not used yet\n"
          "/data/snap/000000000001-5.snap: 8 bytes\n"
          "/data: whole: term 6, vote 0, snapshot up to entry 1, log up to "
          "entry 1\n"));
}

TEST_F(DumpTest, OfASecondSegment) {
  Flush(storage_->SetVote(4, 2));
  Flush(storage_->Append(1, Pack({{3, std::string(1300, 'x')}})));
  Flush(storage_->InstallSnapshot(1, 3, "snapshot"));
  Flush(storage_->Append(2, Pack({{4, std::string(200, 'y')}})));
  EXPECT_EQ(
      Dumped(),
      absl::StrCat(
          kFirstSegment,
          "  offset 512: batch 1, 56 bytes\n"
          "    term 4, vote 2\n"
          "  offset 568: batch 2, 1368 bytes\n"
          "    entries 1 to 1, up to term 3, 1312 bytes\n"
          "  offset 1936: batch 3, 56 bytes\n"
          "    snapshot up to entry 1 of term 3\n"
          "/data/wal/000000000002.wal: from batch 4 on, after entry 1, in "
          "term 4, vote 2, snapshot 1\n"
          "  offset 512: batch 4, 272 bytes\n"
          "    entries 2 to 2, up to term 4, 212 bytes\n"
          "/data/wal/000000000003.wal: not used yet\n"
          "/data/snap/000000000001-3.snap: 8 bytes\n"
          "/data: whole: term 4, vote 2, snapshot up to entry 1, log up to "
          "entry 2\n"));
}

TEST_F(DumpTest, OfATornBatch) {
  Flush(storage_->SetVote(5, 1));
  Flush(storage_->Append(1, Pack({{5, std::string(1000, 'x')}})));
  storage_.reset();
  Write(SegmentPath(kDirectory, 1), 1024, std::string(512, '\0'));
  EXPECT_EQ(
      Dumped(),
      absl::StrCat(
          kFirstSegment,
          "  offset 512: batch 1, 56 bytes\n"
          "    term 5, vote 1\n"
          "/data/wal/000000000002.wal: not used yet\n"
          "/data/wal/000000000001.wal: the batch at offset 568 was not "
          "written whole; opening cuts its 1068 bytes\n"
          "/data: whole: term 5, vote 1, snapshot up to entry 0, log up to "
          "entry 0\n"));
}

TEST_F(DumpTest, OfWhatItDoesNotKnow) {
  Flush(storage_->SetVote(5, 1));
  storage_.reset();
  BatchBuilder batch;
  batch.Add({.type = static_cast<RecordType>(9)});
  Write(SegmentPath(kDirectory, 1), 568,
        batch.Seal(/*segment=*/1, /*number=*/2, /*offset=*/568));
  EXPECT_EQ(Dumped(),
            absl::StrCat(
                kFirstSegment,
                "  offset 512: batch 1, 56 bytes\n"
                "    term 5, vote 1\n"
                "  offset 568: batch 2, 56 bytes\n"
                "    unknown type 9\n"
                "/data/wal/000000000001.wal is damaged at offset 568 (batch 2, "
                "after entry 0): a record has the unknown type 9"));
}

// Such as a copy of one.
TEST_F(DumpTest, NeedsNoLock) {
  storage_.reset();
  ASSERT_TRUE(disk_.Remove(LockPath(kDirectory)).ok());
  EXPECT_TRUE(Dumped().ends_with("log up to entry 0\n"));
}

}  // namespace
}  // namespace persister
