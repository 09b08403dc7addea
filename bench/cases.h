// The cases: each function registers some with Google Benchmark.
//
// main() calls them all; bench/README.md says what each measures. A case
// runs once for each repetition (one iteration, timed by hand), and says the
// rest in counters. What ends it without a figure is said by
// state.SkipWithError(); what is wrong is fatal (CHECK).
//
// Thread safety: main() calls them before anything runs.

#ifndef BENCH_CASES_H_
#define BENCH_CASES_H_

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

namespace bench {

// How long the cases take: as the figures need it, or just long enough to see
// that each works.
enum class Scale : bool { kFull, kQuick };

inline uint64_t Scaled(Scale scale, uint64_t full, uint64_t quick) {
  return scale == Scale::kFull ? full : quick;
}

// Registers one case.
template <typename Body>
void AddCase(const std::string& name, const Body& body) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [body](benchmark::State& state) {
                                 while (state.KeepRunning()) body(state);
                               })
      ->UseManualTime()
      ->Iterations(1)
      ->Unit(benchmark::kMillisecond);
}

void RegisterMachine(Scale scale);     // what the machine allows
void RegisterPipelined(Scale scale);   // (b), (e), (g)
void RegisterSequential(Scale scale);  // (a), (e)
void RegisterCatchUp(Scale scale);     // (c)
void RegisterElections(Scale scale);   // (d)
void RegisterStorage(Scale scale);     // (f)
void RegisterRpc(Scale scale);         // (h)
void RegisterIdle(Scale scale);        // (i)
void RegisterDisturbed(Scale scale);   // (j)
void RegisterSnapshots(Scale scale);   // (k)
void RegisterCompaction(Scale scale);  // (l)
void RegisterKeyValue(Scale scale);    // (m)
void RegisterShards(Scale scale);      // (n)
void RegisterFiles(Scale scale);       // (o)
void RegisterPeers(Scale scale);       // (p)

}  // namespace bench

#endif  // BENCH_CASES_H_
