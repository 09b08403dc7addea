#include "persister/files/format.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "persister/files/crc32c.h"
#include "persister/files/files.h"

namespace persister {

static_assert(std::endian::native == std::endian::little,
              "the files are little-endian");
static_assert(kFirstBatchOffset == kSectorBytes,
              "a segment's header is written whole or not at all");

uint32_t SealCrc(std::string_view header) {
  Seal seal;
  std::memcpy(&seal, header.data(), sizeof(seal));
  seal.crc = 0;
  const std::string_view sealed(reinterpret_cast<const char*>(&seal),
                                sizeof(seal));
  return Crc32c(header.substr(sizeof(seal)), Crc32c(sealed));
}

absl::Status CheckSeal(std::string_view bytes, size_t header_bytes,
                       uint64_t magic) {
  if (bytes.size() < header_bytes) {
    return absl::DataLossError("is cut short in its header");
  }
  Seal seal;
  std::memcpy(&seal, bytes.data(), sizeof(seal));
  if (seal.magic != magic) {
    return absl::DataLossError("has a damaged header: no magic number");
  }
  if (seal.version > kFormatVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("has format version ", seal.version,
                     "; this program knows none newer than ", kFormatVersion));
  }
  if (seal.crc != SealCrc(bytes.substr(0, header_bytes))) {
    return absl::DataLossError("has a damaged header: its checksum is wrong");
  }
  return absl::OkStatus();
}

uint32_t ZeroParts(std::string_view bytes, uint64_t offset) {
  uint32_t count = 0;
  while (!bytes.empty()) {
    const size_t part =
        std::min<size_t>(bytes.size(), kSectorBytes - offset % kSectorBytes);
    if (AllZero(bytes.substr(0, part))) ++count;
    bytes.remove_prefix(part);
    offset += part;
  }
  return count;
}

bool AllZero(std::string_view bytes) {
  if (bytes.empty()) return true;
  // Each byte is as the one before, and the first is zero.
  return bytes[0] == '\0' &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace persister
