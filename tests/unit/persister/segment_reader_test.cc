// Unit tests of persister/files/batch.h and segment_reader.h: what is torn, and
// what is rot.

#include "persister/files/segment_reader.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "persister/files/batch.h"
#include "persister/files/crc32c.h"
#include "persister/files/files.h"

namespace persister {
namespace {

constexpr uint64_t kSegment = 3;
constexpr uint64_t kFirst = 10;  // the first batch's number
constexpr size_t kBytes = 16 << 10;

// A segment whose batches have these payloads, one record each.
struct Segment {
  explicit Segment(const std::vector<std::string>& payloads)
      : bytes(kBytes, '\0') {
    bytes.replace(0, 6, "header");
    size_t offset = kFirstBatchOffset;
    for (const std::string& payload : payloads) {
      BatchBuilder batch;
      batch.Add({.type = RecordType::kEntries, .payload = payload});
      const std::string_view sealed =
          batch.Seal(kSegment, kFirst + offsets.size(), offset);
      bytes.replace(offset, sealed.size(), sealed);
      offsets.push_back(offset);
      offset += sealed.size();
    }
    end = offset;
  }
  void ZeroSector(size_t offset) {
    const size_t begin = offset / kSectorBytes * kSectorBytes;
    bytes.replace(begin, kSectorBytes, kSectorBytes, '\0');
  }
  SegmentRead Read() {
    read_payloads.clear();
    return ReadSegment(bytes, kSegment, kFirst,
                       [this](const Batch& batch, size_t) {
                         return ForEachRecord(batch, [this](const Record& r) {
                           read_payloads.emplace_back(r.payload);
                           return absl::OkStatus();
                         });
                       });
  }

  std::string bytes;
  std::vector<size_t> offsets;
  size_t end = 0;
  std::vector<std::string> read_payloads;
};

// The bytes of a batch, of `records` of them.
std::string SealedBatch(int records, size_t offset) {
  BatchBuilder batch;
  for (int i = 0; i < records; ++i) batch.Add({.payload = "payload"});
  return std::string(batch.Seal(kSegment, kFirst, offset));
}

TEST(Batch, MayHaveNoRecord) {
  const std::string bytes = SealedBatch(0, kFirstBatchOffset);
  EXPECT_EQ(bytes.size(), sizeof(BatchHeader));
  const std::optional<Batch> batch = ReadBatch(bytes, kSegment);
  ASSERT_TRUE(batch.has_value());
  EXPECT_TRUE(batch->records.empty());
}

TEST(Batch, AHeaderIsNoneWithoutItsBytes) {
  const std::string bytes = SealedBatch(1, kFirstBatchOffset);
  EXPECT_TRUE(ReadBatchHeader(bytes, kSegment).has_value());
  EXPECT_FALSE(ReadBatchHeader(bytes, kSegment + 1).has_value());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ReadBatchHeader(bytes.substr(0, size), kSegment).has_value());
  }
}

TEST(Batch, AHeaderThatCountsLessThanItselfIsNone) {
  BatchHeader header = {.bytes = sizeof(BatchHeader), .segment = kSegment};
  const auto read = [&header] {
    const std::string_view bytes(reinterpret_cast<const char*>(&header),
                                 sizeof(header));
    header.header_crc = Crc32c(bytes.substr(0, bytes.size() - 4));
    return ReadBatchHeader(bytes, kSegment);
  };
  EXPECT_TRUE(read().has_value());
  --header.bytes;
  EXPECT_FALSE(read().has_value());
}

// The header of this one is alone in its sector.
TEST(Batch, CountsTheZeroPartsThatItHasWithItsHeader) {
  const size_t offset = 2 * kSectorBytes - sizeof(BatchHeader);
  const std::string bytes = SealedBatch(1, offset);
  EXPECT_EQ(ReadBatchHeader(bytes, kSegment)->zero_parts, 0U);
  EXPECT_EQ(ZeroParts(bytes, offset), 0U);
}

TEST(Batch, AVisitEndsWithTheFirstError) {
  const std::string bytes = SealedBatch(3, kFirstBatchOffset);
  int visited = 0;
  const absl::Status error = absl::DataLossError("the second");
  EXPECT_EQ(ForEachRecord(*ReadBatch(bytes, kSegment),
                          [&](const Record&) {
                            return ++visited == 2 ? error : absl::OkStatus();
                          }),
            error);
  EXPECT_EQ(visited, 2);
}

std::string Long(char letter) { return std::string(1500, letter); }

TEST(SegmentReader, ReadsAllBatches) {
  Segment segment({"a", "", Long('b'), std::string(3000, '\0')});
  const SegmentRead read = segment.Read();
  EXPECT_EQ(read.end, SegmentEnd::kClean);
  EXPECT_EQ(read.end_offset, segment.end);
  EXPECT_EQ(read.next_number, kFirst + 4);
  EXPECT_EQ(
      segment.read_payloads,
      (std::vector<std::string>{"a", "", Long('b'), std::string(3000, '\0')}));
}

