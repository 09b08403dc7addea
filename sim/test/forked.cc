#include "sim/test/forked.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>

#include "base/logging.h"
#include "sim/test/check.h"

namespace sim::test {
namespace {

using std::chrono::nanoseconds;

// What the fork tells its parent. Texts are constants of the program, so their
// addresses mean the same in both.
struct Report {
  Result result;
  const char* file = nullptr;
  int line = 0;
  const char* note = "";
};

// In a page that both processes see.
Report* report = nullptr;

// Of the simulation that runs.
nanoseconds allowed_delay{0};

Report* NewReport() {
  void* const page = mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  PCHECK(page != MAP_FAILED);
  return new (page) Report;
}

// The state of a thread of this process, as in proc(5).
char StateOf(const std::string& task_folder) {
  std::string stat;
  std::getline(std::ifstream(task_folder + "/stat"), stat);
  // After the name, which may have any characters.
  const size_t at = stat.rfind(") ");
  return at == std::string::npos ? '?' : stat[at + 2];
}

// What another thread has locked at a fork stays locked in the child until it
// ends; a sanitizer's library does not prevent that. The runner's watchdog is
// such a thread, and has perhaps only just begun to start: lets it come to
// rest.
void AwaitOtherThreadsAtRest() {
  const std::string myself = std::to_string(gettid());
  bool is_any_busy = true;
  while (is_any_busy) {
    is_any_busy = false;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/self/task")) {
      if (task.path().filename() == myself) continue;
      is_any_busy |= StateOf(task.path().string()) != 'S';
    }
    if (is_any_busy) sched_yield();
  }
}

[[noreturn]] void RunChild(int error_fd, const std::function<void()>& body) {
  dup2(error_fd, STDERR_FILENO);
  // A report of the simulator looks up its stacks with a program that takes
  // some tenths of a second. Where hundreds of runs fail on purpose it must not
  // be found; the reports have tests of their own.
  setenv("PATH", "", /*replace=*/1);
  body();
  _exit(0);
}

int WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) PCHECK(errno == EINTR);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string Content(int fd) {
  std::string content;
  char buffer[4096];
  off_t at = 0;
  for (ssize_t got = 1; got > 0; at += got) {
    got = pread(fd, buffer, sizeof(buffer), at);
    PCHECK(got >= 0);
    content.append(buffer, static_cast<size_t>(got));
  }
  return content;
}

std::string Place(const Report& from) {
  if (from.file == nullptr) return "";
  return std::string(from.file) + ":" + std::to_string(from.line);
}

// The first two.
std::string FirstLines(const std::string& text) {
  return text.substr(0, text.find('\n', text.find('\n') + 1));
}

}  // namespace

// ------------------------------------------------------------------- check.h

void Require(bool holds, const char* file, int line) {
  if (holds) return;
  NoteProgress();
  if (report != nullptr) {
    report->file = file;
    report->line = line;
  }
  std::fprintf(stderr, "%s:%d: does not hold\n", file, line);
  _exit(kExitCheckFailed);
}

nanoseconds AllowedDelay() { return allowed_delay; }

void Stopwatch::RequireTook(nanoseconds time, nanoseconds imprecision,
                            const char* file, int line) const {
  const nanoseconds elapsed = Elapsed();
  const nanoseconds most =
      Active() ? time + imprecision + AllowedDelay() : nanoseconds::max();
  if (elapsed >= time && elapsed <= most) return;
  std::fprintf(stderr, "took %ld ns, not %ld to %ld: ", long{elapsed.count()},
               long{time.count()}, long{most.count()});
  Require(false, file, line);
}

// ------------------------------------------------------------------ forked.h

bool operator==(const Outcome& a, const Outcome& b) {
  return a.status == b.status && a.result.hash == b.result.hash &&
         a.result.steps == b.result.steps &&
         a.result.switches == b.result.switches &&
         a.result.threads == b.result.threads &&
         a.result.time == b.result.time && a.failure == b.failure &&
         FirstLines(a.errors) == FirstLines(b.errors);
}

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  const Result& result = outcome.result;
  out << "status " << outcome.status << " hash " << result.hash << " steps "
      << result.steps << " switches " << result.switches << " threads "
      << result.threads << " time " << result.time.count() << " ns";
  if (!outcome.note.empty()) out << " in " << outcome.note;
  if (!outcome.failure.empty()) out << " at " << outcome.failure;
  if (!outcome.errors.empty()) out << "\n" << outcome.errors;
  return out;
}

Outcome Fork(const std::function<void()>& body) {
  report = NewReport();
  const int error_fd = memfd_create("errors", MFD_CLOEXEC);
  PCHECK(error_fd >= 0);
  std::fflush(nullptr);  // or the fork would write it again
  AwaitOtherThreadsAtRest();
  const pid_t child = fork();
  PCHECK(child >= 0);
  if (child == 0) RunChild(error_fd, body);

  Outcome outcome;
  outcome.status = WaitFor(child);
  outcome.result = report->result;
  outcome.failure = Place(*report);
  outcome.note = report->note;
  outcome.errors = Content(error_fd);
  close(error_fd);
  munmap(report, sizeof(Report));
  report = nullptr;
  return outcome;
}

Outcome ForkRun(const Options& options, const std::function<void()>& body) {
  return Fork([&] { RunHere(options, body); });
}

void RunHere(const Options& options, const std::function<void()>& body) {
  // What is measured here takes some dozens of scheduling points, at most, one
  // after another.
  constexpr int kStalls = 30;
  allowed_delay = options.slack + std::chrono::milliseconds(1);
  if (options.stall > 0) allowed_delay += kStalls * options.longest_stall;
  const Result result = Run(options, body);
  if (report != nullptr) report->result = result;
}

void Note(const char* text) {
  if (report != nullptr) report->note = text;
}

void NoteProgress() {
  if (report != nullptr && Active()) report->result = Now();
}

int SeedCount(int usual) {
  const char* const wanted = std::getenv("SIM_TEST_SEEDS");
  return wanted == nullptr ? usual : std::atoi(wanted);
}

Options Harsh(uint64_t seed) { return Swarm(seed, Profile::kHarsh); }

Options Harsh(uint64_t seed, Engine engine) {
  Options options = Harsh(seed);
  options.engine = engine;
  return options;
}

}  // namespace sim::test
