// Unit tests of persister/files/format.h, packed.h and directory.h: the bytes
// and names of version 1, which no later program may read in another way.

#include "persister/files/format.h"

#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "base/rope.h"
#include "gtest/gtest.h"
#include "persister/files/batch.h"
#include "persister/files/directory.h"
#include "persister/files/files.h"
#include "persister/files/packed.h"
#include "persister/files/simulated_files.h"
#include "persister/files/snapshot_file.h"

namespace persister {
namespace {

constexpr Identity kIdentity = {.cluster = 7, .server = 3};

TEST(Format, AnIdentityHasTheseBytes) {
  EXPECT_EQ(
      absl::BytesToHexString(Encode(IdentityHeader{.identity = kIdentity})),
      "524146544944310001000000fd7d881807000000000000000300000000000000");
}

TEST(Format, ASegmentsHeaderHasTheseBytes) {
  EXPECT_EQ(absl::BytesToHexString(
                Encode(SegmentHeader{.identity = kIdentity,
                                     .sequence = 2,
                                     .file_bytes = 4096,
                                     .first_batch = 9,
                                     .start = {.next_index = 5,
                                               .term = 4,
                                               .voted_for = -1,
                                               .snapshot_index = 1,
                                               .snapshot_term = 3}})),
            "52465457414c310001000000b8002a7a07000000000000000300000000000000"
            "0200000000000000001000000000000009000000000000000500000000000000"
            "0400000000000000ffffffffffffffff01000000000000000300000000000000");
}

TEST(Format, ASnapshotsHeaderHasTheseBytes) {
  EXPECT_EQ(
      absl::BytesToHexString(Encode(SnapshotHeader{
          .identity = kIdentity, .index = 5, .term = 4, .bytes = 2, .crc = 1})),
      "524654534e5031000100000030ed344807000000000000000300000000000000"
      "0500000000000000040000000000000002000000000000000100000000000000");
}

TEST(Format, ABatchHasTheseBytes) {
  BatchBuilder batch;
  batch.Add({.type = RecordType::kVote, .index = 1, .term = 4});
  batch.Add({.type = RecordType::kEntries,
             .index = 5,
             .term = 4,
             .payload = "packed"});
  const std::string bytes(
      batch.Seal(/*segment=*/2, /*number=*/9, /*offset=*/512));
  EXPECT_EQ(absl::BytesToHexString(bytes),
            "580000007185674c0200000000000000090000000000000000000000641817f3"
            "0000000002000000010000000000000004000000000000000600000001000000"
            "050000000000000004000000000000007061636b65640000");
}

TEST(Format, ASnapshotHasItsCrc32c) {
  SimulatedFiles files;
  ASSERT_TRUE(files.MakeDirectory("/data").ok());
  ASSERT_TRUE(files.MakeDirectory(SnapshotDirectory("/data")).ok());
  ASSERT_TRUE(WriteSnapshot(&files, "/data", kIdentity, /*index=*/5,
                            /*term=*/4, base::Rope("123456789"))
                  .ok());
  const auto file = files.Open(SnapshotPath("/data", 5, 4), Files::Mode::kRead);
  ASSERT_TRUE(file.ok());
  const auto header = Decode<SnapshotHeader>(*(*file)->Read(0, 64));
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->crc, 0xE3069283U);
  EXPECT_EQ(*(*file)->Read(64, 100), "123456789");
}

TEST(Format, FilesHaveTheseNames) {
  EXPECT_EQ(SegmentPath("/data", 12), "/data/wal/000000000012.wal");
  EXPECT_EQ(SnapshotPath("/data", 12, 3), "/data/snap/000000000012-3.snap");
}

TEST(Format, BytesAreAllZeroOrNot) {
  EXPECT_TRUE(AllZero(""));
  for (size_t size = 1; size < 20; ++size) {
    std::string bytes(size, '\0');
    EXPECT_TRUE(AllZero(bytes));
    for (size_t i = 0; i < size; ++i) {
      bytes[i] = 'x';
      EXPECT_FALSE(AllZero(bytes)) << i << " of " << size;
      bytes[i] = '\0';
    }
    EXPECT_FALSE(AllZero(std::string(size, 'x')));
  }
}

TEST(Format, PartsLieInSectors) {
  EXPECT_EQ(ZeroParts("", 0), 0U);
  EXPECT_EQ(ZeroParts("x", 0), 0U);
  EXPECT_EQ(ZeroParts(std::string(1, '\0'), 511), 1U);
  EXPECT_EQ(ZeroParts(std::string(2, '\0'), 511), 2U);
  EXPECT_EQ(ZeroParts(std::string(kSectorBytes, '\0'), 0), 1U);
  EXPECT_EQ(ZeroParts(std::string(kSectorBytes + 1, '\0'), kSectorBytes), 2U);
  EXPECT_EQ(ZeroParts(std::string(kSectorBytes, '\0') + "x", 0), 1U);
}

TEST(Format, AnEntryThatIsCutShortHasNoBytes) {
  std::string packed(sizeof(uint64_t), '\1');  // its term
  packed += std::string("\3\0\0\0", 4) + "abc";
  EXPECT_EQ(FirstPackedBytes(packed), packed.size());
  EXPECT_EQ(FirstPackedBytes(packed + "more"), packed.size());
  for (size_t size = 0; size < packed.size(); ++size) {
    EXPECT_EQ(FirstPackedBytes(packed.substr(0, size)), 0U) << size;
  }
}

}  // namespace
}  // namespace persister
