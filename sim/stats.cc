#include "sim/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sim/options.h"
#include "sim/real.h"
#include "sim/sched.h"

namespace sim {
namespace {

// The process that is simulated as a whole; 0: none. (A child of vfork() has
// another id, and only borrows this memory.)
constinit pid_t whole_process = 0;
constinit uint64_t real_begin = 0;

std::string StatsLine(int status) {
  const Result result = scheduler.ToResult();
  return absl::StrFormat(
      "seed=%d hash=%016x steps=%d switches=%d threads=%d virtual_ms=%.3f "
      "real_ms=%.3f %s status=%d args=%s\n",
      scheduler.options().seed, result.hash, result.steps, result.switches,
      result.threads, static_cast<double>(result.time.count()) / 1e6,
      static_cast<double>(RealNow() - real_begin) / 1e6,
      DescribeOptions(scheduler.options()), status,
      absl::StrJoin(OwnArguments(), " "));
}

}  // namespace

std::vector<std::string> OwnArguments() {
  std::vector<std::string> arguments;
  FILE* const file = fopen("/proc/self/cmdline", "re");
  if (file == nullptr) return arguments;
  char* argument = nullptr;
  size_t capacity = 0;
  while (getdelim(&argument, &capacity, '\0', file) > 0) {
    arguments.emplace_back(argument);
  }
  free(argument);
  fclose(file);
  return arguments;
}

void BeginWholeProcess() {
  whole_process = getpid();
  real_begin = RealNow();
}

void ContinueInChild() {
  if (whole_process != 0) whole_process = getpid();
}

void EndWholeProcess(int status) {
  if (whole_process != getpid()) return;
  whole_process = 0;
  scheduler.End();
  const char* const path = getenv("SIM_STATS");
  if (path == nullptr) return;
  const int fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
  const std::string line = StatsLine(status);
  if (fd < 0 || write(fd, line.data(), line.size()) < 0) {
    fprintf(stderr, "sim: cannot write SIM_STATS=%s: %s\n", path,
            strerror(errno));
  }
  if (fd >= 0) close(fd);
}

}  // namespace sim
