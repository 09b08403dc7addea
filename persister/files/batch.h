// Batches: filling one, and reading one.
//
// Thread safety: compatible.

#ifndef PERSISTER_FILES_BATCH_H_
#define PERSISTER_FILES_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "persister/files/format.h"

namespace persister {

class BatchBuilder {
 public:
  BatchBuilder() : bytes_(sizeof(BatchHeader), '\0') {}

  // REQUIRES: the whole batch stays under 4 GiB.
  void Add(const Record& record);

  size_t size() const { return bytes_.size(); }

  // Completes the batch for a place in a segment, and returns its bytes, which
  // live as long as this object.
  std::string_view Seal(uint64_t segment, uint64_t number, uint64_t offset);

 private:
  std::string bytes_;
};

// A batch as it lies in bytes of another object, which must outlive it.
struct Batch {
  BatchHeader header;
  std::string_view records;
};

// Returns the header of the batch of that segment that `bytes` begin with, if
// it is whole and they have as many bytes as it says.
std::optional<BatchHeader> ReadBatchHeader(std::string_view bytes,
                                           uint64_t segment);

// Returns the batch of that segment that `bytes` begin with, if it is whole.
std::optional<Batch> ReadBatch(std::string_view bytes, uint64_t segment);

// Calls `visit` with each record, until it fails; returns its status, or
// DataLoss if the records do not fit together.
absl::Status ForEachRecord(
    const Batch& batch,
    const std::function<absl::Status(const Record&)>& visit);

}  // namespace persister

#endif  // PERSISTER_FILES_BATCH_H_
