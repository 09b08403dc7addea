// The text log of scheduling points (SIM_TRACE=FILE), a line each:
//
//   step  virtual time in us  thread  what  object
//
// Writing it changes nothing of the run.
//
// Thread safety: the one thread that runs may call TracePoint().

#ifndef SIM_TRACE_H_
#define SIM_TRACE_H_

#include "sim/sched.h"

namespace sim {

extern int trace_fd;  // -1: no log is wanted

void WriteTraceLine(Op op, const void* object);

inline void TracePoint(Op op, const void* object) {
  if (__builtin_expect(trace_fd >= 0, 0)) WriteTraceLine(op, object);
}

// Opens the log; returns false, with errno, if that is not possible.
bool OpenTrace(const char* path);

}  // namespace sim

#endif  // SIM_TRACE_H_
