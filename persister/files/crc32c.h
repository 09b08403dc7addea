// CRC-32C (Castagnoli), the checksum of what FileStorage writes: the
// processor's instruction where it has one (SSE 4.2), otherwise a table.
//
// Thread safety: pure functions.

#ifndef PERSISTER_FILES_CRC32C_H_
#define PERSISTER_FILES_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace persister {

// Returns the CRC of what had `before`, followed by `bytes`.
uint32_t Crc32c(std::string_view bytes, uint32_t before = 0);

// The two ways, for tests. REQUIRES of the second: HasCrc32cInstruction().
uint32_t Crc32cByTable(std::string_view bytes, uint32_t before);
uint32_t Crc32cByInstruction(std::string_view bytes, uint32_t before);
bool HasCrc32cInstruction();

}  // namespace persister

#endif  // PERSISTER_FILES_CRC32C_H_
