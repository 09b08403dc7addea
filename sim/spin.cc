#include "sim/spin.h"

#include <execinfo.h>
#include <stdio.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "base/symbolize.h"
#include "sim/report.h"
#include "sim/sched.h"

// Where the program's own code begins and ends: the linker's names.
extern "C" {
extern const char __executable_start;  // NOLINT
extern const char etext;               // NOLINT
}

namespace sim {
namespace {

// The processor time that a thread computes before it is taken to spin: the
// first one; further ones, since this program does so; near a place where one
// did.
constexpr uint64_t kPatience = 2'000'000'000;
constexpr uint64_t kPatienceThen = 500'000'000;
constexpr uint64_t kPatienceNear = kSpinLook / 2;
constexpr uintptr_t kNear = 256;

// How long a thread that spins sleeps, of virtual time; how often without that
// another one moves.
constexpr Time kSleep = 10'000'000;
constexpr int kMostInVain = 200;

constexpr int kMaxPlaces = 64;
constinit uintptr_t places[kMaxPlaces] = {};
constinit int place_count = 0;

constinit uint64_t steps_after_sleep = 0;
constinit int in_vain = 0;

bool IsKnown(uintptr_t pc) {
  for (int i = 0; i < place_count; ++i) {
    if (places[i] - kNear < pc && pc < places[i] + kNear) return true;
  }
  return false;
}

// A thread in a library may hold a lock of that library's.
bool IsProgramCode(uintptr_t pc) {
  return reinterpret_cast<uintptr_t>(&__executable_start) <= pc &&
         pc < reinterpret_cast<uintptr_t>(&etext) && !IsSimulatorCode(pc);
}

uint64_t PatienceAt(uintptr_t pc) {
  if (IsKnown(pc)) return kPatienceNear;
  return place_count > 0 ? kPatienceThen : kPatience;
}

// The innermost function on the stack that is the program's and not the C++
// library's.
std::string SpinningFunction() {
  void* frames[Thread::kMaxFrames];
  const int count = backtrace(frames, Thread::kMaxFrames);
  for (int i = 0; i < count; ++i) {
    // A return address is the one after the call.
    const uintptr_t pc = reinterpret_cast<uintptr_t>(frames[i]) - 1;
    if (!IsProgramCode(pc)) continue;
    std::string name = base::FunctionName(pc);
    const bool is_known = !absl::StartsWith(name, "(unknown");
    if (is_known && !absl::StartsWith(name, "std::")) return name;
  }
  return "a function that is not known";
}

void Note(uintptr_t pc) {
  if (place_count == kMaxPlaces) return;
  places[place_count++] = pc;
  if (place_count > 1) return;
  char text[512];
  const int length =
      snprintf(text, sizeof(text),
               "sim: thread %d spins in %s: it has computed for 2 s without a "
               "scheduling point. It yields every 10 ms there, which is slow; "
               "better yield or wait in the loop\n",
               scheduler.current()->id, SpinningFunction().c_str());
  const auto size = static_cast<size_t>(length);
  if (write(STDERR_FILENO, text, size < sizeof(text) ? size : sizeof(text)) <
      0) {
    return;
  }
}

}  // namespace

Spin BreakSpin(uintptr_t pc, uint64_t cpu) {
  const bool is_known = IsKnown(pc);
  if (!is_known && !IsProgramCode(pc)) return Spin::kNone;
  if (cpu < PatienceAt(pc)) return Spin::kPerhaps;
  if (!is_known) Note(pc);
  in_vain = scheduler.steps() == steps_after_sleep ? in_vain + 1 : 0;
  if (in_vain == kMostInVain) return Spin::kInVain;
  scheduler.Point(Op::kYield, nullptr);
  steps_after_sleep = scheduler.steps();
  scheduler.Block(Wait::kYield, nullptr, scheduler.now() + kSleep);
  return Spin::kBroken;
}

}  // namespace sim
