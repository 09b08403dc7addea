// Every random decision of the simulated network: delays, losses, reordering.
//
// Pure: it draws values and knows neither clocks nor calls, so that a test can
// judge the distributions on drawn values alone. A caller draws in the order in
// which a call meets its dangers: request delay, request loss, reply loss,
// reordering, reordering delay.
//
// Thread safety: compatible; the network's core guards its Faults with mu_.
// Invariant: all delays are whole milliseconds, as in the course.

#ifndef LABRPC_FAULTS_H_
#define LABRPC_FAULTS_H_

#include <chrono>

#include "base/random.h"

namespace labrpc {

class Faults {
 public:
  explicit Faults(base::Random random) : random_(random) {}

  // On its way to the server a request of an unreliable network waits 0..26 ms
  // and is then lost in one case of ten.
  std::chrono::milliseconds RequestDelay();
  bool LosesRequest() { return random_.Chance(100, 1000); }

  // The reply is lost in one case of ten too, independently.
  bool LosesReply() { return random_.Chance(100, 1000); }

  // Under long reordering two replies of three are held back, for 200..2199 ms,
  // short waits being more likely than long ones (mean 700 ms).
  bool ReordersReply() { return random_.Chance(600, 900); }
  std::chrono::milliseconds ReorderingDelay();

  // How long the caller of an unreachable server waits for its nothing:
  // 0..6999 ms with long delays, else 0..99 ms.
  std::chrono::milliseconds UndeliverableDelay(bool long_delays);

 private:
  std::chrono::milliseconds Below(uint64_t bound);

  base::Random random_;
};

}  // namespace labrpc

#endif  // LABRPC_FAULTS_H_
