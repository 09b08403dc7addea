#include "tests/kvraft/pace.h"

#include <chrono>
#include <thread>

namespace tests {

void AwaitRound(int clients) {
  using Clock = std::chrono::steady_clock;
  const Clock::duration round = std::chrono::milliseconds(10) * clients;
  const Clock::duration now = Clock::now().time_since_epoch();
  std::this_thread::sleep_until(Clock::time_point((now / round + 1) * round));
}

}  // namespace tests
