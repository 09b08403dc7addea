// Reads the bytes of one segment, and says how it ends.
//
// Batch n + 1 is written only after batch n is durable. So a batch that is not
// whole was never acknowledged if it is the last one and the place of one of
// its sectors is zero still: it is torn, and is cut. Any other is rot. (Rot
// that leaves a zero sector in the last batch looks the same.)
//
// Thread safety: pure functions.

#ifndef PERSISTER_FILES_SEGMENT_READER_H_
#define PERSISTER_FILES_SEGMENT_READER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "persister/files/batch.h"

namespace persister {

enum class SegmentEnd : uint8_t { kClean, kTorn, kRot };

struct SegmentRead {
  SegmentEnd end = SegmentEnd::kClean;
  size_t end_offset = 0;     // after the last whole batch
  size_t torn_bytes = 0;     // from there to the last byte that is not zero
  uint64_t next_number = 0;  // of the batch after that
  std::string detail = {};   // kRot: what is wrong
};

// Reads batches from kFirstBatchOffset on, of which the first shall have
// `first_number`, and calls `visit` with each whole one and its offset. An
// error of visit's ends the reading as rot.
SegmentRead ReadSegment(
    std::string_view bytes, uint64_t segment, uint64_t first_number,
    const std::function<absl::Status(const Batch&, size_t offset)>& visit);

// As ReadSegment for a segment without a header, of which nothing was
// acknowledged: it is clean, torn, or there was more in it.
SegmentRead ReadUnusedSegment(std::string_view bytes, uint64_t segment,
                              uint64_t first_number);

}  // namespace persister

#endif  // PERSISTER_FILES_SEGMENT_READER_H_
