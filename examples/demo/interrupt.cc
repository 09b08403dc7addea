#include "examples/demo/interrupt.h"

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace tests {
namespace {

std::atomic<int> caught = 0;
static_assert(std::atomic<int>::is_always_lock_free,
              "a signal handler must not wait for a lock");

void OnSignal(int signal) { caught.store(signal); }

}  // namespace

void CatchInterrupts() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    std::signal(signal, &OnSignal);
  }
}

int Interrupted() { return caught.load(); }

}  // namespace tests
