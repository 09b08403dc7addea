#include "tests/kvraft/pace.h"

#include <chrono>
#include <thread>

namespace tests {

void AwaitRound(std::chrono::nanoseconds round) {
  using Clock = std::chrono::steady_clock;
  const Clock::duration now = Clock::now().time_since_epoch();
  std::this_thread::sleep_until(Clock::time_point((now / round + 1) * round));
}

}  // namespace tests
