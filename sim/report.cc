#include "sim/report.h"

#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/symbolize.h"
#include "sim/engine.h"
#include "sim/process.h"
#include "sim/raw.h"
#include "sim/real.h"
#include "sim/sched.h"
#include "sim/waits.h"

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

void WriteError(int fd, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) return;
    if (count > 0) done += static_cast<size_t>(count);
  }
}

// Allocates nothing: what hangs may hold the allocator's lock.
void WriteHeadline(const char* what) {
  const Result result = scheduler.ToResult();
  char text[512];
  const int length = snprintf(
      text, sizeof(text),
      "sim: %s\nsim: seed=%lu virtual time=%.6f s step=%lu hash=%016lx\n", what,
      scheduler.options().seed, static_cast<double>(result.time.count()) / 1e9,
      result.steps, result.hash);
  const auto size = static_cast<size_t>(length);
  if (write(STDERR_FILENO, text, size < sizeof(text) ? size : sizeof(text)) <
      0) {
    return;
  }
}

// Without the simulator's own functions on its top.
base::Stack ToStack(void* const* frames, int count) {
  base::Stack stack;
  for (int i = 0; i < count; ++i) {
    // A return address is the one behind the call.
    const uintptr_t pc = reinterpret_cast<uintptr_t>(frames[i]) - 1;
    const bool is_ours = absl::StartsWith(base::FunctionName(pc), "sim::");
    if (!stack.empty() || !is_ours) stack.push_back(pc);
  }
  // And the one at its bottom.
  while (!stack.empty() &&
         absl::StartsWith(base::FunctionName(stack.back()), "sim::")) {
    stack.pop_back();
  }
  return stack;
}

std::string ThreadTitle(const Thread* thread) {
  std::string text = absl::StrCat("thread ", thread->id);
  if (thread->is_main) absl::StrAppend(&text, " (main)");
  if (thread->name[0] != '\0')
    absl::StrAppend(&text, " \"", thread->name, "\"");
  if (thread == scheduler.current()) absl::StrAppend(&text, " (current)");
  return absl::StrCat(text, ": ", DescribeWait(thread), "\n");
}

std::string AllStacks() {
  std::vector<Thread*> threads;
  for (int i = 0; i < ThreadCount(); ++i) {
    Thread* const thread = ThreadAt(i);
    if (thread->state == ThreadState::kFree) continue;
    thread->frame_count = 0;
    if (thread->state != ThreadState::kEnded) AskForStack(thread);
    threads.push_back(thread);
  }
  std::vector<base::Stack> stacks;
  for (const Thread* thread : threads) {
    stacks.push_back(ToStack(thread->frames, thread->frame_count));
  }
  const base::Symbolizer symbolizer(stacks);
  std::string text;
  for (size_t i = 0; i < threads.size(); ++i) {
    absl::StrAppend(&text, ThreadTitle(threads[i]), symbolizer.Text(stacks[i]));
  }
  return text;
}

[[noreturn]] void End(int status) {
  fflush(nullptr);
  OnProcessEnd(status);
  Real().exit_now(status);
  __builtin_unreachable();
}

[[noreturn]] void Die(const std::string& what, int status) {
  scheduler.End();  // from here on every function is the real one
  StopWatchdog();
  WriteHeadline(what.c_str());
  WriteError(STDERR_FILENO, AllStacks());
  End(status);
}

std::string DescribeCircle(const Thread* thread) {
  std::string text = absl::StrCat("thread ", thread->id);
  for (const Thread* holder = HolderOf(thread); holder != thread;
       holder = HolderOf(holder)) {
    absl::StrAppend(&text, " waits for thread ", holder->id, ", which");
  }
  return absl::StrCat(text, " waits for thread ", thread->id);
}

// ------------------------------------------------------------------ watchdog

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
  const base::Stack stack = ToStack(frames, count);
  WriteError(STDERR_FILENO, base::Symbolizer({stack}).Text(stack));
  OnProcessEnd(kExitHung);
  Real().exit_now(kExitHung);
}

// Runs in any real thread; what to look at is the one that holds the token.
void OnWatchdogSignal(int signal, siginfo_t* info, void*) {
  const bool is_timer = info->si_code == SI_TIMER;
  // The stack cannot be had: the thread hangs in what finds it out.
  if (is_reporting && is_timer && ++idle_looks > kReportPatience) {
    RawSyscall(SYS_exit_group, kExitHung);
  }
  if (!scheduler.active()) return;
  if (is_timer && scheduler.steps() != steps_then) {
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

void DieOnCircle(Thread* thread) {
  if (!ClosesCircle(thread)) return;
  const std::string circle = DescribeCircle(thread);
  Die(absl::StrCat("DEADLOCK: ", circle), kExitDeadlock);
}

void DieOfStandstill() {
  Die("DEADLOCK: every thread waits, and for no time to come", kExitDeadlock);
}

void DieOfOldAge() {
  Die("TIME LIMIT: the run has lasted too long (SIM_LIMIT)", kExitTimeLimit);
}

void DieUnsupported(const char* what) {
  Die(absl::StrCat("UNSUPPORTED: ", what, "; see the limits in sim/README.md"),
      kExitUnsupported);
}

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

void RaiseAlarm(Thread* thread) {
  struct sigaction action = {};
  __sigaction(SIGALRM, nullptr, &action);
  if (action.sa_handler == SIG_DFL) {
    scheduler.End();
    OnProcessEnd(128 + SIGALRM);
    sigset_t alarm_only;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm_only, nullptr);
    raise(SIGALRM);
  }
  thread->pending_signal = SIGALRM;
}

void PrintStacks(int fd) {
  if (!OnSimulatedThread()) return;
  scheduler.Suspend();
  WriteError(fd, AllStacks());
  scheduler.Resume();
}

}  // namespace sim
