// The command `linearizability`, but for its command line.
//
// Thread safety: functions of their arguments.

#ifndef PORCUPINE_COMMAND_H_
#define PORCUPINE_COMMAND_H_

#include <ostream>
#include <string>

#include "porcupine/outcome.h"

namespace porcupine {

// Exit statuses.
inline constexpr int kLinearizable = 0;
inline constexpr int kNotLinearizable = 1;
inline constexpr int kBadInput = 2;
inline constexpr int kUndecided = 3;

// Says on one line of `err` why there is nothing to check; returns kBadInput.
int Refuse(const std::string& why, std::ostream& err);

// Checks the history in that file and writes what ReportOf() says to `out`.
// Returns an exit status.
int CheckFile(const std::string& file, const Budget& budget, std::ostream& out,
              std::ostream& err);

}  // namespace porcupine

#endif  // PORCUPINE_COMMAND_H_
