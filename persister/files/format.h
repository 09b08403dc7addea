// The bytes of version 1 of FileStorage's files: headers, batches, records.
//
// All numbers are little-endian, all parts begin at a multiple of 8 bytes.
//
//   segment   SegmentHeader, in a sector of its own; batches; zeros
//   batch     BatchHeader, records
//   record    RecordHeader, payload, zeros up to a multiple of 8
//   snapshot  SnapshotHeader, content
//   ID        IdentityHeader
//
// Thread safety: plain values and pure functions.

#ifndef PERSISTER_FILES_FORMAT_H_
#define PERSISTER_FILES_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace persister {

inline constexpr uint32_t kFormatVersion = 1;

// Whose storage it is.
struct Identity {
  uint64_t cluster = 0;
  uint64_t server = 0;
  friend bool operator==(const Identity&, const Identity&) = default;
};

// No log has an entry of a greater index.
inline constexpr uint64_t kMaxIndex = uint64_t{1} << 62;

// What a log has come to at some moment, without its entries.
struct LogState {
  uint64_t next_index = 1;  // of the entry that will be appended next
  uint64_t term = 0;
  int64_t voted_for = -1;
  uint64_t snapshot_index = 0;  // 0: there is no snapshot
  uint64_t snapshot_term = 0;
  friend bool operator==(const LogState&, const LogState&) = default;
};

// What all headers but a batch's begin with.
struct Seal {
  uint64_t magic = 0;
  uint32_t version = kFormatVersion;
  uint32_t crc = 0;  // of the header, with 0 here
};

struct IdentityHeader {
  static constexpr uint64_t kMagic = 0x31444954464152ULL;  // "RAFTID1"
  Seal seal = {};
  Identity identity = {};
};

struct SegmentHeader {
  static constexpr uint64_t kMagic = 0x314C4157544652ULL;  // "RFTWAL1"
  Seal seal = {};
  Identity identity = {};
  uint64_t sequence = 0;     // counts segments, from 1
  uint64_t file_bytes = 0;   // the size of the file
  uint64_t first_batch = 0;  // the number of the first batch
  LogState start = {};       // before the first batch
};

struct SnapshotHeader {
  static constexpr uint64_t kMagic = 0x31504E53544652ULL;  // "RFTSNP1"
  Seal seal = {};
  Identity identity = {};
  uint64_t index = 0;
  uint64_t term = 0;
  uint64_t bytes = 0;  // of the content
  uint64_t crc = 0;    // of the content
};

// Returns the CRC that belongs into a header's seal.
uint32_t SealCrc(std::string_view header);
// Says what is wrong with bytes that shall be a header.
absl::Status CheckSeal(std::string_view bytes, size_t header_bytes,
                       uint64_t magic);

// Completes a header, and returns its bytes.
template <typename Header>
std::string Encode(Header header) {
  static_assert(std::is_trivially_copyable_v<Header>);
  static_assert(std::has_unique_object_representations_v<Header>);
  const auto bytes = [&header] {
    return std::string(reinterpret_cast<const char*>(&header), sizeof(header));
  };
  header.seal.magic = Header::kMagic;
  header.seal.crc = SealCrc(bytes());
  return bytes();
}

// The header that bytes begin with. DataLoss: they are no such header;
// FailedPrecondition: of a newer version.
template <typename Header>
absl::StatusOr<Header> Decode(std::string_view bytes) {
  const absl::Status status = CheckSeal(bytes, sizeof(Header), Header::kMagic);
  if (!status.ok()) return status;
  Header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

// Where the first batch of a segment begins.
inline constexpr size_t kFirstBatchOffset = 512;

// A batch is what one flush wrote. No aligned word of its header is zero: one
// that is was not written. The header has a checksum of its own, for what is
// torn is judged by its size.
struct BatchHeader {
  uint32_t bytes = 0;        // of the whole batch
  uint32_t records_crc = 0;  // of all after the header
  uint64_t segment = 0;      // the sequence of its segment
  uint64_t number = 0;       // counts batches of all segments, from 1
  uint32_t zero_parts = 0;   // as ZeroParts() counts, when it was written
  uint32_t header_crc = 0;   // of the header up to here
};

enum class RecordType : uint32_t {
  kEntries = 1,   // index: of the first; term: of the last; payload: packed
  kVote = 2,      // index: the vote; term
  kTruncate = 3,  // index: of the first entry discarded
  kSnapshot = 4,  // index, term: of the snapshot's last entry
};

struct RecordHeader {
  uint32_t bytes = 0;  // of the payload
  RecordType type = RecordType::kEntries;
  uint64_t index = 0;
  uint64_t term = 0;
};

// A record as it lies in bytes of another object, which must outlive it.
struct Record {
  RecordType type = RecordType::kEntries;
  uint64_t index = 0;
  uint64_t term = 0;
  std::string_view payload = {};
};

static_assert(sizeof(IdentityHeader) == 32 && sizeof(SegmentHeader) == 96 &&
              sizeof(SnapshotHeader) == 64 && sizeof(BatchHeader) == 32 &&
              sizeof(RecordHeader) == 24);

// How many sectors have only zeros of `bytes` in them, if these lie at
// `offset`. A batch that has more than when it was written was not written
// whole, for its place was zero before.
uint32_t ZeroParts(std::string_view bytes, uint64_t offset);

// True if all bytes are zero.
bool AllZero(std::string_view bytes);

}  // namespace persister

#endif  // PERSISTER_FILES_FORMAT_H_
