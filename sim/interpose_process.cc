// Randomness, the machine's size, ids, and the end of the process: everything
// else that would make two runs of one seed differ.

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "sim/interpose.h"
#include "sim/stats.h"

namespace sim {
namespace {

// A machine of this many processors, whatever the real one has.
constexpr int kProcessors = 4;
// Thread ids begin here: logs show them.
constexpr pid_t kFirstTid = 1000;

void Fill(void* buffer, size_t size) {
  auto* const bytes = static_cast<unsigned char*>(buffer);
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<unsigned char>(scheduler.Random());
  }
}

}  // namespace
}  // namespace sim

using sim::OnSimulatedThread;
using sim::Real;
using sim::scheduler;

extern "C" {

// --------------------------------------------------------------- randomness

int getentropy(void* buffer, size_t size) {
  if (!OnSimulatedThread()) return Real().getentropy(buffer, size);
  constexpr size_t kMost = 256;
  if (size > kMost) {
    errno = EIO;
    return -1;
  }
  sim::Fill(buffer, size);
  return 0;
}

ssize_t getrandom(void* buffer, size_t size, unsigned flags) {
  if (!OnSimulatedThread()) return Real().getrandom(buffer, size, flags);
  sim::Fill(buffer, size);
  return static_cast<ssize_t>(size);
}

void arc4random_buf(void* buffer, size_t size) noexcept {
  if (getrandom(buffer, size, 0) != static_cast<ssize_t>(size)) abort();
}

uint32_t arc4random() noexcept {
  uint32_t number = 0;
  arc4random_buf(&number, sizeof(number));
  return number;
}

// Uniform below `bound`, without a bias: numbers that do not fit are drawn
// again.
uint32_t arc4random_uniform(uint32_t bound) noexcept {
  if (bound < 2) return 0;
  const uint32_t least = (0u - bound) % bound;
  uint32_t number = arc4random();
  while (number < least) number = arc4random();
  return number % bound;
}

// std::random_device::_M_getval(): it may use the processor's own generator.
unsigned _ZNSt13random_device9_M_getvalEv(void* device) {
  if (!OnSimulatedThread()) return Real().random_device(device);
  return static_cast<unsigned>(scheduler.Random());
}

// ---------------------------------------------------------------- the machine

// std::thread::hardware_concurrency().
int get_nprocs() noexcept {
  return OnSimulatedThread() ? sim::kProcessors : Real().get_nprocs();
}

long sysconf(int name) noexcept {
  const bool is_size =
      name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF;
  return is_size ? get_nprocs() : Real().sysconf(name);
}

pid_t gettid() noexcept {
  if (OnSimulatedThread()) return sim::kFirstTid + sim::self->id;
  return static_cast<pid_t>(syscall(SYS_gettid));
}

// -------------------------------------------------- beginning and end of it

pid_t fork() noexcept {
  if (!OnSimulatedThread()) return Real().fork();
  scheduler.BeginFork();
  const pid_t child = Real().fork();
  scheduler.EndFork();
  return child;
}

void _exit(int status) {
  sim::EndWholeProcess(status);
  Real()._exit(status);
  __builtin_unreachable();
}

void _Exit(int status) noexcept { _exit(status); }

void abort() noexcept {
  constexpr int kAborted = 134;  // as a shell shows it
  sim::EndWholeProcess(kAborted);
  Real().abort();
  __builtin_unreachable();
}

}  // extern "C"
