// The simulation as a whole: of one call in sim.h, or of a whole process, from
// before main() to its end, where SIM_SEED is set.
//
// Thread safety: before main(), then for the thread that holds the token.

#ifndef SIM_PROCESS_H_
#define SIM_PROCESS_H_

#include <cstdint>

namespace sim {

// Writes the statistics of a wholly simulated process (SIM_STATS). Called once
// it is known how it ends; calls after the first do nothing.
void OnProcessEnd(int status);

// The code of the library whose calls are no scheduling points, because logging
// must not change a run: glog's. Unused entries are zero.
struct CodeRange {
  uintptr_t begin;
  uintptr_t end;
};
inline constexpr int kLoggingRanges = 4;
extern CodeRange logging_code[kLoggingRanges];

inline bool IsLoggingCode(const void* caller) {
  const auto address = reinterpret_cast<uintptr_t>(caller);
  for (const CodeRange& range : logging_code) {
    if (range.begin <= address && address < range.end) return true;
  }
  return false;
}

}  // namespace sim

#endif  // SIM_PROCESS_H_
