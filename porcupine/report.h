// A verdict as text, for a terminal.
//
// Thread safety: functions of their arguments.

#ifndef PORCUPINE_REPORT_H_
#define PORCUPINE_REPORT_H_

#include <string>

#include "porcupine/check.h"
#include "porcupine/history.h"

namespace porcupine {

// "lost write", ...
const char* NameOf(Violation violation);

// Lines. The first one begins with "ok", "illegal" or "unknown".
std::string ReportOf(const History& history, const Verdict& verdict);

}  // namespace porcupine

#endif  // PORCUPINE_REPORT_H_
