// A simulation's options out of the environment (sim/README.md lists them).
//
// Thread safety: free functions without state.

#ifndef SIM_OPTIONS_H_
#define SIM_OPTIONS_H_

#include <optional>
#include <string>

#include "sim/sim.h"

namespace sim {

// The options that the SIM_ variables ask for; nothing if SIM_SEED is not set.
// For a variable with a bad value returns nothing too, and says in `error`, in
// one line, what to give instead.
std::optional<Options> OptionsFromEnvironment(std::string* error);

const char* EngineName(Engine engine);

// `engine=fiber preempt=0.1 stall=0.005 slack_us=200`: the knobs, on a line.
std::string DescribeOptions(const Options& options);

}  // namespace sim

#endif  // SIM_OPTIONS_H_
