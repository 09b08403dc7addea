// The work that our Raft and others beside it are given in the same run, and
// what such a case is called.
//
// Thread safety: plain values and free functions.

#ifndef BENCH_PEERS_H_
#define BENCH_PEERS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/cases.h"

namespace bench {

// How many commands may be outstanding, at the most, where that must not
// matter.
inline constexpr uint64_t kLargeWindow = 65'536;

struct Work {
  size_t bytes = 0;  // of a command
  uint64_t window =
      0;  // commands outstanding; 1: each is waited for, and timed
  uint64_t commands = 0;
};

std::vector<Work> WorkOfPeers(Scale scale);

// "peers/NAME/bytes:16/window:1024", as peer_runs.py reads it.
std::string CaseOfPeer(const std::string& name, const Work& work);

// After how many commands a client looks again whether all but a window are
// applied.
inline uint64_t LookEvery(uint64_t window) {
  return std::max<uint64_t>(window / 64, 1);
}

}  // namespace bench

#endif  // BENCH_PEERS_H_