TEST(SegmentReader, ALastBatchThatLacksASectorIsTorn) {
  for (size_t sector = 0; sector < 4; ++sector) {
    Segment segment({Long('a'), Long('b')});
    const size_t offset = segment.offsets[1];
    const size_t begin = sector == 0 ? offset : offset + sector * kSectorBytes;
    // Not what the batch before has in this sector.
    const size_t end = (begin / kSectorBytes + 1) * kSectorBytes;
    const size_t from = std::max(begin / kSectorBytes * kSectorBytes, offset);
    segment.bytes.replace(from, end - from, end - from, '\0');
    const SegmentRead read = segment.Read();
    EXPECT_EQ(read.end, SegmentEnd::kTorn) << "sector " << sector;
    EXPECT_EQ(read.end_offset, offset);
    EXPECT_EQ(read.next_number, kFirst + 1);
    EXPECT_EQ(segment.read_payloads, (std::vector<std::string>{Long('a')}));
  }
}

// Torn is what has more zero sectors than were written.
// A header in two sectors, of which the second may not have been written.
TEST(SegmentReader, AHeaderOfTwoSectorsIsTornOrRotten) {
  const std::vector<std::string> payloads = {std::string(440, 'a'), Long('b')};
  Segment segment(payloads);
  const size_t second = 2 * kSectorBytes - 16;
  ASSERT_EQ(segment.offsets[1], second);
  segment.bytes[second + 16] ^= 1;
  EXPECT_EQ(segment.Read().end, SegmentEnd::kRot);
  segment.bytes.replace(second + kSectorBytes, 16, 16, '\0');
  EXPECT_EQ(segment.Read().end, SegmentEnd::kRot);
  segment.ZeroSector(second + 16);
  EXPECT_EQ(segment.Read().end, SegmentEnd::kTorn);
  EXPECT_EQ(segment.Read().end_offset, second);
}

// The header was written whole, and is another one now.
TEST(SegmentReader, AHeaderThatEndsWithItsSectorIsRotten) {
  Segment segment({std::string(424, 'a'), Long('b')});
  const size_t second = 2 * kSectorBytes - sizeof(BatchHeader);
  ASSERT_EQ(segment.offsets[1], second);
  segment.bytes[second] ^= 1;
  segment.ZeroSector(2 * kSectorBytes);
  EXPECT_EQ(segment.Read().end, SegmentEnd::kRot);
}

// Of a file that ends within the sector, too.
TEST(SegmentReader, AHeaderForWhichThereIsNoRoomIsRotten) {
  Segment segment({std::string(432, 'a')});
  ASSERT_EQ(segment.end, 2 * kSectorBytes - 24);
  segment.bytes.resize(segment.end + 8);
  segment.bytes[segment.end] = 'x';
  EXPECT_EQ(segment.Read().end, SegmentEnd::kRot);
  EXPECT_EQ(segment.Read().end_offset, segment.end);
  segment.bytes.resize(2 * kSectorBytes);
  EXPECT_EQ(segment.Read().end, SegmentEnd::kRot);
}

// A command may be any bytes: those of a batch, too.
TEST(SegmentReader, WhatIsInATornBatchIsNoLaterBatch) {
  const std::string fake(
      BatchBuilder().Seal(kSegment, /*number=*/kFirst + 7, /*offset=*/0));
  Segment segment({"a", fake + Long('b')});
  ASSERT_TRUE(
      ReadBatch(segment.bytes.substr(segment.bytes.find(fake)), kSegment)
          .has_value());
  segment.ZeroSector(segment.end - kSectorBytes);
  EXPECT_EQ(segment.Read().end, SegmentEnd::kTorn);
}

TEST(SegmentReader, NorOneOfANumberThatHasBeen) {
  const std::string fake(
      BatchBuilder().Seal(kSegment, /*number=*/kFirst, /*offset=*/0));
  Segment segment({std::string(800, 'a') + fake + Long('b')});
  segment.ZeroSector(kFirstBatchOffset);  // with the header
  EXPECT_EQ(segment.Read().end, SegmentEnd::kTorn);
  EXPECT_EQ(ReadUnusedSegment(segment.bytes, kSegment, kFirst).end,
            SegmentEnd::kTorn);
}

TEST(SegmentReader, ABatchOfZerosIsJudgedByTheirNumber) {
  const std::string zeros(4096, '\0');
  Segment flipped({zeros + "end"});
  flipped.bytes[flipped.end - 4] ^= 1;
  EXPECT_EQ(flipped.Read().end, SegmentEnd::kRot);

  Segment torn({zeros + Long('e')});
  torn.ZeroSector(torn.end - kSectorBytes);
  EXPECT_EQ(torn.Read().end, SegmentEnd::kTorn);
}

