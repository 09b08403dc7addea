#include "persister/files/batch.h"

#include <cstddef>
#include <cstring>
#include <limits>

#include "base/logging.h"
#include "persister/files/crc32c.h"

namespace persister {
namespace {

template <typename Header>
std::string_view BytesOf(const Header& header) {
  return {reinterpret_cast<const char*>(&header), sizeof(header)};
}

size_t Padded(size_t bytes) { return (bytes + 7) / 8 * 8; }

uint32_t HeaderCrc(const BatchHeader& header) {
  return Crc32c(BytesOf(header).substr(0, offsetof(BatchHeader, header_crc)));
}

}  // namespace

void BatchBuilder::Add(const Record& record) {
  CHECK_LE(bytes_.size() + sizeof(RecordHeader) + Padded(record.payload.size()),
           std::numeric_limits<uint32_t>::max())
      << "a batch must be smaller than 4 GiB";
  const RecordHeader header{
      .bytes = static_cast<uint32_t>(record.payload.size()),
      .type = record.type,
      .index = record.index,
      .term = record.term};
  bytes_.append(BytesOf(header));
  bytes_.append(record.payload);
  bytes_.resize(Padded(bytes_.size()));
}

std::string_view BatchBuilder::Seal(uint64_t segment, uint64_t number,
                                    uint64_t offset) {
  BatchHeader header{.bytes = static_cast<uint32_t>(bytes_.size()),
                     .segment = segment,
                     .number = number};
  const std::string_view records =
      std::string_view(bytes_).substr(sizeof(header));
  header.records_crc = Crc32c(records);
  bytes_.replace(0, sizeof(header), BytesOf(header));
  header.zero_parts = ZeroParts(bytes_, offset);
  header.header_crc = HeaderCrc(header);
  bytes_.replace(0, sizeof(header), BytesOf(header));
  return bytes_;
}

std::optional<BatchHeader> ReadBatchHeader(std::string_view bytes,
                                           uint64_t segment) {
  BatchHeader header;
  if (bytes.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.segment != segment || header.header_crc != HeaderCrc(header) ||
      header.bytes < sizeof(header) || header.bytes > bytes.size()) {
    return std::nullopt;
  }
  return header;
}

std::optional<Batch> ReadBatch(std::string_view bytes, uint64_t segment) {
  const std::optional<BatchHeader> header = ReadBatchHeader(bytes, segment);
  if (!header.has_value()) return std::nullopt;
  const std::string_view records =
      bytes.substr(sizeof(*header), header->bytes - sizeof(*header));
  if (Crc32c(records) != header->records_crc) return std::nullopt;
  return Batch{*header, records};
}

absl::Status ForEachRecord(
    const Batch& batch,
    const std::function<absl::Status(const Record&)>& visit) {
  std::string_view rest = batch.records;
  while (!rest.empty()) {
    RecordHeader header;
    if (rest.size() < sizeof(header)) {
      return absl::DataLossError("a record is cut short");
    }
    std::memcpy(&header, rest.data(), sizeof(header));
    rest.remove_prefix(sizeof(header));
    if (rest.size() < Padded(header.bytes)) {
      return absl::DataLossError("a record is cut short");
    }
    absl::Status status = visit({.type = header.type,
                                 .index = header.index,
                                 .term = header.term,
                                 .payload = rest.substr(0, header.bytes)});
    if (!status.ok()) return status;
    rest.remove_prefix(Padded(header.bytes));
  }
  return absl::OkStatus();
}

}  // namespace persister
