#include "persister/files/segment_reader.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "persister/files/files.h"

namespace persister {
namespace {

// Says where a whole batch with at least that number is, if there is one, from
// the batch on that is not whole. A command's bytes may look like one, so what
// that batch's header counts is passed over, if it has one.
std::string FindLaterBatch(std::string_view bytes, size_t offset,
                           uint64_t segment, uint64_t number) {
  const std::optional<BatchHeader> header =
      ReadBatchHeader(bytes.substr(offset), segment);
  if (header.has_value()) offset += header->bytes;
  for (; offset + sizeof(BatchHeader) <= bytes.size(); offset += 8) {
    const std::optional<Batch> batch = ReadBatch(bytes.substr(offset), segment);
    if (batch.has_value() && batch->header.number >= number) {
      return absl::StrCat("batch ", batch->header.number, " at offset ", offset,
                          " is whole");
    }
  }
  return "";
}

// Returns the bytes up to the last one that is not zero.
size_t WithoutZeros(std::string_view bytes) {
  while (bytes.size() > kSectorBytes &&
         AllZero(bytes.substr(bytes.size() - kSectorBytes))) {
    bytes.remove_suffix(kSectorBytes);
  }
  const size_t last = bytes.find_last_not_of('\0');
  return last == std::string_view::npos ? 0 : last + 1;
}

// True if the batch that begins at the offset was not written whole.
bool IsTorn(std::string_view bytes, uint64_t segment, size_t offset) {
  const std::string_view rest = bytes.substr(offset);
  // A sector that was not written is zero. Does one lack that has the header?
  const size_t first_part = kSectorBytes - offset % kSectorBytes;
  if (AllZero(rest.substr(0, first_part))) return true;
  const std::optional<BatchHeader> header = ReadBatchHeader(rest, segment);
  if (!header.has_value()) {
    return first_part < sizeof(BatchHeader) && first_part < rest.size() &&
           AllZero(rest.substr(first_part, kSectorBytes));
  }
  // Or one of the others? Nothing was written after this batch.
  return AllZero(rest.substr(header->bytes)) &&
         ZeroParts(rest.substr(0, header->bytes), offset) > header->zero_parts;
}

}  // namespace

SegmentRead ReadSegment(
    std::string_view bytes, uint64_t segment, uint64_t first_number,
    const std::function<absl::Status(const Batch&, size_t offset)>& visit) {
  SegmentRead read{.end_offset = std::min(bytes.size(), kFirstBatchOffset),
                   .next_number = first_number};
  const auto rot = [&read](std::string detail) {
    read.end = SegmentEnd::kRot;
    read.detail = std::move(detail);
    return read;
  };
  while (true) {
    const std::optional<Batch> batch =
        ReadBatch(bytes.substr(read.end_offset), segment);
    if (!batch.has_value() || batch->header.number != read.next_number) break;
    const absl::Status status = visit(*batch, read.end_offset);
    if (!status.ok()) return rot(std::string(status.message()));
    read.end_offset += batch->header.bytes;
    ++read.next_number;
  }
  read.torn_bytes = WithoutZeros(bytes.substr(read.end_offset));
  if (read.torn_bytes == 0) return read;
  const std::string later =
      FindLaterBatch(bytes, read.end_offset, segment, read.next_number + 1);
  if (!later.empty()) return rot(absl::StrCat("it is damaged, and ", later));
  if (!IsTorn(bytes, segment, read.end_offset)) {
    return rot("it is damaged, and no sector of it is missing");
  }
  read.end = SegmentEnd::kTorn;
  return read;
}

SegmentRead ReadUnusedSegment(std::string_view bytes, uint64_t segment,
                              uint64_t first_number) {
  SegmentRead read{.end_offset = std::min(bytes.size(), kFirstBatchOffset),
                   .torn_bytes = 0,
                   .next_number = first_number};
  read.torn_bytes = WithoutZeros(bytes.substr(read.end_offset));
  if (read.torn_bytes == 0) return read;
  const std::string later =
      FindLaterBatch(bytes, read.end_offset, segment, first_number + 1);
  read.end = later.empty() ? SegmentEnd::kTorn : SegmentEnd::kRot;
  if (!later.empty()) {
    read.detail = absl::StrCat("its header is missing, but ", later);
  }
  return read;
}

}  // namespace persister
