#include "sim/report.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/symbolize.h"
#include "sim/engine.h"
#include "sim/real.h"
#include "sim/sched.h"
#include "sim/stats.h"
#include "sim/waits.h"

namespace sim {
namespace {

void WriteError(int fd, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) return;
    if (count > 0) done += static_cast<size_t>(count);
  }
}

// Without the simulator's own functions at its top and its bottom.
base::Stack ToStack(void* const* frames, int count) {
  base::Stack stack;
  for (int i = 0; i < count; ++i) {
    // A return address is the one after the call.
    const uintptr_t pc = reinterpret_cast<uintptr_t>(frames[i]) - 1;
    if (!stack.empty() || !IsSimulatorCode(pc)) stack.push_back(pc);
  }
  while (!stack.empty() && IsSimulatorCode(stack.back())) stack.pop_back();
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

// What the first line says of a run that ends with this status.
std::string Headline(int status, const char* what) {
  switch (status) {
    case kExitDeadlock:
      return absl::StrCat("DEADLOCK: ", what);
    case kExitTimeLimit:
      return absl::StrCat("TIME LIMIT: ", what);
    default:
      return absl::StrCat("UNSUPPORTED: ", what,
                          "; see the limits in sim/README.md");
  }
}

}  // namespace

bool IsSimulatorCode(uintptr_t pc) {
  return absl::StartsWith(base::FunctionName(pc), "sim::");
}

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

void WriteStack(void* const* frames, int count) {
  const base::Stack stack = ToStack(frames, count);
  WriteError(STDERR_FILENO, base::Symbolizer({stack}).Text(stack));
}

void Die(int status, const char* what) {
  scheduler.End();  // from here on every function is the real one
  WriteHeadline(Headline(status, what).c_str());
  WriteError(STDERR_FILENO, AllStacks());
  fflush(nullptr);
  EndWholeProcess(status);
  Real()._exit(status);
}

void DieOnCycle(Thread* thread) {
  if (ClosesCycle(thread)) Die(kExitDeadlock, DescribeCycle(thread).c_str());
}

void PrintStacks(int fd) {
  if (!OnSimulatedThread()) return;
  scheduler.Suspend();
  WriteError(fd, AllStacks());
  scheduler.Resume();
}

}  // namespace sim
