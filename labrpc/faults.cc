#include "labrpc/faults.h"

namespace labrpc {

using std::chrono::milliseconds;

milliseconds Faults::Below(uint64_t bound) {
  return milliseconds(random_.Below(bound));
}

milliseconds Faults::RequestDelay() { return Below(27); }

milliseconds Faults::ReorderingDelay() {
  // Two draws, one bounding the other, make short delays the likely ones.
  const uint64_t longest = random_.Below(2000);
  return milliseconds(200) + Below(longest + 1);
}

milliseconds Faults::UndeliverableDelay(bool long_delays) {
  return Below(long_delays ? 7000 : 100);
}

}  // namespace labrpc