TEST(SegmentReader, AFlippedBitIsRotWhereverItIs) {
  const Segment whole({Long('a'), "b"});
  for (size_t at = kFirstBatchOffset; at < whole.end; ++at) {
    Segment segment = whole;
    segment.bytes[at] ^= 4;
    const SegmentRead read = segment.Read();
    ASSERT_EQ(read.end, SegmentEnd::kRot) << "byte " << at;
    EXPECT_EQ(read.end_offset, segment.offsets[at >= segment.offsets[1]]);
  }
}

TEST(SegmentReader, AMissingSectorBeforeAWholeBatchIsRot) {
  Segment segment({Long('a'), Long('b'), "c"});
  segment.ZeroSector(segment.offsets[1] + kSectorBytes);
  const SegmentRead read = segment.Read();
  EXPECT_EQ(read.end, SegmentEnd::kRot);
  EXPECT_EQ(read.detail, absl::StrCat("it is damaged, and batch 12 at offset ",
                                      segment.offsets[2], " is whole"));

  // Also if the whole batch is.
  Segment lost({"a", Long('b'), "c"});
  const size_t offset = lost.offsets[1];
  lost.bytes.replace(offset, lost.offsets[2] - offset, lost.offsets[2] - offset,
                     '\0');
  EXPECT_EQ(lost.Read().end, SegmentEnd::kRot);
}

// Nothing is written after a batch that is not durable.
TEST(SegmentReader, BytesAfterATornBatchAreRot) {
  Segment segment({Long('a')});
  segment.ZeroSector(segment.offsets[0] + kSectorBytes);
  segment.bytes[segment.end + 3000] = 'x';
  EXPECT_EQ(segment.Read().end, SegmentEnd::kRot);
}

TEST(SegmentReader, ABatchOfAnotherSegmentIsNoBatch) {
  const Segment segment({"a"});
  const SegmentRead read =
      ReadSegment(segment.bytes, kSegment + 1, kFirst,
                  [](const Batch&, size_t) { return absl::OkStatus(); });
  EXPECT_EQ(read.end, SegmentEnd::kRot);
}

TEST(SegmentReader, ABatchWithAnotherNumberIsRot) {
  const Segment segment({"a"});
  for (const uint64_t number : {kFirst - 1, kFirst + 1}) {
    const SegmentRead read =
        ReadSegment(segment.bytes, kSegment, number,
                    [](const Batch&, size_t) { return absl::OkStatus(); });
    EXPECT_EQ(read.end, SegmentEnd::kRot) << number;
  }
}

TEST(SegmentReader, WhatTheVisitorRefusesIsRot) {
  Segment segment({"a", "b"});
  const SegmentRead read = ReadSegment(
      segment.bytes, kSegment, kFirst, [](const Batch& batch, size_t) {
        return batch.header.number == kFirst ? absl::OkStatus()
                                             : absl::DataLossError("no");
      });
  EXPECT_EQ(read.end, SegmentEnd::kRot);
  EXPECT_EQ(read.end_offset, segment.offsets[1]);
  EXPECT_EQ(read.detail, "no");
}

TEST(SegmentReader, WithoutAHeaderOneBatchWasNeverAcknowledged) {
  const std::string zeros(kBytes, '\0');
  EXPECT_EQ(ReadUnusedSegment(zeros, kSegment, kFirst).end, SegmentEnd::kClean);
  EXPECT_EQ(ReadUnusedSegment("", kSegment, kFirst).end, SegmentEnd::kClean);

  const Segment one({"a"});
  EXPECT_EQ(ReadUnusedSegment(one.bytes, kSegment, kFirst).end,
            SegmentEnd::kTorn);
  const Segment two({"a", "b"});
  const SegmentRead read = ReadUnusedSegment(two.bytes, kSegment, kFirst);
  EXPECT_EQ(read.end, SegmentEnd::kRot);
  EXPECT_NE(read.detail.find("batch 11"), std::string::npos) << read.detail;
}

TEST(Batch, ARecordThatIsCutShortIsDataLoss) {
  BatchBuilder builder;
  builder.Add({.payload = "payload"});
  const std::string bytes(builder.Seal(1, 1, kFirstBatchOffset));
  const std::optional<Batch> batch = ReadBatch(bytes, 1);
  ASSERT_TRUE(batch.has_value());
  for (size_t size = 1; size < batch->records.size(); ++size) {
    const Batch cut{batch->header, batch->records.substr(0, size)};
    EXPECT_EQ(ForEachRecord(cut, [](const Record&) { return absl::OkStatus(); })
                  .code(),
              absl::StatusCode::kDataLoss);
  }
}

}  // namespace
}  // namespace persister
