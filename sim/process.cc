// The simulation as a whole: of one call in sim.h, or of a whole process, from
// before main() to its end, where SIM_SEED is set.

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/engine.h"
#include "sim/logging_code.h"
#include "sim/options.h"
#include "sim/peer.h"
#include "sim/real.h"
#include "sim/report.h"
#include "sim/sched.h"
#include "sim/stats.h"
#include "sim/trace.h"
#include "sim/watchdog.h"

namespace sim {
namespace {

// ------------------------------------------------------------ begin and end

void OnFork() {
  ForgetOtherThreads();
  ContinueInChild();
  if (scheduler.active()) StartWatchdog();
}

// The time of alarm() has come. Where the program has no handler the process
// ends now; else `thread` runs it when it runs next.
void RaiseAlarm(Thread* thread) {
  struct sigaction action = {};
  sigaction(SIGALRM, nullptr, &action);
  if (action.sa_handler == SIG_DFL) {
    scheduler.End();
    EndWholeProcess(128 + SIGALRM);
    sigset_t alarm_only;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm_only, nullptr);
    raise(SIGALRM);
  }
  thread->pending_signal = SIGALRM;
}

constinit Hooks hooks = {PassToken,  DieOnCycle, AwaitPeer,
                         RaiseAlarm, Die,        nullptr};

Engine UsableHere(Engine wanted) {
  return UsableEngine(wanted, HasFsgsbase(), HasThreadSanitizer());
}

// Adopts the calling thread as thread 0 and begins.
Thread* Begin(Options options) {
  static bool is_prepared = false;
  if (!is_prepared) {
    is_prepared = true;
    NoteLoggingCode();
    pthread_atfork(nullptr, nullptr, OnFork);
  }
  options.engine = UsableHere(options.engine);
  Thread* const main = AdoptMain(options.engine);
  StartWatchdog();
  scheduler.Begin(options, hooks, main);
  return main;
}

// ------------------------------------------------------------ whole process

// Why that engine is taken.
const char* Reason(Engine wanted, Engine usable) {
  if (usable != wanted) {
    return HasThreadSanitizer() ? "ThreadSanitizer needs real threads"
                                : "this machine has no FSGSBASE";
  }
  return getenv("SIM_ENGINE") != nullptr ? "SIM_ENGINE asks for it"
                                         : "this machine has FSGSBASE";
}

// Says, once in a command and all that it starts, which engine is taken, why,
// and what that costs.
void NoticeEngine(Engine wanted) {
  constexpr char kNotice[] = "SIM_NOTICE";
  const char* const notice = getenv(kNotice);
  if (notice != nullptr && strcmp(notice, "off") == 0) return;
  const Engine usable = UsableHere(wanted);
  fprintf(stderr,
          "sim: engine %s, since %s: a switch between threads costs about %s\n",
          EngineName(usable), Reason(wanted, usable),
          usable == Engine::kFiber ? "0.1 us"
                                   : "2 to 7 us, not the 0.1 of engine fiber; "
                                     "the runs are the same");
  setenv(kNotice, "off", /*replace=*/1);
}

bool IsMeant(const std::vector<std::string>& arguments) {
  const char* const only = getenv("SIM_ONLY");
  return only == nullptr ||
         std::find(arguments.begin(), arguments.end(), only) != arguments.end();
}

// The environment's size, as it moves the main thread's stack.
size_t EnvironmentSize() {
  size_t size = 0;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    size += strlen(*entry) + 1 + sizeof(char*);
  }
  return size;
}

// Programs that hash or order by address must find everything where it was in
// the run before: starts the process again without address randomization, and
// with an environment of a rounded size. Its children inherit both. Where that
// is not permitted the run continues as it is.
void FixAddresses(const std::vector<std::string>& arguments) {
  constexpr size_t kRounding = 64 << 10;
  constexpr char kPadding[] = "SIM_PADDING";
  const auto persona = static_cast<unsigned long>(personality(~0u));
  const bool is_fixed = (persona & ADDR_NO_RANDOMIZE) != 0;
  if (is_fixed && EnvironmentSize() % kRounding == 0) return;
  if (arguments.empty()) return;  // there is no /proc
  // The process keeps its id when it starts again: once is enough.
  const std::string mark = absl::StrCat(getpid(), " ");
  const char* const padding = getenv(kPadding);
  if (padding != nullptr && strncmp(padding, mark.c_str(), mark.size()) == 0) {
    return;
  }
  if (!is_fixed && personality(persona | ADDR_NO_RANDOMIZE) < 0) return;
  setenv(kPadding, mark.c_str(), /*replace=*/1);
  const size_t missing = kRounding - EnvironmentSize() % kRounding;
  setenv(kPadding, (mark + std::string(missing % kRounding, '.')).c_str(), 1);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  execv("/proc/self/exe", argv.data());
}

[[noreturn]] void RefuseToStart(const std::string& error) {
  fprintf(stderr, "%s\n", error.c_str());
  _exit(2);
}

void OnExit(int status, void*) {
  EndWholeProcess(status);
  StopWatchdog();
}

__attribute__((constructor(101))) void BeginIfAsked() {
  Real();
  std::string error;
  std::optional<Options> options = OptionsFromEnvironment(&error);
  if (!error.empty()) RefuseToStart(error);
  if (!options.has_value()) return;
  const std::vector<std::string> arguments = OwnArguments();
  NoticeEngine(options->engine);
  // A run does not depend on where the machine stands. Set here, before the
  // environment is rounded: set by main(), as glog wants it, it would have each
  // of its children start twice.
  setenv("TZ", "UTC", /*replace=*/0);
  FixAddresses(arguments);
  if (!IsMeant(arguments)) return;
  const char* const trace = getenv("SIM_TRACE");
  if (trace != nullptr) {
    if (!OpenTrace(trace)) {
      RefuseToStart(absl::StrCat("sim: cannot write SIM_TRACE=", trace, ": ",
                                 strerror(errno)));
    }
    hooks.trace = TracePoint;
  }
  BeginWholeProcess();
  // Registered first, so called last, after the program's own destructors.
  on_exit(OnExit, nullptr);
  Begin(*options);
}

}  // namespace

// ------------------------------------------------------------------ sim.h

Result Run(const Options& options, const std::function<void()>& body) {
  cpu_set_t processors;
  sched_getaffinity(0, sizeof(processors), &processors);
  Thread* const main = Begin(options);
  [&body]() noexcept { body(); }();
  while (scheduler.live() > 1) {
    scheduler.Block(Wait::kThreads, scheduler.all_ended(), kNever);
  }
  scheduler.End();
  StopWatchdog();
  EndMain(main);
  sched_setaffinity(0, sizeof(processors), &processors);
  return scheduler.ToResult();
}

bool Active() { return OnSimulatedThread(); }

Result Now() { return scheduler.ToResult(); }

void Trace(uint64_t event) {
  if (OnSimulatedThread()) scheduler.MixEvent(event);
}

void Access(bool is_atomic) {
  constexpr double kSampled = 0.02;
  if (!OnSimulatedThread()) return;
  if (is_atomic) {
    scheduler.Point(Op::kAtomic, nullptr);
  } else if (scheduler.Chance(kSampled)) {
    scheduler.Point(Op::kAccess, nullptr);
  }
}

}  // namespace sim
