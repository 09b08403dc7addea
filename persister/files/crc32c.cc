#include "persister/files/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

namespace persister {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // Castagnoli's, reflected

consteval std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    }
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = MakeTable();

}  // namespace

uint32_t Crc32cByTable(std::string_view bytes, uint32_t before) {
  uint32_t crc = ~before;
  for (const char byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint8_t>(byte)) & 0xFF];
  }
  return ~crc;
}

#ifdef __x86_64__
bool HasCrc32cInstruction() { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) uint32_t Crc32cByInstruction(
    std::string_view bytes, uint32_t before) {
  uint64_t crc = static_cast<uint32_t>(~before);
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    crc = _mm_crc32_u64(crc, word);
    at += sizeof(word);
  }
  for (; left > 0; --left) {
    crc = _mm_crc32_u8(static_cast<uint32_t>(crc), static_cast<uint8_t>(*at++));
  }
  return ~static_cast<uint32_t>(crc);
}
#else
bool HasCrc32cInstruction() { return false; }

uint32_t Crc32cByInstruction(std::string_view bytes, uint32_t before) {
  return Crc32cByTable(bytes, before);
}
#endif

uint32_t Crc32c(std::string_view bytes, uint32_t before) {
  static const bool has_instruction = HasCrc32cInstruction();
  return has_instruction ? Crc32cByInstruction(bytes, before)
                         : Crc32cByTable(bytes, before);
}

}  // namespace persister
