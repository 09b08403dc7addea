#include "sim/arena.h"

#include <sys/mman.h>

#include "sim/raw.h"

namespace sim {
namespace {

constexpr size_t kBlock = 1 << 20;
constexpr size_t kAlignment = 64;

constinit char* block = nullptr;
constinit size_t left = 0;

}  // namespace

void* AllocateZeros(size_t size) {
  size = (size + kAlignment - 1) / kAlignment * kAlignment;
  if (left < size) {
    left = size > kBlock ? size : kBlock;
    block = reinterpret_cast<char*>(
        RawSyscall(SYS_mmap, 0, static_cast<long>(left), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  }
  void* const memory = block;
  block += size;
  left -= size;
  return memory;
}

}  // namespace sim
