// Every random decision of the simulated network: delays, losses, reordering.
//
// Pure: draws values and knows neither clocks nor calls, so that a test can
// check the distributions on drawn values alone. A call draws in the order of
// its faults: request delay, request loss, reply loss, reordering, reordering
// delay.
//
// Thread safety: compatible; the network's core guards its Faults with mu_.
// Invariants: all delays are whole milliseconds, as in the course.

#ifndef LABRPC_FAULTS_H_
#define LABRPC_FAULTS_H_

#include <chrono>

#include "base/random.h"

namespace labrpc {

class Faults {
 public:
  using Milliseconds = std::chrono::milliseconds;

  explicit Faults(base::Random random) : random_(random) {}

  // On its way to the server a request of an unreliable network waits 0..26 ms
  // and is then lost in one case of ten.
  Milliseconds RequestDelay() { return Below(27); }
  bool LosesRequest() { return random_.Chance(100, 1000); }

  // The reply is lost in one case of ten too, independently.
  bool LosesReply() { return random_.Chance(100, 1000); }

  // Under long reordering two replies of three are held back, for 200..2199 ms.
  // Two draws, one bounding the other, make short delays the likely ones: the
  // mean is 700 ms.
  bool ReordersReply() { return random_.Chance(600, 900); }
  Milliseconds ReorderingDelay() {
    const uint64_t longest = random_.Below(2000);
    return Milliseconds(200) + Below(longest + 1);
  }

  // How long the caller of an unreachable server waits until it fails:
  // 0..6999 ms with long delays, else 0..99 ms.
  Milliseconds UndeliverableDelay(bool long_delays) {
    return Below(long_delays ? 7000 : 100);
  }

 private:
  Milliseconds Below(uint64_t bound) {
    return Milliseconds(random_.Below(bound));
  }

  base::Random random_;
};

}  // namespace labrpc

#endif  // LABRPC_FAULTS_H_
