#include "sim/watchdog.h"

#include <errno.h>
#include <execinfo.h>
#include <stdio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "sim/peer.h"
#include "sim/raw.h"
#include "sim/real.h"
#include "sim/report.h"
#include "sim/sched.h"
#include "sim/spin.h"
#include "sim/stats.h"

// The C library's own name for it, which no sanitizer intercepts: they would
// hold the watchdog's signal back until the program calls something.
extern "C" int __sigaction(int, const struct sigaction*, struct sigaction*);

namespace sim {
namespace {

// Seconds: until a thread hangs, until its report does.
constexpr uint64_t kPatience = 5;
constexpr uint64_t kReportPatience = 20;
constexpr uint64_t kSecond = 1'000'000'000;

constinit bool has_watchdog = false;
constinit timer_t watchdog_timer = {};
constinit bool is_reporting = false;

// When the run was last seen to move: at a look after its newest step. And
// since when it has used no processor to speak of: it waits for the kernel.
struct Progress {
  uint64_t steps;
  uint64_t cpu;  // of this process
  uint64_t busy_until;
  uint64_t cpu_then;
};
constinit Progress progress = {};
constexpr uint64_t kBusy = 50'000'000;

uint64_t ProcessorTime() {
  timespec used = {};
  Real().clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<uint64_t>(used.tv_sec) * kSecond +
         static_cast<uint64_t>(used.tv_nsec);
}

void NoteProgress() {
  const uint64_t cpu = ProcessorTime();
  progress = {scheduler.steps(), cpu, RealNow(), cpu};
}

void LookEvery(uint64_t nanoseconds) {
  const timespec interval = {static_cast<time_t>(nanoseconds / kSecond),
                             static_cast<long>(nanoseconds % kSecond)};
  const itimerspec times = {interval, interval};
  timer_settime(watchdog_timer, 0, &times, nullptr);
}

void DieHanging() {
  void* frames[Thread::kMaxFrames];
  const int count = backtrace(frames, Thread::kMaxFrames);
  scheduler.End();
  is_reporting = true;
  progress.busy_until = RealNow();
  char what[128];
  snprintf(
      what, sizeof(what),
      "HUNG: thread %d has not come to a scheduling point for %lu s of real "
      "time: it spins, or waits for the kernel",
      scheduler.current()->id, kPatience);
  WriteHeadline(what);
  WriteStack(frames, count);
  EndWholeProcess(kExitHung);
  Real()._exit(kExitHung);
}

// The current thread has made no step since the last look.
void OnIdleLook(uintptr_t pc) {
  const uint64_t now = ProcessorTime();
  const uint64_t cpu = now - progress.cpu;
  if (now >= progress.cpu_then + kBusy) {
    progress.busy_until = RealNow();
    progress.cpu_then = now;
  }
  switch (BreakSpin(pc, cpu)) {
    case Spin::kBroken:
      LookEvery(kSpinLook);
      return NoteProgress();
    case Spin::kInVain:
      return DieHanging();
    case Spin::kPerhaps:
      return;
    case Spin::kNone:
      break;
  }
  // It may spin by calls of a library (ThreadSanitizer makes one of each
  // access): it will be met between two.
  if (cpu >= kSecond) LookEvery(kSpinLook);
  const uint64_t idle = RealNow() - progress.busy_until;
  if (cpu >= kPatience * kSecond || idle >= kPatience * kSecond) DieHanging();
}

// Runs in any real thread; what to look at is the one that holds the token.
void OnWatchdogSignal(int signal, siginfo_t*, void* context) {
  const int error = errno;
  // The stack cannot be had: the thread hangs in what finds it out.
  if (is_reporting &&
      RealNow() - progress.busy_until > kReportPatience * kSecond) {
    RawSyscall(SYS_exit_group, kExitHung);
  }
  if (!scheduler.active()) return;
  if (scheduler.steps() != progress.steps || WaitsForTurn()) {
    NoteProgress();
  } else if (self == scheduler.current()) {
    const auto* const interrupted = static_cast<ucontext_t*>(context);
    OnIdleLook(static_cast<uintptr_t>(interrupted->uc_mcontext.gregs[REG_RIP]));
  } else {
    RawSyscall(SYS_tgkill, getpid(), scheduler.current()->tid, signal);
  }
  errno = error;
}

}  // namespace

void StartWatchdog() {
  struct sigaction action = {};
  action.sa_sigaction = OnWatchdogSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER;
  __sigaction(WatchdogSignal(), &action, nullptr);
  uint64_t ours = uint64_t{1} << (WatchdogSignal() - 1);
  RawSyscall(SYS_rt_sigprocmask, SIG_UNBLOCK, reinterpret_cast<long>(&ours), 0,
             sizeof(ours));
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = WatchdogSignal();
  if (timer_create(CLOCK_MONOTONIC, &event, &watchdog_timer) != 0) return;
  LookEvery(kSecond);
  has_watchdog = true;
  NoteProgress();
}

void StopWatchdog() {
  if (has_watchdog) timer_delete(watchdog_timer);
  has_watchdog = false;
}

}  // namespace sim
