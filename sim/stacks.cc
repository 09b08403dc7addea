// What takes the place of tests/runner/stacks.cc in a simulated test program:
// the stacks come from the scheduler, since the fibers' real threads sleep with
// all signals masked.

#include <string.h>
#include <unistd.h>

#include "sim/sim.h"

namespace runner {

void PrintAllStacks(int fd);

void PrintAllStacks(int fd) {
  if (sim::Active()) return sim::PrintStacks(fd);
  constexpr char kNothing[] = "no stacks: the process is not simulated\n";
  if (write(fd, kNothing, strlen(kNothing)) < 0) return;
}

}  // namespace runner
