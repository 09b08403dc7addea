// make bench's program: the cases of bench/, by Google Benchmark.
//
// bench/bench.py runs it, once for each case and repetition; it can be
// run by hand too, with Google Benchmark's own flags. --quick, which must come
// first, makes every case small: the figures then mean nothing.
//
// Exit status: 0; 2 for a wrong argument, with one line on standard error.

#include <benchmark/benchmark.h>

#include <string_view>

#include "base/logging.h"
#include "bench/cases.h"

namespace bench {
namespace {

void RegisterAll(Scale scale) {
  RegisterMachine(scale);
  RegisterPipelined(scale);
  RegisterSequential(scale);
  RegisterCatchUp(scale);
  RegisterElections(scale);
  RegisterStorage(scale);
  RegisterRpc(scale);
  RegisterIdle(scale);
  RegisterDisturbed(scale);
  RegisterSnapshots(scale);
  RegisterCompaction(scale);
  RegisterKeyValue(scale);
  RegisterShards(scale);
  RegisterFiles(scale);
  RegisterPeers(scale);
}

int Main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  if (quick) {
    argv[1] = argv[0];
    ++argv;
    --argc;
  }
  FLAGS_minloglevel = google::GLOG_WARNING;  // the stage logs every start
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  RegisterAll(quick ? Scale::kQuick : Scale::kFull);
  return benchmark::RunSpecifiedBenchmarks() > 0 ? 0 : 2;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
