#include "tests/runner/stacks.h"

#include <execinfo.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/symbolize.h"
#include "base/write_all.h"

namespace runner {
namespace {

constexpr int kMaxFrames = 64;
// The handler itself and the kernel's trampoline are on top of each stack.
constexpr int kHandlerFrames = 2;
constexpr std::chrono::seconds kPatience{2};

// Nothing else uses SIGSYS, and ThreadSanitizer delivers it at once: most other
// signals it holds back from a thread that computes or waits for a lock.
constexpr int kSignal = SIGSYS;

struct ThreadStack {
  pid_t thread = 0;
  void* frames[kMaxFrames];
  std::atomic<int> depth{0};  // 0: not captured yet; set last
};

struct StackTable {
  size_t size = 0;
  std::unique_ptr<ThreadStack[]> stacks;
  StackTable* previous = nullptr;  // keeps old tables reachable
};

// Read by the signal handler. Tables are never freed: a thread may answer late.
std::atomic<StackTable*> current_table{nullptr};

pid_t ThisThread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

// Only calls what a signal handler may; backtrace() may once it has been used
// outside of one.
void CaptureOwnStack(int) {
  const int saved_errno = errno;
  const pid_t self = ThisThread();
  StackTable* const table = current_table.load(std::memory_order_acquire);
  for (size_t i = 0; i < table->size; ++i) {
    ThreadStack& stack = table->stacks[i];
    if (stack.thread != self) continue;
    const int depth = backtrace(stack.frames, kMaxFrames);
    stack.depth.store(depth, std::memory_order_release);
  }
  errno = saved_errno;
}

// ThreadSanitizer has a thread of its own that blocks all signals: it would not
// answer.
bool BlocksSignal(const std::filesystem::path& task) {
  std::ifstream status(task / "status");
  for (std::string line; std::getline(status, line);) {
    const size_t at = std::strlen("SigBlk:");
    if (line.rfind("SigBlk:", 0) != 0) continue;
    const uint64_t mask = std::strtoull(line.c_str() + at, nullptr, 16);
    return (mask >> (kSignal - 1) & 1) != 0;
  }
  return true;  // it has just ended
}

std::vector<pid_t> OtherThreads() {
  std::vector<pid_t> threads;
  std::error_code ignored;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    int thread = 0;
    if (absl::SimpleAtoi(task.path().filename().string(), &thread) &&
        thread != ThisThread() && !BlocksSignal(task.path())) {
      threads.push_back(thread);
    }
  }
  std::sort(threads.begin(), threads.end());
  return threads;
}

StackTable* NewTable(const std::vector<pid_t>& threads) {
  auto* const table = new StackTable;
  table->size = threads.size();
  table->stacks = std::make_unique<ThreadStack[]>(threads.size());
  for (size_t i = 0; i < threads.size(); ++i) {
    table->stacks[i].thread = threads[i];
  }
  table->previous = current_table.load();
  return table;
}

bool AllCaptured(const StackTable& table) {
  for (size_t i = 0; i < table.size; ++i) {
    if (table.stacks[i].depth.load(std::memory_order_acquire) == 0)
      return false;
  }
  return true;
}

const StackTable& CaptureAll() {
  void* primer[1];
  backtrace(primer, 1);
  StackTable* const table = NewTable(OtherThreads());
  current_table.store(table, std::memory_order_release);
  struct sigaction action = {};
  action.sa_handler = CaptureOwnStack;
  action.sa_flags = SA_RESTART;
  sigaction(kSignal, &action, nullptr);
  for (size_t i = 0; i < table->size; ++i) {
    syscall(SYS_tgkill, getpid(), table->stacks[i].thread, kSignal);
  }
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!AllCaptured(*table) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return *table;
}

// A return address is the one after the call; only the topmost frame, which
// the signal interrupted, is exact.
base::Stack ProgramCounters(const ThreadStack& stack) {
  base::Stack pcs;
  const int depth = stack.depth.load(std::memory_order_acquire);
  for (int i = kHandlerFrames; i < depth; ++i) {
    const auto pc = reinterpret_cast<uintptr_t>(stack.frames[i]);
    pcs.push_back(i == kHandlerFrames ? pc : pc - 1);
  }
  return pcs;
}

}  // namespace

void PrintAllStacks(int fd) {
  const StackTable& table = CaptureAll();
  std::vector<base::Stack> stacks;
  for (size_t i = 0; i < table.size; ++i) {
    stacks.push_back(ProgramCounters(table.stacks[i]));
  }
  // Symbols are looked up only now, outside of the signal handlers.
  const base::Symbolizer symbolizer(stacks);
  for (size_t i = 0; i < table.size; ++i) {
    const bool is_main = table.stacks[i].thread == getpid();
    const std::string text =
        stacks[i].empty() ? "  does not answer\n" : symbolizer.Text(stacks[i]);
    base::WriteAll(fd, absl::StrCat("thread ", i + 1,
                                    is_main ? " (main):" : ":", "\n", text));
  }
}

}  // namespace runner
