// The end of a process that is simulated as a whole: a line of statistics in
// the file that SIM_STATS names.
//
// Thread safety: before main(), then for the thread that holds the token.

#ifndef SIM_STATS_H_
#define SIM_STATS_H_

#include <string>
#include <vector>

namespace sim {

// The arguments of this process, the program's name first; none without /proc.
std::vector<std::string> OwnArguments();

// From now on this process is simulated as a whole.
void BeginWholeProcess();
// In a forked child: so is this one, if its parent was.
void ContinueInChild();

// Ends the simulation of a wholly simulated process, whose exit status is known
// by now, and writes its statistics. Calls after the first do nothing.
void EndWholeProcess(int status);

}  // namespace sim

#endif  // SIM_STATS_H_
