// Small instruments of the benchmarks: usage of the process, quantiles, and
// where threads may run.
//
// Thread safety: plain values and free functions. Affinity is the calling
// thread's, and inherited by the threads that it starts.

#ifndef BENCH_MEASURE_H_
#define BENCH_MEASURE_H_

#include <benchmark/benchmark.h>
#include <sched.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace bench {

// What the process has used since it began, all threads.
struct Usage {
  double cpu_seconds = 0;         // user and kernel
  double kernel_seconds = 0;      // the kernel's of these
  double page_faults = 0;         // without a read from a disk
  double voluntary_switches = 0;  // threads that went to sleep
  static Usage Now();
};

// Says what has been used since then, for each of the commands.
void ReportUsage(const Usage& before, uint64_t commands,
                 benchmark::State* state);

// The value that `share` of the samples do not exceed; 0 if there are none.
double Quantile(std::vector<double> samples, double share);

inline double Seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Bytes of the heap in use, all arenas and mapped blocks.
double HeapBytes();

// Threads of this process.
double ThreadCount();

// The processors that this thread may run on.
std::vector<int> AllowedCpus();

// Keeps the calling thread, and those that it starts meanwhile, on one of them.
class PinnedTo {
 public:
  explicit PinnedTo(int cpu);
  ~PinnedTo();
  PinnedTo(const PinnedTo&) = delete;
  PinnedTo& operator=(const PinnedTo&) = delete;

 private:
  cpu_set_t before_;
};

}  // namespace bench

#endif  // BENCH_MEASURE_H_
