// The code of the library whose calls are no scheduling points, because logging
// must not change a run: glog's.
//
// Thread safety: noted before the first simulation, constant afterwards.

#ifndef SIM_LOGGING_CODE_H_
#define SIM_LOGGING_CODE_H_

#include <cstdint>

namespace sim {

// Unused entries are zero.
struct CodeRange {
  uintptr_t begin;
  uintptr_t end;
};
inline constexpr int kLoggingRanges = 4;
extern CodeRange logging_code[kLoggingRanges];

// Finds where the library has been loaded.
void NoteLoggingCode();

inline bool IsLoggingCode(const void* caller) {
  const auto address = reinterpret_cast<uintptr_t>(caller);
  for (const CodeRange& range : logging_code) {
    if (range.begin <= address && address < range.end) return true;
  }
  return false;
}

}  // namespace sim

#endif  // SIM_LOGGING_CODE_H_
