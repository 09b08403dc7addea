#include "tests/harness/stacks.h"

#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <link.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/debugging/symbolize.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/harness/run_log.h"

namespace tests {
namespace {

constexpr int kMaxFrames = 64;
// The handler itself and the kernel's trampoline stand on top of each stack.
constexpr int kHandlerFrames = 2;
constexpr std::chrono::seconds kPatience{2};

// Nobody else uses SIGSYS, and ThreadSanitizer delivers it at once: most other
// signals it holds back from a thread that computes or waits for a lock.
constexpr int kSignal = SIGSYS;

struct Stack {
  pid_t thread = 0;
  void* frames[kMaxFrames];
  std::atomic<int> depth{0};  // 0: not captured yet; set last
};

struct StackTable {
  size_t size = 0;
  std::unique_ptr<Stack[]> stacks;
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
    Stack& stack = table->stacks[i];
    if (stack.thread != self) continue;
    const int depth = backtrace(stack.frames, kMaxFrames);
    stack.depth.store(depth, std::memory_order_release);
  }
  errno = saved_errno;
}

// ThreadSanitizer has a thread of its own that blocks all signals: there is no
// use in waiting for its answer.
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
  table->stacks = std::make_unique<Stack[]>(threads.size());
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

// The address in the program's file, or 0 for one in a library.
uintptr_t FileAddress(uintptr_t pc) {
  Dl_info at = {};
  Dl_info here = {};
  if (dladdr(reinterpret_cast<void*>(pc), &at) == 0) return 0;
  dladdr(reinterpret_cast<void*>(&CaptureOwnStack), &here);
  if (at.dli_fbase == nullptr || at.dli_fbase != here.dli_fbase) return 0;
  const auto* header = static_cast<const ElfW(Ehdr)*>(at.dli_fbase);
  const auto base = reinterpret_cast<uintptr_t>(at.dli_fbase);
  return header->e_type == ET_DYN ? pc - base : pc;
}

// addr2line prints "path:line", sometimes with a remark behind, or question
// marks. Returns "file:line", or nothing.
std::string Shortened(std::string_view line) {
  line = line.substr(0, line.find_first_of(" \n"));
  line.remove_prefix(std::min(line.size(), line.rfind('/') + 1));
  return line.find('?') == std::string_view::npos ? std::string(line) : "";
}

// The places in the source by program counter, from one call of addr2line.
std::map<uintptr_t, std::string> Places(const std::vector<uintptr_t>& pcs) {
  std::string command =
      absl::StrCat("timeout 15 addr2line -e /proc/", getpid(), "/exe");
  std::map<uintptr_t, std::string> places;
  for (const uintptr_t pc : pcs) {
    if (FileAddress(pc) != 0) places[pc];
  }
  for (const auto& [pc, place] : places) {
    absl::StrAppendFormat(&command, " %#x", FileAddress(pc));
  }
  FILE* const output =
      places.empty() ? nullptr : popen((command + " 2>&-").c_str(), "r");
  if (output == nullptr) return places;
  char line[4096];
  for (auto& [pc, place] : places) {
    if (std::fgets(line, sizeof(line), output) == nullptr) break;
    place = Shortened(line);
  }
  pclose(output);
  return places;
}

// A return address is the one after the call; only the topmost frame, which
// the signal interrupted, is exact.
std::vector<uintptr_t> ProgramCounters(const Stack& stack) {
  std::vector<uintptr_t> pcs;
  const int depth = stack.depth.load(std::memory_order_acquire);
  for (int i = kHandlerFrames; i < depth; ++i) {
    const auto pc = reinterpret_cast<uintptr_t>(stack.frames[i]);
    pcs.push_back(i == kHandlerFrames ? pc : pc - 1);
  }
  return pcs;
}

std::string FunctionName(uintptr_t pc) {
  char name[512];
  const bool known =
      absl::Symbolize(reinterpret_cast<void*>(pc), name, sizeof(name));
  return known ? name : "(unknown function)";
}

std::string StackText(const Stack& stack,
                      const std::map<uintptr_t, std::string>& places) {
  const std::vector<uintptr_t> pcs = ProgramCounters(stack);
  if (pcs.empty()) return "  does not answer\n";
  std::string text;
  for (const uintptr_t pc : pcs) {
    absl::StrAppend(&text, "  ", FunctionName(pc));
    const auto place = places.find(pc);
    if (place != places.end() && !place->second.empty()) {
      absl::StrAppend(&text, " ", place->second);
    }
    text.push_back('\n');
  }
  return text;
}

}  // namespace

void PrintAllStacks(int fd) {
  const StackTable& table = CaptureAll();
  std::vector<uintptr_t> all;
  for (size_t i = 0; i < table.size; ++i) {
    std::ranges::copy(ProgramCounters(table.stacks[i]),
                      std::back_inserter(all));
  }
  // Symbols are looked up only now, outside of the signal handlers.
  absl::InitializeSymbolizer("/proc/self/exe");
  const std::map<uintptr_t, std::string> places = Places(all);
  for (size_t i = 0; i < table.size; ++i) {
    const bool is_main = table.stacks[i].thread == getpid();
    WriteAll(fd, absl::StrCat("thread ", i + 1, is_main ? " (main):" : ":",
                              "\n", StackText(table.stacks[i], places)));
  }
}

}  // namespace tests
