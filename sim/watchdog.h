// The watchdog: looks once a second of real time whether the run still comes to
// scheduling points; what spins, or blocks in a system call, does not.
//
// Thread safety: for the thread that holds the token.

#ifndef SIM_WATCHDOG_H_
#define SIM_WATCHDOG_H_

#include <signal.h>

namespace sim {

// Starts to look; breaks spins (spin.h), and ends the process with kExitHung
// when the current thread has not come to a scheduling point for five seconds.
// For one process: a fork needs its own.
void StartWatchdog();
void StopWatchdog();

// The signal by which it looks at a thread; never masked.
inline int WatchdogSignal() { return SIGRTMAX - 1; }

}  // namespace sim

#endif  // SIM_WATCHDOG_H_
