// How a simulation gives up: what it says, and with which exit status.
//
// Every report goes to standard error: one line that says what is wrong, one
// that says where in the run, then each thread with what it waits for, who
// holds that, and its stack with file and line.
//
// Thread safety: for the thread that holds the token. The functions that end
// the process write the statistics (process.h) before.

#ifndef SIM_REPORT_H_
#define SIM_REPORT_H_

#include "sim/thread.h"

namespace sim {

// Ends the process with kExitDeadlock if `thread`, which is about to block,
// closes a circle of threads that wait for each other. That timers still tick
// would hide it otherwise.
void DieOnCircle(Thread* thread);

// Ends it with kExitDeadlock: nobody can run, and no timer will change that.
[[noreturn]] void DieOfStandstill();

// Ends it with kExitTimeLimit.
[[noreturn]] void DieOfOldAge();

// Ends it with kExitUnsupported: the program does `what`.
[[noreturn]] void DieUnsupported(const char* what);

// Starts to look once a second of real time whether the current thread comes to
// scheduling points; ends the process with kExitHung when it has not for five
// looks: it spins, or blocks in a system call. For one process: a fork needs
// its own.
void StartWatchdog();
void StopWatchdog();

// The time of alarm() has come. Where the program has no handler the process
// ends now; else `thread` runs it when it runs next.
void RaiseAlarm(Thread* thread);

}  // namespace sim

#endif  // SIM_REPORT_H_
