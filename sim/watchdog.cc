#include "sim/watchdog.h"

#include <execinfo.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "sim/peer.h"
#include "sim/raw.h"
#include "sim/real.h"
#include "sim/report.h"
#include "sim/sched.h"
#include "sim/stats.h"

// The C library's own name for it, which no sanitizer intercepts: they would
// hold the watchdog's signal back until the program calls something.
extern "C" int __sigaction(int, const struct sigaction*, struct sigaction*);

namespace sim {
namespace {

// Looks, a second apart: until a thread hangs, until its report does.
constexpr int kPatience = 5;
constexpr int kReportPatience = 20;

constinit bool has_watchdog = false;
constinit timer_t watchdog_timer = {};
constinit uint64_t steps_then = 0;
constinit int idle_looks = 0;
constinit bool is_reporting = false;

void DieHanging() {
  void* frames[Thread::kMaxFrames];
  const int count = backtrace(frames, Thread::kMaxFrames);
  scheduler.End();
  is_reporting = true;
  idle_looks = 0;
  char what[128];
  snprintf(
      what, sizeof(what),
      "HUNG: thread %d has not come to a scheduling point for %d s of real "
      "time: it spins, or waits for the kernel",
      scheduler.current()->id, kPatience);
  WriteHeadline(what);
  WriteStack(frames, count);
  EndWholeProcess(kExitHung);
  Real()._exit(kExitHung);
}

// Runs in any real thread; what to look at is the one that holds the token.
void OnWatchdogSignal(int signal, siginfo_t* info, void*) {
  const bool is_timer = info->si_code == SI_TIMER;
  // The stack cannot be had: the thread hangs in what finds it out.
  if (is_reporting && is_timer && ++idle_looks > kReportPatience) {
    RawSyscall(SYS_exit_group, kExitHung);
  }
  if (!scheduler.active()) return;
  if (is_timer && (scheduler.steps() != steps_then || PeerHasTurn())) {
    steps_then = scheduler.steps();
    idle_looks = 0;
  } else if (is_timer && ++idle_looks < kPatience) {
    return;
  } else if (self == scheduler.current()) {
    DieHanging();
  } else {
    RawSyscall(SYS_tgkill, getpid(), scheduler.current()->tid, signal);
  }
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
  const itimerspec every_second = {{1, 0}, {1, 0}};
  timer_settime(watchdog_timer, 0, &every_second, nullptr);
  has_watchdog = true;
  idle_looks = 0;
}

void StopWatchdog() {
  if (has_watchdog) timer_delete(watchdog_timer);
  has_watchdog = false;
}

}  // namespace sim
