#include "bench/measure.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>

#include "base/logging.h"

namespace bench {
namespace {

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) +
         1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

Usage Usage::Now() {
  rusage used = {};
  CHECK_EQ(getrusage(RUSAGE_SELF, &used), 0);
  Usage usage;
  usage.kernel_seconds = SecondsOf(used.ru_stime);
  usage.cpu_seconds = SecondsOf(used.ru_utime) + usage.kernel_seconds;
  usage.page_faults = static_cast<double>(used.ru_minflt);
  usage.voluntary_switches = static_cast<double>(used.ru_nvcsw);
  return usage;
}

void ReportUsage(const Usage& before, uint64_t commands,
                 benchmark::State* state) {
  const Usage now = Usage::Now();
  const auto count = static_cast<double>(commands);
  const double cpu = now.cpu_seconds - before.cpu_seconds;
  state->counters["cpu_ns_per_command"] = 1e9 * cpu / count;
  state->counters["kernel_share"] =
      (now.kernel_seconds - before.kernel_seconds) / cpu;
  state->counters["faults_per_million"] =
      1e6 * (now.page_faults - before.page_faults) / count;
}

double Quantile(std::vector<double> samples, double share) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const auto last = static_cast<double>(samples.size() - 1);
  return samples[static_cast<size_t>(std::lround(share * last))];
}

double HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

double ThreadCount() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<double>(
      std::distance(begin(tasks), std::filesystem::directory_iterator()));
}

std::vector<int> AllowedCpus() {
  cpu_set_t set;
  CHECK_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

PinnedTo::PinnedTo(int cpu) {
  CHECK_EQ(sched_getaffinity(0, sizeof(before_), &before_), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
}

PinnedTo::~PinnedTo() {
  CHECK_EQ(sched_setaffinity(0, sizeof(before_), &before_), 0);
}

}  // namespace bench
