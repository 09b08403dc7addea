#include "tests/runner/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "absl/debugging/symbolize.h"
#include "base/write_all.h"

namespace runner {
namespace {

constexpr int kMaxFrames = 64;
// The handler itself and the kernel's trampoline are on top.
constexpr int kHandlerFrames = 2;
constexpr int kNameSize = 256;

// The functions of a stack; static, since a handler has little stack.
struct Names {
  int count = 0;
  char of[kMaxFrames][kNameSize];
};
Names names;

// All that is called here may be called from a signal handler: nothing
// allocates, for the heap may be what is broken.
void ReadStack() {
  void* frames[kMaxFrames];
  const int depth = backtrace(frames, kMaxFrames);
  for (int i = kHandlerFrames; i < depth; ++i) {
    // A return address is the one after the call.
    void* const pc = static_cast<char*>(frames[i]) - (i > kHandlerFrames);
    char* const name = names.of[names.count];
    if (absl::Symbolize(pc, name, kNameSize)) ++names.count;
  }
}

bool IsOfAFailedCheck() {
  for (int i = 0; i < names.count; ++i) {
    if (std::string_view(names.of[i]).starts_with("google::LogMessage")) {
      return true;
    }
  }
  return false;
}

void OnCrash(int number) {
  signal(number, SIG_DFL);
  ReadStack();
  if (number != SIGABRT || !IsOfAFailedCheck()) {
    base::WriteAll(STDERR_FILENO, "stack of the thread that crashed:\n");
    for (int i = 0; i < names.count; ++i) {
      base::WriteAll(STDERR_FILENO, "  ");
      base::WriteAll(STDERR_FILENO, names.of[i]);
      base::WriteAll(STDERR_FILENO, "\n");
    }
  }
  raise(number);
}

}  // namespace

void PrintStackOnCrash() {
  void* primer[1];
  backtrace(primer, 1);  // loads what it needs, which allocates
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
    signal(number, OnCrash);
  }
}

}  // namespace runner
