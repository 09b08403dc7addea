// How a simulation gives up: what it says, and with which exit status.
//
// Every report goes to standard error: one line that says what is wrong, one
// that says where in the run, then each thread with what it waits for, the
// holder of that, and its stack with file and line.
//
// Thread safety: for the thread that holds the token.

#ifndef SIM_REPORT_H_
#define SIM_REPORT_H_

#include <cstdint>

#include "sim/thread.h"

namespace sim {

// Hooks::give_up. For the statuses of sim.h.
void Die(int status, const char* what);

// Hooks::on_block: ends the process with kExitDeadlock if `thread` closes a
// cycle in the wait-for graph. Timers that still tick would hide it otherwise.
void DieOnCycle(Thread* thread);

// The report's first two lines. Allocates nothing: a thread that hangs may hold
// the allocator's lock.
void WriteHeadline(const char* what);

// Whether `pc` is in a function of the simulator's own.
bool IsSimulatorCode(uintptr_t pc);

// A stack as backtrace() gives it.
void WriteStack(void* const* frames, int count);

}  // namespace sim

#endif  // SIM_REPORT_H_
