#include "sim/logging_code.h"

#include <link.h>
#include <string.h>

namespace sim {

constinit CodeRange logging_code[kLoggingRanges] = {};

namespace {

bool IsLoggingLibrary(const char* path) {
  const char* const slash = strrchr(path, '/');
  const char* const name = slash == nullptr ? path : slash + 1;
  return strncmp(name, "libglog", 7) == 0;
}

int NoteCode(dl_phdr_info* info, size_t, void* next) {
  if (!IsLoggingLibrary(info->dlpi_name)) return 0;
  int& used = *static_cast<int*>(next);
  for (int i = 0; i < info->dlpi_phnum && used < kLoggingRanges; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
    const uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    logging_code[used++] = {begin, begin + header.p_memsz};
  }
  return 0;
}

}  // namespace

void NoteLoggingCode() {
  int used = 0;
  dl_iterate_phdr(NoteCode, &used);
}

}  // namespace sim
