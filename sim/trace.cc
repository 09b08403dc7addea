#include "sim/trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

namespace sim {
namespace {

constinit int trace_fd = -1;

struct NamedOp {
  Op op;
  const char* name;
};
constexpr NamedOp kOps[] = {{Op::kLock, "lock"},
                            {Op::kTryLock, "try-lock"},
                            {Op::kUnlock, "unlock"},
                            {Op::kReadLock, "read-lock"},
                            {Op::kWriteLock, "write-lock"},
                            {Op::kRwlockUnlock, "rwlock-unlock"},
                            {Op::kWait, "wait"},
                            {Op::kSignal, "signal"},
                            {Op::kBroadcast, "broadcast"},
                            {Op::kSemaphoreWait, "sem-wait"},
                            {Op::kSemaphorePost, "sem-post"},
                            {Op::kFutexWait, "futex-wait"},
                            {Op::kFutexWake, "futex-wake"},
                            {Op::kCreate, "create"},
                            {Op::kJoin, "join"},
                            {Op::kEnd, "end"},
                            {Op::kSend, "send"},
                            {Op::kReceive, "receive"},
                            {Op::kSleep, "sleep"},
                            {Op::kYield, "yield"},
                            {Op::kClock, "clock"},
                            {Op::kAtomic, "atomic"},
                            {Op::kAccess, "access"}};

const char* OpName(Op op) {
  for (const NamedOp& named : kOps) {
    if (named.op == op) return named.name;
  }
  return "?";
}

}  // namespace

// A system call for each line: what is written survives any crash.
void TracePoint(Op op, const void* object) {
  char line[128];
  const int length =
      snprintf(line, sizeof(line), "%lu %.1f T%d %s %p\n", scheduler.steps(),
               static_cast<double>(scheduler.now()) / 1e3,
               scheduler.current()->id, OpName(op), object);
  if (trace_fd < 0) return;
  if (write(trace_fd, line, static_cast<size_t>(length)) < 0) trace_fd = -1;
}

bool OpenTrace(const char* path) {
  trace_fd =
      open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
  return trace_fd >= 0;
}

}  // namespace sim
