#include "sim/process.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/engine.h"
#include "sim/options.h"
#include "sim/real.h"
#include "sim/report.h"
#include "sim/sched.h"
#include "sim/trace.h"

namespace sim {

constinit CodeRange logging_code[kLoggingRanges] = {};

namespace {

// The process that is simulated as a whole; 0: none. (A child of vfork() has
// another id, and only borrows this memory.)
constinit pid_t whole_process = 0;
constinit uint64_t real_begin = 0;

// ------------------------------------------------------------ logging's code

bool IsLoggingLibrary(const char* path) {
  const char* const slash = strrchr(path, '/');
  const char* const name = slash == nullptr ? path : slash + 1;
  return strncmp(name, "libglog", 7) == 0;
}

int NoteLoggingCode(dl_phdr_info* info, size_t, void*) {
  if (!IsLoggingLibrary(info->dlpi_name)) return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    const bool is_code = header.p_type == PT_LOAD && (header.p_flags & PF_X);
    if (!is_code) continue;
    for (CodeRange& range : logging_code) {
      if (range.begin != 0) continue;
      range.begin = info->dlpi_addr + header.p_vaddr;
      range.end = range.begin + header.p_memsz;
      break;
    }
  }
  return 0;
}

// ------------------------------------------------------------ begin and end

void OnFork() {
  ForgetOtherThreads();
  if (whole_process != 0) whole_process = getpid();
  if (scheduler.active()) StartWatchdog();
}

Engine UsableHere(Engine wanted) {
  return UsableEngine(wanted, HasFsgsbase(), HasThreadSanitizer());
}

// Adopts the calling thread as thread 0 and begins.
Thread* Begin(Options options) {
  static bool is_prepared = false;
  if (!is_prepared) {
    is_prepared = true;
    dl_iterate_phdr(NoteLoggingCode, nullptr);
    pthread_atfork(nullptr, nullptr, OnFork);
  }
  options.engine = UsableHere(options.engine);
  Thread* const main = AdoptMain(options.engine);
  StartWatchdog();
  scheduler.Begin(options, main);
  return main;
}

// ------------------------------------------------------------ whole process

std::vector<std::string> OwnArguments() {
  std::vector<std::string> arguments;
  FILE* const file = fopen("/proc/self/cmdline", "re");
  if (file == nullptr) return arguments;
  char* argument = nullptr;
  size_t capacity = 0;
  while (getdelim(&argument, &capacity, '\0', file) > 0) {
    arguments.emplace_back(argument);
  }
  free(argument);
  fclose(file);
  return arguments;
}

// Says, once in a command and all that it starts, that another engine is taken
// than the one that was asked for, why, and what that costs. Not under
// ThreadSanitizer, unless SIM_ENGINE asks for what cannot be.
void NoticeEngine(Engine wanted) {
  constexpr char kNotice[] = "SIM_NOTICE";
  const char* const notice = getenv(kNotice);
  if (notice != nullptr && strcmp(notice, "off") == 0) return;
  const Engine usable = UsableHere(wanted);
  if (usable == wanted) return;
  if (HasThreadSanitizer() && getenv("SIM_ENGINE") == nullptr) return;
  fprintf(stderr, "sim: engine %s, since %s\n", EngineName(usable),
          HasThreadSanitizer()
              ? "ThreadSanitizer needs real threads"
              : "this machine has no FSGSBASE: the same runs, but a switch "
                "between threads costs about 7 us instead of 0.1");
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
// the run before: starts the process again without address randomisation, and
// with an environment of a rounded size. Its children inherit both. Where that
// is not permitted the run goes on as it is.
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

void EndOfMain(int status, void*) { OnProcessEnd(status); }

__attribute__((constructor(101))) void BeginWholeProcess() {
  Real();
  std::string error;
  std::optional<Options> options = OptionsFromEnvironment(&error);
  if (!error.empty()) RefuseToStart(error);
  if (!options.has_value()) return;
  const std::vector<std::string> arguments = OwnArguments();
  NoticeEngine(options->engine);
  FixAddresses(arguments);
  if (!IsMeant(arguments)) return;
  const char* const trace = getenv("SIM_TRACE");
  if (trace != nullptr && !OpenTrace(trace)) {
    RefuseToStart(absl::StrCat("sim: cannot write SIM_TRACE=", trace, ": ",
                               strerror(errno)));
  }
  whole_process = getpid();
  // Registered first, so called last, behind the program's own destructors.
  on_exit(EndOfMain, nullptr);
  real_begin = RealNow();
  Begin(*options);
}

std::string StatsLine(int status) {
  const Result result = scheduler.ToResult();
  const std::vector<std::string> arguments = OwnArguments();
  std::string line = absl::StrFormat(
      "seed=%d hash=%016x steps=%d switches=%d threads=%d virtual_ms=%.3f "
      "real_ms=%.3f %s status=%d args=",
      scheduler.options().seed, result.hash, result.steps, result.switches,
      result.threads, static_cast<double>(result.time.count()) / 1e6,
      static_cast<double>(RealNow() - real_begin) / 1e6,
      DescribeOptions(scheduler.options()), status);
  for (const std::string& argument : arguments) {
    absl::StrAppend(&line, argument, " ");
  }
  line.back() = '\n';
  return line;
}

}  // namespace

void OnProcessEnd(int status) {
  if (whole_process != getpid()) return;
  whole_process = 0;
  scheduler.End();
  StopWatchdog();
  const char* const path = getenv("SIM_STATS");
  if (path == nullptr) return;
  const int fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
  const std::string line = StatsLine(status);
  if (fd < 0 || write(fd, line.data(), line.size()) < 0) {
    fprintf(stderr, "sim: cannot write SIM_STATS=%s: %s\n", path,
            strerror(errno));
  }
  if (fd >= 0) close(fd);
}

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
