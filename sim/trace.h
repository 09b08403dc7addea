// The text log of scheduling points (SIM_TRACE=FILE), a line each:
//
//   step  virtual time in us  thread  what  object
//
// Writing it changes nothing of the run.
//
// Thread safety: for the thread that holds the token.

#ifndef SIM_TRACE_H_
#define SIM_TRACE_H_

#include "sim/sched.h"

namespace sim {

// Opens the log; returns false, with errno, if that is not possible.
bool OpenTrace(const char* path);

// Writes a line. REQUIRES: OpenTrace() has returned true.
void TracePoint(Op op, const void* object);

}  // namespace sim

#endif  // SIM_TRACE_H_
