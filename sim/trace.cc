#include "sim/trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

namespace sim {
namespace {

constinit int trace_fd = -1;

const char* OpName(Op op) {
  switch (op) {
    case Op::kLock:
      return "lock";
    case Op::kTryLock:
      return "try-lock";
    case Op::kUnlock:
      return "unlock";
    case Op::kReadLock:
      return "read-lock";
    case Op::kWriteLock:
      return "write-lock";
    case Op::kRwlockUnlock:
      return "rwlock-unlock";
    case Op::kWait:
      return "wait";
    case Op::kSignal:
      return "signal";
    case Op::kBroadcast:
      return "broadcast";
    case Op::kSemaphoreWait:
      return "sem-wait";
    case Op::kSemaphorePost:
      return "sem-post";
    case Op::kFutexWait:
      return "futex-wait";
    case Op::kFutexWake:
      return "futex-wake";
    case Op::kCreate:
      return "create";
    case Op::kJoin:
      return "join";
    case Op::kEnd:
      return "end";
    case Op::kSleep:
      return "sleep";
    case Op::kYield:
      return "yield";
    case Op::kClock:
      return "clock";
    case Op::kAtomic:
      return "atomic";
    case Op::kAccess:
      return "access";
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
